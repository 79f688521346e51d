// Behind a balancer (PROXY protocol) and behind a reverse proxy (X-Forwarded-For, Forwarded): the
// client's true address is the one that counts, and nobody else can say which it is.
import assert from 'node:assert/strict';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { connect as tlsConnect } from 'node:tls';
import { Gateway, PASSWORD } from './lib/gateway.mjs';
import { stop } from './lib/proc.mjs';
import { haproxy, header, tcpFrom, tlsFrom } from './lib/proxy.mjs';
import { echoServer, freePort } from './lib/servers.mjs';
import { sleep, soon, until } from './lib/wait.mjs';
import { RawSocket, Wire } from './lib/wire.mjs';

const BALANCER = '127.0.0.2';
const PROXY = '127.0.0.3';
const STRANGER = '127.0.0.4';
const NOOP = Buffer.from('04000401020304', 'hex');

let gateway;
let echo;
let anna;
let token; // hers: each sign-in may wait for a fresh code

before(async () => {
  gateway = await Gateway.make({
    conf: {
      server: {
        http_listen: '127.0.0.1:0', proxy_protocol: `${BALANCER}, 127.0.1.0/24`,
        trusted_proxies: `${PROXY}, 10.9.0.0/16`, handshake_seconds: 60, request_seconds: 60,
        connections_per_address: 6,
      },
      login: { user_failures: 1000, address_failures: 100_000 },
    },
  });
  echo = await echoServer();
  anna = gateway.addUser('anna');
  gateway.addDesktop('echo', echo.port);
  gateway.grant(anna, 'echo');
  token = await anna.token();
});
after(async () => {
  await gateway?.remove();
  await echo?.close();
});

// Tries to sign in as somebody whom nobody knows; the address that the audit log has for it.
async function seen(wire, headers = {}) {
  const before = gateway.audit('--last', '1').at(-1)?.id ?? 0;
  const body = JSON.stringify({ username: 'nobody', password: 'x', code: '000000' });
  const lines = Object.entries(headers).flatMap(([name, values]) => [values].flat().map((value) => `${name}: ${value}\r\n`)).join('');
  wire.send(`POST /api/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n${lines}` +
    `Content-Length: ${body.length}\r\n\r\n${body}`);
  const answer = await wire.answer();
  assert.equal(answer?.status, 401, answer && String(answer.body));
  const rows = gateway.audit('--event', 'sign-in').filter((row) => row.id > before);
  assert.equal(rows.length, 1);
  return rows[0].address;
}

async function seenBehind(first, from = BALANCER) {
  const wire = await tlsFrom(gateway, from, first);
  try {
    return await seen(wire);
  } finally {
    wire.end();
  }
}

// No byte of an answer, and the end: long before handshake_seconds are over.
async function refused(first, { from = BALANCER, port = gateway.port } = {}) {
  const wire = await tcpFrom(port, from, first);
  assert.equal((await wire.rest()).length, 0);
  wire.end();
}

// ---- PROXY protocol ----

test('the header\'s address is the client\'s', async () => {
  assert.equal(await seenBehind(header({ source: '203.0.113.7' })), '203.0.113.7');
  assert.equal(await seenBehind(header({ source: '2001:db8::7' })), '2001:db8::7');
  assert.equal(await seenBehind(header({ source: '203.0.113.7', family: 0x12 })), '203.0.113.7');
  assert.equal(await seenBehind(header({ source: '203.0.113.8', more: NOOP }), '127.0.1.9'), '203.0.113.8');
});

test('a balancer that speaks for itself keeps its address', async () => {
  assert.equal(await seenBehind(header({ command: 0 })), BALANCER);
  assert.equal(await seenBehind(header({ command: 0, source: '203.0.113.7' })), BALANCER);
  assert.equal(await seenBehind(header()), BALANCER);
  assert.equal(await seenBehind(header({ family: 0x31, body: Buffer.alloc(216) })), BALANCER);
});

test('a header in single bytes', async () => {
  const wire = await tcpFrom(gateway.port, BALANCER);
  wire.socket.removeAllListeners('data');
  for (const byte of header({ source: '203.0.113.9', more: NOOP })) {
    wire.socket.write(Buffer.from([byte]));
    await new Promise(setImmediate); // TCP_NODELAY: each is a segment
  }
  const secure = tlsConnect({ socket: wire.socket, ...gateway.tlsOptions() });
  const inside = new Wire(secure);
  await once(secure, 'secureConnect');
  assert.equal(await seen(inside), '203.0.113.9');
  inside.end();
});

test('what is no header ends at once', async () => {
  const hello = Buffer.from('160301000501000001', 'hex');
  await refused(hello);
  await refused('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
  await refused('PROXY TCP4 203.0.113.7 192.0.2.1 54321 443\r\n');
  await refused(header({ source: '203.0.113.7', command: 2 }));
  await refused(header({ source: '203.0.113.7', family: 0x41 }));
  await refused(header({ source: '203.0.113.7', length: 11 }));
  await refused(header({ source: '203.0.113.7', length: 0xffff }));
  await refused(header({ source: '203.0.113.7', more: Buffer.from('04ffff', 'hex') }));
  await refused(header({ source: '203.0.113.7', more: Buffer.from('03000400000000', 'hex') }));
  await refused(header({ source: '203.0.113.7' }).fill(0x0b, 11, 12));
  await until('the log says what to do', () => /proxy\.header.*send-proxy-v2/.test(gateway.log));
});

test('one that is longer than what comes, or comes too slowly, ends when time is over', async (t) => {
  const { port, remove } = await Gateway.make({ conf: { server: { proxy_protocol: BALANCER, handshake_seconds: 3 } } })
    .then((own) => ({ port: own.port, remove: () => own.remove() }));
  t.after(remove);
  const begun = Date.now();
  const slow = await tcpFrom(port, BALANCER);
  slow.send(header({ source: '203.0.113.7' }).subarray(0, 20));
  const more = setInterval(() => slow.send(Buffer.from([0])), 300);
  await soon(6_000, 'the end', Promise.all([
    refused(header({ source: '203.0.113.7', length: 4000 }), { port }),
    refused(header({ source: '203.0.113.7' }).subarray(0, 5), { port }),
    refused(undefined, { port }),
    slow.rest(),
  ])).finally(() => {
    clearInterval(more);
    slow.end();
  });
  const took = Date.now() - begun;
  assert.ok(took >= 2_500, `${took} ms`);
});

test('nobody else may bring a header', async () => {
  await refused(header({ source: '203.0.113.7' }), { from: STRANGER });
  await until('the log says why', () => /proxy\.header: a PROXY header from an address that is not in \[server\] proxy_protocol.* address=127\.0\.0\.4/.test(gateway.log));
  await refused('PROXY TCP4 203.0.113.7 192.0.2.1 54321 443\r\n', { from: STRANGER });
  const plain = await tcpFrom(gateway.plainPort, STRANGER, header({ source: '203.0.113.7' }));
  assert.equal((await plain.answer()).status, 400);
  plain.end();
  const wire = await tlsFrom(gateway, STRANGER);
  assert.equal(await seen(wire), STRANGER);
  wire.end();
});

test('port 80 behind a balancer', async () => {
  const wire = await tcpFrom(gateway.plainPort, BALANCER, header({ source: '203.0.113.7' }));
  wire.send('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
  assert.equal((await wire.answer()).status, 301);
  wire.end();
  await refused('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n', { port: gateway.plainPort });
});

test('limits, rules and throttling are the client\'s, not the balancer\'s', async () => {
  const wires = [];
  try {
    for (let i = 0; i < 6; i++) wires.push(await tlsFrom(gateway, BALANCER, header({ source: '198.51.100.1' })));
    await assert.rejects(tlsFrom(gateway, BALANCER, header({ source: '198.51.100.1' })), 'the seventh of one client');
    for (let i = 2; i < 10; i++) wires.push(await tlsFrom(gateway, BALANCER, header({ source: `198.51.100.${i}` })));
    wires[0].end();
    await until('one has gone', async () => {
      try {
        wires.push(await tlsFrom(gateway, BALANCER, header({ source: '198.51.100.1' })));
        return true;
      } catch {
        return false;
      }
    });
  } finally {
    for (const wire of wires) wire.end();
  }
  gateway.cli('address', 'deny', '203.0.113.0/24');
  try {
    const signIn = async (source) => {
      const wire = await tlsFrom(gateway, BALANCER, header({ source }));
      const body = JSON.stringify({ username: 'anna', password: PASSWORD, code: await anna.codes.next() });
      wire.send(`POST /api/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
      const { status } = await wire.answer();
      wire.end();
      return status;
    };
    assert.equal(await signIn('203.0.113.7'), 401);
    assert.equal(await signIn('198.51.100.7'), 200);
  } finally {
    gateway.cli('address', 'remove', '203.0.113.0/24');
  }
});

// ---- reverse proxies ----

test('X-Forwarded-For counts from a trusted proxy only, and there the last address that is not one', async () => {
  const cases = [
    [PROXY, '203.0.113.7', '203.0.113.7'],
    [PROXY, '2001:db8::9', '2001:db8::9'],
    [PROXY, '198.51.100.66, 203.0.113.7', '203.0.113.7'],
    [PROXY, ['198.51.100.66', '203.0.113.7'], '203.0.113.7'],
    [PROXY, '198.51.100.66, 203.0.113.7, 10.9.1.1', '203.0.113.7'],
    [PROXY, 'unknown', PROXY],
    [PROXY, [], PROXY],
    [STRANGER, '203.0.113.7', STRANGER],
    [STRANGER, `${PROXY}, 203.0.113.7`, STRANGER],
  ];
  for (const [from, value, due] of cases) {
    const wire = await tlsFrom(gateway, from);
    assert.equal(await seen(wire, { 'X-Forwarded-For': value, Forwarded: 'for=198.51.100.99' }), due, `${from}: ${value}`);
    wire.end();
  }
});

test('each request of a connection that is used again has its own', async () => {
  const wire = await tlsFrom(gateway, PROXY);
  for (const client of ['203.0.113.1', '203.0.113.2', '203.0.113.1']) {
    assert.equal(await seen(wire, { 'X-Forwarded-For': client }), client);
  }
  assert.equal(await seen(wire), PROXY);
  wire.end();
});

test('a balancer in front of the proxy: both are asked', async () => {
  const wire = await tlsFrom(gateway, BALANCER, header({ source: '10.9.0.1' }));
  assert.equal(await seen(wire, { 'X-Forwarded-For': '203.0.113.7' }), '203.0.113.7');
  wire.end();
  const direct = await tlsFrom(gateway, BALANCER, header({ source: '203.0.113.8' }));
  assert.equal(await seen(direct, { 'X-Forwarded-For': '198.51.100.66' }), '203.0.113.8');
  direct.end();
});

test('between requests a proxy is waited for longer than it waits itself, others are not', async (t) => {
  const own = await Gateway.make({ conf: { server: { trusted_proxies: PROXY, keepalive_seconds: 1, request_seconds: 2 } } });
  t.after(() => own.remove());
  const ask = async (wire) => {
    wire.send('GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n');
    return (await wire.answer())?.status;
  };
  const [kept, slow, direct] = await Promise.all([tlsFrom(own, PROXY), tlsFrom(own, PROXY), tlsFrom(own, STRANGER)]);
  const fresh = await Promise.all(Array.from({ length: 60 }, () => tlsFrom(own, PROXY)));
  for (const wire of [kept, slow, direct]) assert.equal(await ask(wire), 200);
  slow.send('GET /healthz HTTP/1.1\r\n');
  await until('the direct one has ended', () => direct.over);
  assert.equal((await slow.answer())?.status, 408, 'nor is a request that does not come');
  await sleep(1_985); // that answer came with the gate's tick: so these come around another one
  for (const wire of [kept, ...fresh]) assert.equal(await ask(wire), 200);
  for (const wire of [kept, slow, ...fresh]) wire.end();
});

// As nginx speaks to what is behind it, without proxy_http_version.
test('a WebSocket in HTTP/1.0: refused with words before any desktop is asked for', async () => {
  const upgrade = 'Connection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n';
  const signed = `Cookie: __Host-deskgate=${token}\r\nOrigin: https://localhost:${gateway.port}\r\n`;
  const before = gateway.audit('--last', '1').at(-1).id;
  for (const [head, fields] of [['GET /tunnel/echo', upgrade + signed], ['GET /rdcleanpath', upgrade + signed],
    ['GET /tunnel/echo', signed], ['RDG_OUT_DATA /remoteDesktopGateway/', upgrade]]) {
    const wire = await tlsFrom(gateway, PROXY);
    wire.send(`${head} HTTP/1.0\r\nHost: localhost:${gateway.port}\r\nX-Forwarded-For: 203.0.113.60\r\n${fields}\r\n`);
    const answer = await soon(5_000, 'an answer', wire.answer());
    assert.equal(answer?.status, 426, head);
    assert.equal(answer.headers.upgrade, 'websocket');
    assert.match(JSON.parse(answer.body).message, /proxy_http_version 1\.1/, head);
    wire.end();
  }
  assert.deepEqual(gateway.audit('--event', 'tunnel-open').filter(({ id }) => id > before), []);
  await until('the log says so', () => /upgrade\.old/.test(gateway.log));
});

test('connections of one client through a proxy are counted, the proxy\'s own are not', async () => {
  const wires = [];
  try {
    // Requests whose body does not come keep their connections busy.
    for (let i = 0; i < 12; i++) wires.push(await tlsFrom(gateway, PROXY));
    for (const wire of wires.slice(0, 7)) {
      wire.send('POST /api/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nX-Forwarded-For: 203.0.113.50\r\nContent-Length: 100\r\n\r\n{');
    }
    // Which of the seven is one too many is chance.
    const refusals = [];
    for (const wire of wires.slice(0, 7)) wire.answer().then((answer) => answer && refusals.push(answer), () => {});
    await until('one is refused', () => refusals.length > 0);
    assert.ok(refusals[0].headers['retry-after']);
    assert.equal(await seen(wires[7], { 'X-Forwarded-For': '203.0.113.51' }), '203.0.113.51');
    assert.deepEqual(refusals.map(({ status }) => status), [503]);
  } finally {
    for (const wire of wires) wire.end();
  }
});

test('Forwarded, where the configuration says so', async () => {
  const own = await Gateway.make({ conf: { server: { trusted_proxies: PROXY, proxy_header: 'Forwarded' } } });
  const whole = gateway;
  try {
    gateway = own;
    const cases = [
      [{ Forwarded: 'for=203.0.113.7;proto=https' }, '203.0.113.7'],
      [{ Forwarded: 'for="[2001:db8::7]:4711"' }, '2001:db8::7'],
      [{ Forwarded: 'for="198.51.100.66, for=203.0.113.7' }, '203.0.113.7'],
      [{ Forwarded: 'for=_secret', 'X-Forwarded-For': '198.51.100.66' }, PROXY],
    ];
    for (const [headers, due] of cases) {
      const wire = await tlsFrom(own, PROXY);
      assert.equal(await seen(wire, headers), due);
      wire.end();
    }
  } finally {
    gateway = whole;
    await own.remove();
  }
});

// ---- haproxy ----

test('haproxy as a balancer, and as a reverse proxy', { timeout: 180_000 }, async () => {
  const [tcp, http] = [await freePort(), await freePort()];
  const pem = join(gateway.folder, 'both.pem');
  writeFileSync(pem, readFileSync(join(gateway.state, 'tls/cert.pem')) + readFileSync(join(gateway.state, 'tls/key.pem'), 'utf8'), { mode: 0o600 });
  chmodSync(pem, 0o600);
  const server = await haproxy(gateway.folder, `
frontend balancer
  mode tcp
  bind 127.0.0.1:${tcp}
  default_backend passed
backend passed
  mode tcp
  server gate 127.0.0.1:${gateway.port} source ${BALANCER} send-proxy-v2 proxy-v2-options crc32c,unique-id check check-send-proxy check-ssl verify none inter 200
frontend reverse
  mode http
  bind 127.0.0.1:${http} ssl crt ${pem} alpn http/1.1
  option forwardfor
  default_backend again
backend again
  mode http
  server gate 127.0.0.1:${gateway.port} source ${PROXY} ssl verify required ca-file ${join(gateway.state, 'tls/cert.pem')} sni str(localhost)
`, [tcp, http]);
  try {
    for (const [port, client] of [[tcp, '127.0.0.77'], [http, '127.0.0.78']]) {
      const wire = await tlsFrom(gateway, client, undefined, port);
      assert.equal(await seen(wire, { 'X-Forwarded-For': '198.51.100.66' }), client);
      const { ws } = await RawSocket.open(wire, '/tunnel/echo', { Authorization: `Bearer ${token}`, 'X-Forwarded-For': '198.51.100.66' });
      assert.ok(ws, 'a tunnel');
      ws.send(Buffer.from('through both'));
      assert.equal(String(await ws.read(12)), 'through both');
      const opened = gateway.audit('--event', 'tunnel-open').at(-1);
      assert.equal(opened.address, client);
      assert.equal(gateway.json('tunnel', 'list').length, 1);
      wire.end();
      await until('it has gone', () => gateway.json('tunnel', 'list').length === 0);
    }
    await sleep(700); // some health checks, by header and TLS
    assert.doesNotMatch(server.err, /is DOWN/);
  } finally {
    await stop(server);
  }
});

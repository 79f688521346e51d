// What Prometheus reads: its form, its numbers against what really happened, who may reach it.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { connect as netConnect } from 'node:net';
import { connect as tlsConnect } from 'node:tls';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Gateway } from './lib/gateway.mjs';
import { root } from './lib/proc.mjs';
import { get, parse, scrape, value } from './lib/prometheus.mjs';
import { deadPort, echoServer } from './lib/servers.mjs';
import { sleep, until } from './lib/wait.mjs';

let gateway, anna, echo, port;
let token; // hers, when a test has asked for it

before(async () => {
  echo = await echoServer();
  gateway = await Gateway.make({ conf: { metrics: { listen: '127.0.0.1:0' }, server: { cage: 'require' } } });
  port = gateway.plainPort;
  anna = gateway.addUser('anna');
  gateway.addDesktop('desk', echo.port);
  gateway.addDesktop('dead', await deadPort());
  gateway.grant(anna, 'desk');
  gateway.grant(anna, 'dead');
});

after(async () => {
  await gateway?.remove();
  await echo?.close();
});

const session = async () => (token ??= await anna.token());

// A tunnel that echoes what `bytes` are.
async function used(bytes) {
  const { ws } = await gateway.tunnel('desk', await session());
  ws.send(bytes);
  assert.deepEqual(await ws.read(bytes.length), bytes);
  return ws;
}

// Waits until a sample has this value, and returns the scrape.
async function becomes(wanted, name, labels) {
  let families;
  await until(() => `${name}${JSON.stringify(labels ?? {})} is ${wanted}, not ${value(families, name, labels)}`, async () => {
    families = await scrape(port);
    return value(families, name, labels) === wanted;
  });
  return families;
}

// Waits until these have grown by as much since `before`: [name, labels, by]. A client may hear of
// something before it is counted.
async function grow(before, ...due) {
  let grown;
  await until(() => due.map(([name, labels, by], i) => `${name}${JSON.stringify(labels ?? {})} has grown by ${grown[i]}, not ${by}`).join('\n'), async () => {
    const now = await scrape(port);
    grown = due.map(([name, labels]) => value(now, name, labels) - value(before, name, labels));
    return grown.every((by, i) => by === due[i][2]);
  });
}

test('the form is Prometheus\' own, and its reader is strict', async () => {
  const answer = await get(port);
  assert.equal(answer.status, 200);
  assert.equal(answer.headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8');
  assert.equal(answer.headers['cache-control'], 'no-store');
  const families = parse(answer.body);
  assert.equal(value(families, 'deskgate_keeper_up'), 1);
  assert.ok(Object.keys(families).every((name) => name.startsWith('deskgate_')));
  for (const bad of ['x 1\n', '# HELP x y\n# TYPE x gauge\nx 1', '# HELP x y\n# TYPE x counter\nx 1\n',
    '# HELP x y\n# TYPE x gauge\nx 1\nx 2\n', '# HELP x y\n# TYPE x gauge\nx{a="b} 1\n', '# HELP x y\n# TYPE x gauge\nx 1,5\n',
    '# HELP x y\n# TYPE x histogram\nx_bucket{le="1"} 2\nx_bucket{le="+Inf"} 1\nx_sum 1\nx_count 1\n']) {
    assert.throws(() => parse(bad), undefined, bad);
  }
});

test('nothing else is served there, and it is served nowhere else', async () => {
  for (const path of ['/', '/healthz', '/api/session', '/metrics/', '/../metrics']) assert.equal((await get(port, path)).status, 404, path);
  assert.equal((await get(port, '/metrics', { method: 'POST' })).status, 405);
  assert.equal((await get(port, '/metrics', { method: 'HEAD' })).status, 200);
  assert.equal((await gateway.http('GET', '/metrics')).status, 404);
});

test('sign-ins, by outcome', async () => {
  const before = await scrape(port);
  await anna.token();
  await anna.signIn({ password: 'not this one', code: '000000' });
  await grow(before, ['deskgate_sign_ins_total', { outcome: 'ok' }, 1], ['deskgate_sign_ins_total', { outcome: 'sign_in_refused' }, 1],
    ['deskgate_sign_in_duration_seconds_count', undefined, 2]);
  const now = await scrape(port);
  assert.ok(value(now, 'deskgate_sessions') >= 1);
  assert.equal(value(now, 'deskgate_users', { state: 'enabled' }), 1);
  assert.equal(value(now, 'deskgate_desktops'), 2);
});

test('a tunnel: live, its bytes to the byte, and why it ended', async () => {
  await session();
  const before = await scrape(port);
  const payload = Buffer.alloc(100_000, 7);
  await used(payload);
  const bytes = ['down', 'up'].map((direction) => ['deskgate_tunnel_bytes_total', { direction }, payload.length]);
  await grow(before, ...bytes, // while it lives
    ['deskgate_tunnels_opened_total', { way: 'tunnel' }, 1], ['deskgate_dials_total', { outcome: 'ok' }, 1],
    ['deskgate_http_responses_total', { code: '1xx' }, 1], ['deskgate_dial_duration_seconds_count', undefined, 1]);
  await becomes(1, 'deskgate_tunnels', { way: 'tunnel' });
  gateway.cli('tunnel', 'end', '--user', 'anna');
  await becomes(0, 'deskgate_tunnels', { way: 'tunnel' });
  await grow(before, ['deskgate_tunnels_ended_total', { why: 'tunnel-ended' }, 1], ...bytes); // counted once
});

test('a desktop that refuses', async () => {
  await session();
  const before = await scrape(port);
  assert.equal((await gateway.tunnel('dead', token)).answer.status, 502);
  await grow(before, ['deskgate_dials_total', { outcome: 'desktop_refused' }, 1],
    ['deskgate_keeper_refusals_total', { status: 'desktop_refused' }, 1], ['deskgate_http_responses_total', { code: '5xx' }, 1]);
});

test('handshakes: full, resumed, failed', async () => {
  const before = await scrape(port);
  const options = { port: gateway.port, host: '127.0.0.1', ...gateway.tlsOptions() };
  // To the first byte of an answer: the handshake is over on both sides then.
  const visit = (more) => new Promise((fulfil, fail) => {
    let ticket;
    const socket = tlsConnect({ ...options, ...more }, () => socket.write('GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n'));
    socket.on('session', (session) => { ticket = session; }).once('error', fail);
    socket.once('data', () => { fulfil({ ticket, resumed: socket.isSessionReused() }); socket.destroy(); });
  });
  const { ticket } = await visit({});
  assert.equal((await visit({ session: ticket })).resumed, true);
  const rubbish = netConnect(gateway.port, '127.0.0.1');
  rubbish.on('error', () => {});
  rubbish.end(Buffer.from([0x16, 3, 1, 0, 4, 1, 2, 3, 4]));
  await grow(before, ...['failed', 'resumed', 'full'].map((result) => ['deskgate_tls_handshakes_total', { result }, 1]));
});

test('what the processes cost, and the certificate\'s end', async () => {
  const families = await scrape(port);
  for (const process of ['gate', 'keeper']) {
    assert.ok(value(families, 'deskgate_resident_memory_bytes', { process }) > 1 << 20, process);
    assert.ok(value(families, 'deskgate_cpu_seconds_total', { process }) > 0, process);
    assert.ok(Math.abs(value(families, 'deskgate_start_time_seconds', { process }) - Date.now() / 1000) < 600, process);
  }
  assert.ok(value(families, 'deskgate_certificate_expiry_timestamp_seconds') > Date.now() / 1000);
});

test('when connections have run out, the numbers still come', async () => {
  const small = await Gateway.make({ conf: { metrics: { listen: '127.0.0.1:0' }, server: { connections: 16, connections_per_address: 16, strangers_percent: 100, handshakes_percent: 100 } } });
  const sockets = [];
  try {
    for (let i = 0; i < 20; i++) {
      const socket = netConnect(small.port, '127.0.0.1');
      socket.on('error', () => {});
      sockets.push(socket);
    }
    let families;
    await until('all are taken', async () => {
      families = await scrape(small.plainPort);
      return value(families, 'deskgate_connections') === 16 && value(families, 'deskgate_connections_refused_total') === 4;
    });
    assert.equal(value(families, 'deskgate_connections_limit'), 16);
    // Prometheus' own are bounded, too.
    const own = Array.from({ length: 30 }, () => netConnect(small.plainPort, '127.0.0.1'));
    let closed = 0;
    for (const socket of own) socket.on('error', () => {}).on('close', () => { closed++; });
    await until('those over the limit are closed', () => own.length - closed <= 16);
    await sleep(100);
    assert.ok(own.length - closed >= 14, `${closed} of ${own.length}: two of ours may be lingering`);
    for (const socket of own) socket.destroy();
    await until('there is room again', async () => {
      try {
        return (await get(small.plainPort)).status === 200;
      } catch {
        return false;
      }
    });
  } finally {
    for (const socket of sockets) socket.destroy();
    await small.remove();
  }
});

test('a crashed gate begins at nought; the keeper\'s numbers go on', async () => {
  (await used(Buffer.from('hello'))).wire.end();
  await becomes(0, 'deskgate_tunnels', { way: 'tunnel' });
  const opened = value(await scrape(port), 'deskgate_tunnels_opened_total', { way: 'tunnel' });
  assert.ok(opened > 0);
  process.kill(gateway.part('gate'), 'SIGKILL');
  await gateway.healthy();
  const families = await scrape(port);
  assert.equal(value(families, 'deskgate_tunnels_opened_total', { way: 'tunnel' }), opened);
  assert.equal(value(families, 'deskgate_sign_ins_total', { outcome: 'ok' }), 0);
});

test('an address that others reach has to be meant', async () => {
  const careless = await Gateway.make({ conf: { metrics: { listen: '0.0.0.0:0' } }, serve: false });
  try {
    await assert.rejects(careless.serve(), /others can reach/);
    careless.configure({ metrics: { any: 'yes' } });
    await careless.stop();
    await careless.serve();
    await scrape(careless.plainPort);
  } finally {
    await careless.remove();
  }
});

test('every metric that the dashboard names exists', async () => {
  const dashboard = readFileSync(join(root, 'scripts/grafana/deskgate.json'), 'utf8');
  const expressions = [];
  JSON.parse(dashboard, (key, item) => {
    if (key === 'expr' || (key === 'query' && typeof item === 'string')) expressions.push(item);
    return item;
  });
  const families = await scrape(port);
  const samples = new Map();
  for (const family of Object.values(families)) {
    for (const { name, labels } of family.samples) samples.set(name, new Set([...samples.get(name) ?? [], ...Object.keys(labels)]));
  }
  const named = new Set();
  for (const expression of expressions) {
    for (const [name] of expression.matchAll(/\bdeskgate_\w+/g)) {
      assert.ok(samples.has(name), `${name} in ${expression}`);
      named.add(name);
    }
    const [name] = /\bdeskgate_\w+/.exec(expression) ?? [];
    for (const [, list] of expression.matchAll(/\bby \(([^)]*)\)/g)) {
      for (const label of list.split(', ')) assert.ok(samples.get(name).has(label), `${label} of ${name} in ${expression}`);
    }
  }
  assert.ok(named.size >= 20, `${named.size} are named`);
});

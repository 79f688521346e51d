// Everything that must be refused, with the answer that it gets, while a canary goes on being
// served.
import assert from 'node:assert/strict';
import { request } from 'node:https';
import { after, before, test } from 'node:test';
import { Canary } from './lib/canary.mjs';
import { Gateway, PASSWORD, sanitized } from './lib/gateway.mjs';
import { deadPort, echoServer } from './lib/servers.mjs';
import { codeAt, stepNow } from './lib/totp.mjs';
import { sleep, soon, until } from './lib/wait.mjs';
import { OP, Wire, closeBody, frame } from './lib/wire.mjs';

let gateway;
let echo;
let anna;
let token;
let canary;
let origin;

before(async () => {
  gateway = await Gateway.make({
    conf: {
      server: { request_seconds: 5, handshake_seconds: 5, handshakes_per_address: 256 },
      login: { user_failures: 1000, address_failures: 100_000 },
      session: { absolute_seconds: 3600 },
    },
  });
  origin = `https://localhost:${gateway.port}`;
  echo = await echoServer();
  anna = gateway.addUser('anna');
  gateway.addDesktop('echo', echo.port);
  gateway.addDesktop('secret', echo.port);
  gateway.addDesktop('nothing', await deadPort());
  gateway.addDesktop('forbidden', echo.port, '169.254.1.1');
  gateway.addDesktop('nameless', 3389, 'no-such-host.invalid');
  for (const name of ['echo', 'nothing', 'forbidden', 'nameless']) gateway.grant(anna, name);
  token = await anna.token();
  canary = await Canary.start(gateway, 'echo', token);
});
after(async () => {
  await canary?.stop();
  await gateway?.remove();
  await echo?.close();
});

// A test during which, and after which, the canary sings.
function refused(name, run, options = {}) {
  test(name, { timeout: 180_000, ...options }, async () => {
    await run();
    await canary.heard();
    assert.ok(gateway.running());
  });
}

// The stable part of an error's answer.
function error(answer, status, code) {
  const json = answer.json ?? JSON.parse(String(answer.body));
  assert.equal(answer.status, status, JSON.stringify(json));
  assert.equal(json.error, code);
  assert.match(json.id, /^[0-9a-f]{16}$/);
  assert.ok(json.message.length > 10);
  return json;
}

// ---- signing in ----

refused('every wrong factor gets the same answer', async () => {
  const bert = gateway.addUser('bert');
  const gone = gateway.addUser('gone');
  gateway.cli('user', 'disable', 'gone');
  const attempts = {
    'wrong password': await bert.signIn({ password: 'wrong battery staple' }),
    'wrong code': await bert.signIn({ code: bert.codes.wrong() }),
    'both wrong': await bert.signIn({ password: 'x', code: '000000' }),
    'unknown user': await gateway.login({ username: 'nobody-here', password: PASSWORD, code: '123456' }),
    'disabled user': await gone.signIn(),
    'no code': await bert.signIn({ code: '' }),
    'a code from long ago': await bert.signIn({ code: codeAt(bert.secret, stepNow() - 3) }),
    'a code from the future': await bert.signIn({ code: codeAt(bert.secret, stepNow() + 3) }),
    'letters for a code': await bert.signIn({ code: 'abcdef' }),
  };
  const messages = new Set();
  for (const [name, answer] of Object.entries(attempts)) {
    const { message } = error(answer, 401, 'sign_in_refused');
    messages.add(message);
    assert.equal(answer.headers['set-cookie'], undefined, name);
    assert.deepEqual(Object.keys(answer.headers), Object.keys(attempts['wrong password'].headers), name);
  }
  assert.equal(messages.size, 1);
  assert.equal((await bert.signIn()).status, 200, 'and with the right ones it works');
});

refused('unknown and known users take the same time', async () => {
  const carl = gateway.addUser('carl');
  const middle = (list) => list.sort((a, b) => a - b)[list.length >> 1];
  const told = [];
  // A difference is there each time; one that the machine's other work makes is not.
  while (told.length < 3) {
    const took = { known: [], unknown: [] };
    for (let i = 0; i < (sanitized ? 6 : 20); i++) {
      for (const [kind, username] of [['known', 'carl'], ['unknown', `nobody${i}`]]) {
        const begun = process.hrtime.bigint();
        error(await gateway.login({ username, password: `wrong${i}`, code: carl.codes.wrong() }), 401, 'sign_in_refused');
        took[kind].push(Number(process.hrtime.bigint() - begun) / 1e6);
      }
    }
    const [known, unknown] = [middle(took.known), middle(took.unknown)];
    if (Math.abs(known - unknown) < 0.5 * Math.max(known, unknown)) return;
    told.push(`${known} ms and ${unknown} ms`);
  }
  assert.fail(told.join(', '));
});

refused('a code works once, also after a restart', async () => {
  const own = await Gateway.make();
  try {
    const dora = own.addUser('dora');
    const code = await dora.codes.next();
    assert.equal((await dora.signIn({ code })).status, 200);
    error(await dora.signIn({ code }), 401, 'sign_in_refused');
    await own.restart();
    error(await dora.signIn({ code }), 401, 'sign_in_refused');
    await own.stop({ signal: 'SIGKILL' });
    await own.serve();
    error(await dora.signIn({ code }), 401, 'sign_in_refused');
    assert.equal((await dora.signIn()).status, 200, 'the next one works');
  } finally {
    await own.remove();
  }
});

refused('the same code at the same moment lets one in', async () => {
  const emil = gateway.addUser('emil');
  const code = await emil.codes.next();
  const answers = await Promise.all(Array.from({ length: 6 }, () => emil.signIn({ code })));
  assert.equal(answers.filter((answer) => answer.status === 200).length, 1,
    answers.map((answer) => answer.status).join());
});

test('throttling: with Retry-After, and never a colleague elsewhere', { timeout: 180_000 }, async () => {
  const own = await Gateway.make();
  try {
    const frieda = own.addUser('frieda');
    const from = (localAddress, body) => new Promise((fulfil, fail) => {
      const sent = request({ host: '127.0.0.1', port: own.port, localAddress, method: 'POST', path: '/api/login', ca: own.ca,
        servername: 'localhost', agent: false, headers: { 'Content-Type': 'application/json' } }, (answer) => {
        answer.resume();
        answer.on('end', () => fulfil(answer));
      });
      sent.on('error', fail);
      sent.end(JSON.stringify(body));
    });
    const wrong = { username: 'frieda', password: 'guess', code: '000000' };
    let answer;
    let tries = 0;
    do {
      answer = await from('127.0.0.2', wrong);
      tries++;
    } while (answer.statusCode === 401 && tries < 50);
    assert.equal(answer.statusCode, 429);
    assert.ok(tries <= 8, `after ${tries} failures`);
    assert.ok(Number(answer.headers['retry-after']) >= 1);
    const right = { username: 'frieda', password: PASSWORD, code: await frieda.codes.next() };
    assert.equal((await from('127.0.0.2', right)).statusCode, 429, 'the right one is not tried either');
    assert.equal((await from('127.0.0.3', right)).statusCode, 200, 'from elsewhere she is let in');
    assert.ok(own.audit().some((row) => row.event === 'sign-in' && row.outcome === 'throttled'));
  } finally {
    await own.remove();
  }
});

refused('bodies that are no sign-in', async () => {
  const send = (body, type = 'application/json') => gateway.http('POST', '/api/login', { body, headers: { 'Content-Type': type } });
  error(await send('{}', 'text/plain'), 415, 'not_json');
  for (const body of ['', '{', '[]', '"x"', '{}', '{"username":1,"password":"x","code":"1"}', 'null',
    '{"username":"a","password":"b"}', `{"username":"${'x'.repeat(3000)}","password":"b","code":"1"}`,
    '{"username":"a\\u0000b","password":"b","code":"1"}', '[[[['.repeat(200), '\xff\xfe']) {
    const answer = await send(body);
    assert.ok([400, 401, 413].includes(answer.status), `${body.slice(0, 40)}: ${answer.status}`);
  }
  assert.equal((await send(JSON.stringify({ username: 'a', password: 'x'.repeat(1 << 20), code: '1' }))).status, 413);
});

// ---- sessions and desktops ----

refused('no session, a made-up one, and one that is over', async () => {
  const never = Buffer.alloc(32, 7).toString('base64url');
  for (const [method, path] of [['GET', '/api/session'], ['GET', '/api/desktops'], ['POST', '/api/logout']]) {
    for (const bad of [undefined, never, 'short', `${never}x`, `${token.slice(0, -1)}`]) {
      error(await gateway.http(method, path, { token: bad }), 401, 'no_session');
    }
  }
  for (const bad of [undefined, never]) {
    const { ws, answer } = await gateway.tunnel('echo', bad);
    assert.equal(ws, null);
    error(answer, 401, 'no_session');
  }
  const gustav = gateway.addUser('gustav');
  const over = await gustav.token();
  assert.equal((await gateway.http('GET', '/api/session', { token: over })).status, 200);
  assert.equal((await gateway.http('POST', '/api/logout', { token: over })).status, 200);
  error(await gateway.http('GET', '/api/session', { token: over }), 401, 'no_session');
});

test('a session that has expired, and the tunnel under it', { timeout: 180_000 }, async () => {
  const own = await Gateway.make({ conf: { session: { absolute_seconds: 6 } } });
  try {
    const user = own.addUser('hanna');
    own.addDesktop('echo', echo.port);
    own.grant(user, 'echo');
    const short = await user.token();
    const { ws } = await own.tunnel('echo', short);
    assert.equal((await own.http('GET', '/api/session', { token: short })).status, 200);
    const { code, reason } = await ws.closed(30_000);
    assert.deepEqual([code, reason], [4007, 'the time limit for this connection was reached']);
    error(await own.http('GET', '/api/session', { token: short }), 401, 'no_session');
    const again = await own.tunnel('echo', short);
    error(again.answer, 401, 'no_session');
  } finally {
    await own.remove();
  }
});

refused('desktops: unknown and not granted look alike; the others say what is the matter', async () => {
  const open = async (name) => (await gateway.tunnel(name, token)).answer;
  const unknown = error(await open('no-such-desktop'), 404, 'no_desktop');
  const secret = error(await open('secret'), 404, 'no_desktop');
  assert.equal(unknown.message, secret.message);
  error(await open('nothing'), 502, 'desktop_refused');
  error(await open('forbidden'), 502, 'desktop_address');
  error(await open('nameless'), 502, 'desktop_name');
  for (const name of ['..', '%2e%2e', 'a%2Fb', 'x'.repeat(500), '%00', '%zz', '']) {
    assert.equal((await open(name)).status, 404, name);
  }
});

refused('a foreign Origin with the cookie', async () => {
  const cookie = { Cookie: `__Host-deskgate=${token}` };
  for (const foreign of ['https://evil.example', 'null', `http://localhost:${gateway.port}`, 'https://localhost',
    `${origin}.evil.example`, `${origin}/`, undefined]) {
    const { ws, answer } = await gateway.tunnel('echo', undefined, { ...cookie, ...(foreign ? { Origin: foreign } : {}) });
    assert.equal(ws, null, foreign);
    error(answer, 403, 'foreign_origin');
    const out = await gateway.http('POST', '/api/logout', { headers: { ...cookie, ...(foreign ? { Origin: foreign } : {}) } });
    error(out, 403, 'foreign_origin');
  }
  const { ws } = await gateway.tunnel('echo', undefined, { ...cookie, Origin: origin });
  assert.ok(ws, 'our own page may');
  ws.wire.end();
});

refused('requests that are no WebSocket handshake', async () => {
  const bad = [
    [426, { Upgrade: null }], [426, { Upgrade: 'h2c' }], [426, { Connection: 'close' }],
    [426, { 'Sec-WebSocket-Version': '8' }], [426, { 'Sec-WebSocket-Version': null }],
    [400, { 'Sec-WebSocket-Key': null }], [400, { 'Sec-WebSocket-Key': 'short' }],
    [400, { 'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ=' }],
  ];
  for (const [status, headers] of bad) {
    const { ws, answer } = await gateway.tunnel('echo', token, headers);
    assert.equal(ws, null);
    error(answer, status, 'not_a_tunnel_request');
  }
  assert.equal((await gateway.http('POST', '/tunnel/echo', { token })).status, 405);
  assert.equal((await gateway.http('GET', '/nowhere')).status, 404);
  assert.equal((await gateway.http('DELETE', '/api/login')).status, 405);
});

// ---- frames ----

const CLOSES = [
  ['no mask', 1002, [{ payload: 'x', mask: false }]],
  ['a text message', 1003, [{ payload: 'hello', opcode: OP.TEXT }]],
  ['an empty text message', 1003, [{ opcode: OP.TEXT }]],
  ['an oversized ping', 1002, [{ opcode: OP.PING, payload: Buffer.alloc(126) }]],
  ['an oversized close', 1002, [{ opcode: OP.CLOSE, payload: closeBody(1000, 'x'.repeat(124)) }]],
  ['a ping that claims 64 KiB', 1002, [{ opcode: OP.PING, length: 65_536 }]],
  ['a fragmented ping', 1002, [{ opcode: OP.PING, fin: false }]],
  ['reserved bit 1', 1002, [{ rsv: 4, payload: 'x' }]],
  ['reserved bit 2', 1002, [{ rsv: 2, payload: 'x' }]],
  ['reserved bit 3', 1002, [{ rsv: 1, payload: 'x' }]],
  ['a reserved data opcode', 1002, [{ opcode: 3 }]],
  ['a reserved control opcode', 1002, [{ opcode: 11 }]],
  ['a continuation of nothing', 1002, [{ opcode: OP.MORE, payload: 'x' }]],
  ['a message within a message', 1002, [{ fin: false, payload: 'x' }, { payload: 'y' }]],
  ['a length with the highest bit', 1002, [{ raw: Buffer.from('82ff800000000000000000000000', 'hex') }]],
  ['a small length in 16 bits', 1002, [{ payload: 'x', form: 16 }]],
  ['a small length in 64 bits', 1002, [{ payload: 'x', form: 64 }]],
  ['a close of one byte', 1002, [{ opcode: OP.CLOSE, payload: 'x' }]],
  ['a close with 1005', 1002, [{ opcode: OP.CLOSE, payload: closeBody(1005) }]],
  ['a close with 1006', 1002, [{ opcode: OP.CLOSE, payload: closeBody(1006) }]],
  ['a close with 999', 1002, [{ opcode: OP.CLOSE, payload: closeBody(999) }]],
  ['a close with 5000', 1002, [{ opcode: OP.CLOSE, payload: closeBody(5000) }]],
  ['a close whose reason is not UTF-8', 1007, [{ opcode: OP.CLOSE, payload: Buffer.from('03e8ff', 'hex') }]],
];

refused('frames against the rules', async () => {
  for (const [name, code, frames] of CLOSES) {
    const { ws } = await gateway.tunnel('echo', token);
    for (const one of frames) ws.wire.send(one.raw ?? frame(one));
    const closed = await ws.closed().catch((late) => assert.fail(`${name}: ${late.message}`));
    assert.equal(closed.code, code, `${name}: ${closed.code} ${closed.reason}`);
    assert.equal(await ws.next(), null, `${name}: the connection ends`);
    ws.wire.end();
  }
  await until('the tunnels are gone, the canary\'s excepted', () => gateway.json('tunnel', 'list').length === 1);
});

refused('what came before a bad frame still arrives', async () => {
  const { ws } = await gateway.tunnel('echo', token);
  ws.send(Buffer.from('good'));
  assert.equal(String(await ws.read(4)), 'good');
  ws.wire.send(Buffer.concat([frame({ payload: 'more' }), frame({ opcode: 3 })]));
  assert.equal((await ws.closed()).code, 1002);
  ws.wire.end();
});

// ---- below HTTP ----

refused('a header of 1 MiB', async () => {
  const wire = await gateway.wire();
  wire.send(`GET / HTTP/1.1\r\nHost: localhost\r\nX-Long: ${'a'.repeat(1 << 20)}\r\n\r\n`);
  const answer = await wire.answer();
  assert.ok([431, 413, 400].includes(answer.status), `${answer.status}`);
  await wire.rest();
  wire.end();
});

refused('a path of 1 MiB, and a thousand headers', async () => {
  for (const head of [`GET /${'a'.repeat(1 << 20)} HTTP/1.1\r\nHost: x\r\n\r\n`,
    `GET / HTTP/1.1\r\nHost: x\r\n${Array.from({ length: 5000 }, (_, i) => `X-${i}: ${i}\r\n`).join('')}\r\n`]) {
    const wire = await gateway.wire();
    wire.send(head);
    const answer = await wire.answer();
    assert.ok(answer.status >= 400 && answer.status < 500, `${answer.status}`);
    await wire.rest();
    wire.end();
  }
});

refused('a header that comes one byte at a time', async () => {
  const wire = await gateway.wire();
  const text = `GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Slow: ${'a'.repeat(1000)}`;
  const drip = (async () => {
    for (const letter of text) {
      if (wire.over || wire.buffer.length) break;
      wire.send(letter);
      await sleep(50);
    }
  })();
  const answer = await soon(11_000, 'request_seconds and a bit', wire.answer(30_000));
  assert.equal(answer.status, 408);
  await Promise.all([drip, wire.rest()]);
  wire.end();
});

refused('a body that never comes', async () => {
  const wire = await gateway.wire();
  wire.send('POST /api/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{');
  assert.equal((await wire.answer()).status, 408);
  wire.end();
});

refused('two lengths, a length beside chunks, and other roads to smuggling', async () => {
  const heads = [
    'POST /api/login HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello',
    'POST /api/login HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n',
    'POST /api/login HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n',
    'POST /api/login HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nZZZ\r\n',
    'GET / HTTP/1.1\r\n\r\n',
    'GET / HTTP/9.9\r\nHost: x\r\n\r\n',
    'GET  /  HTTP/1.1\r\nHost: x\r\n\r\n',
    '\0\0\0\0\r\n\r\n',
  ];
  for (const head of heads) {
    const wire = await gateway.wire();
    wire.send(head);
    const answer = await wire.answer();
    assert.ok(answer === null || answer.status >= 400, `${JSON.stringify(head)}: ${answer?.status}`);
    wire.end();
  }
});

refused('HTTP without TLS on the TLS port', async () => {
  const wire = await Wire.tcp(gateway.port);
  wire.send('GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n');
  const answer = await wire.answer();
  assert.equal(answer.status, 400);
  assert.match(String(answer.body), new RegExp(`HTTPS only.*${origin}/`));
  assert.doesNotMatch(String(answer.body), /evil/);
  await wire.rest();
});

refused('TLS without HTTP: silence, and rubbish', async () => {
  const silent = await gateway.wire();
  const rubbish = await gateway.wire();
  rubbish.send(Buffer.from(`\x03\x00\x00\x13\x0e\xe0${'\0'.repeat(500)}`, 'latin1')); // RDP's first words
  await soon(11_000, 'the end', Promise.all([silent.rest(30_000), rubbish.rest(30_000)]));
  silent.end();
  rubbish.end();
});

refused('TCP without TLS: silence, rubbish, and half a handshake', async () => {
  const wires = await Promise.all(['', 'SSH-2.0-nmap\r\n', '\x16\x03\x01\x02\x00\x01', '\x80\x80\x01\x03\x01', '\0'.repeat(4096)]
    .map(async (bytes) => {
      const wire = await Wire.tcp(gateway.port);
      if (bytes) wire.send(Buffer.from(bytes, 'latin1'));
      return wire;
    }));
  await soon(11_000, 'the end', Promise.all(wires.map((wire) => wire.rest(30_000))));
});

refused('old TLS, weak ciphers, and protocols that are not spoken', async () => {
  const fails = async (options) => assert.rejects(gateway.wire(options), undefined, JSON.stringify(options));
  await fails({ minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' });
  await fails({ maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-SHA256' }); // CBC
  await fails({ maxVersion: 'TLSv1.2', ciphers: 'AES128-GCM-SHA256' }); // no forward secrecy
  for (const maxVersion of ['TLSv1.2', 'TLSv1.3']) {
    const wire = await gateway.wire({ maxVersion });
    assert.equal(wire.socket.getProtocol(), maxVersion);
    assert.match(wire.socket.getCipher().name, /GCM|CHACHA20/);
    assert.equal(wire.socket.alpnProtocol, 'http/1.1');
    wire.end();
  }
});

refused('two hundred connections that do nothing', async () => {
  const idle = await Promise.all(Array.from({ length: 200 }, () => Wire.tcp(gateway.port)));
  await canary.heard();
  assert.equal((await gateway.http('GET', '/healthz', { fresh: true })).status, 200);
  for (const wire of idle) wire.end();
});

// ---- afterwards ----

test('no secret stands in a log, and the canary never waited long', async (t) => {
  const audit = JSON.stringify(gateway.audit('--last', '1000'));
  for (const secret of [PASSWORD, token, anna.secret]) {
    assert.ok(!gateway.log.includes(secret));
    assert.ok(!audit.includes(secret));
  }
  assert.doesNotMatch(gateway.log, /Sanitizer|runtime error/);
  t.diagnostic(`the canary sang ${canary.beats} times and waited ${canary.slowest} ms at most`);
});

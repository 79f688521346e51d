// The tunnel as an independent WebSocket client sees it: npm's ws with cookie and with bearer token,
// and frames made by hand for what ws does not do. Bytes must arrive unchanged, whatever their
// number and however they are cut.
import assert from 'node:assert/strict';
import { randomBytes, randomInt } from 'node:crypto';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import WebSocket from 'ws';
import { Gateway } from './lib/gateway.mjs';
import { echoServer, tcpServer } from './lib/servers.mjs';
import { sleep, until } from './lib/wait.mjs';
import { OP, RawSocket, closeBody, frame } from './lib/wire.mjs';

let gateway;
let token;
let echo;
const servers = [];

before(async () => {
  gateway = await Gateway.make();
  const user = gateway.addUser('anna');
  echo = await echoServer();
  gateway.addDesktop('echo', echo.port);
  gateway.grant(user, 'echo');
  token = await user.token();
});
after(async () => {
  await gateway?.remove();
  await echo?.close();
  for (const server of servers) await server.close();
});

// A desktop that does as `serve` says, under its own name.
async function desktop(name, serve, options) {
  const server = await tcpServer(serve, options);
  servers.push(server);
  gateway.addDesktop(name, server.port);
  gateway.grant('anna', name);
  return server;
}

const WAYS = {
  bearer: () => ({ headers: { Authorization: `Bearer ${token}` } }),
  cookie: () => ({
    headers: { Cookie: `other=1; __Host-deskgate=${token}` },
    origin: `https://localhost:${gateway.port}`,
  }),
};

async function open(way, name = 'echo', options = {}) {
  const ws = new WebSocket(`wss://localhost:${gateway.port}/tunnel/${name}`,
    { ca: gateway.ca, lookup: (host, opts, done) => (opts.all ? done(null, [{ address: '127.0.0.1', family: 4 }]) : done(null, '127.0.0.1', 4)), ...WAYS[way](), ...options });
  ws.pieces = [];
  ws.size = 0;
  ws.on('message', (data, isBinary) => {
    assert.ok(isBinary, 'only binary messages come out of a tunnel');
    ws.pieces.push(data);
    ws.size += data.length;
  });
  await once(ws, 'open');
  return ws;
}

async function shut(ws) {
  const closed = once(ws, 'close');
  ws.close(1000);
  const [code] = await closed;
  assert.equal(code, 1000);
}

// Sends `data` as one message in the given pieces and reads all of it back.
async function roundTrip(ws, data, cuts = []) {
  ws.pieces = [];
  ws.size = 0;
  let from = 0;
  for (const cut of [...cuts, data.length]) {
    ws.send(data.subarray(from, cut), { binary: true, fin: cut === data.length });
    from = cut;
    if (cut !== data.length && randomInt(4) === 0) ws.ping(randomBytes(randomInt(126)));
  }
  await until(() => `${data.length} bytes come back, have ${ws.size}`, () => ws.size >= data.length, { ms: 30_000, every: 2 });
  assert.ok(Buffer.concat(ws.pieces).equals(data), `${data.length} bytes came back changed`);
}

for (const way of Object.keys(WAYS)) {
  test(`${way}: sizes from 0 to 16 MiB`, { timeout: 300_000 }, async () => {
    const ws = await open(way);
    assert.equal(ws.extensions, '', 'compression is declined');
    assert.equal(ws.protocol, '');
    const sizes = [0, 1, 2, 124, 125, 126, 127, 128, 1023, 1024, 16_383, 16_384, 16_385, 65_535, 65_536,
      65_537, 262_143, 262_145, 1 << 20, (1 << 24) - 1, 1 << 24];
    for (let i = 0; i < 12; i++) sizes.push(randomInt(1 << randomInt(1, 24)));
    for (const size of sizes) await roundTrip(ws, randomBytes(size));
    await shut(ws);
  });

  test(`${way}: random fragments with pings between them`, { timeout: 300_000 }, async () => {
    const ws = await open(way);
    let pongs = 0;
    ws.on('pong', () => { pongs++; });
    for (let i = 0; i < 30; i++) {
      const data = randomBytes(randomInt(1 << randomInt(4, 21)));
      const cuts = Array.from({ length: randomInt(1, 40) }, () => randomInt(data.length + 1)).sort((a, b) => a - b);
      await roundTrip(ws, data, cuts.filter((cut) => cut < data.length));
    }
    ws.ping('still there');
    await until('a pong', () => pongs > 0);
    await shut(ws);
  });
}

test('every fragmentation of one message, with and without empty fragments', { timeout: 180_000 }, async () => {
  const { ws } = await gateway.tunnel('echo', token);
  const size = 9;
  for (let cuts = 0; cuts < 1 << (size - 1); cuts++) {
    const data = randomBytes(size);
    const pieces = [];
    let from = 0;
    for (let i = 1; i <= size; i++) {
      if (i < size && !(cuts & (1 << (i - 1)))) continue;
      pieces.push(data.subarray(from, i));
      from = i;
      if (cuts % 5 === 0) pieces.push(Buffer.alloc(0));
    }
    const frames = pieces.map((payload, i) => frame({
      payload, opcode: i === 0 ? OP.BINARY : OP.MORE, fin: i === pieces.length - 1,
    }));
    ws.wire.send(Buffer.concat(frames));
    const back = await ws.read(size);
    assert.deepEqual(back, data);
  }
  ws.wire.end();
});

test('frames that arrive one byte at a time', { timeout: 180_000 }, async () => {
  const { ws } = await gateway.tunnel('echo', token);
  const data = randomBytes(200);
  const wire = Buffer.concat([
    frame({ payload: data.subarray(0, 3), fin: false }),
    frame({ opcode: OP.PING, payload: Buffer.from('p') }),
    frame({ opcode: OP.MORE, payload: data.subarray(3) }),
  ]);
  for (const byte of wire) {
    ws.wire.send(Buffer.from([byte]));
    await sleep(1);
  }
  assert.deepEqual(await ws.read(data.length), data);
  assert.deepEqual(ws.pongs.map(String), ['p']);
  ws.wire.end();
});

test('bytes sent in the same packet as the request are not lost', async () => {
  const wire = await gateway.wire();
  const data = randomBytes(300_000);
  const early = [];
  for (let at = 0; at < data.length; at += 10_000) early.push(frame({ payload: data.subarray(at, at + 10_000) }));
  wire.send(Buffer.concat([Buffer.from(`GET /tunnel/echo HTTP/1.1\r\nHost: localhost:${gateway.port}\r\n` +
    'Upgrade: websocket\r\nConnection: keep-alive, Upgrade\r\nSec-WebSocket-Version: 13\r\n' +
    `Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nAuthorization: Bearer ${token}\r\n\r\n`), ...early]));
  const answer = await wire.answer();
  assert.equal(answer.status, 101);
  assert.equal(answer.headers['sec-websocket-accept'], 's3pPLMBiTxaQ9kYGzzhZRbK+xOo='); // RFC 6455 section 1.3
  const back = await new RawSocket(wire).read(data.length);
  assert.ok(back?.equals(data));
  wire.end();
});

test('the desktop ends: all it said arrives, then a polite close', async () => {
  const said = randomBytes(3 << 20);
  await desktop('talker', (socket) => socket.end(said));
  const ws = await open('bearer', 'talker');
  const [code, reason] = await once(ws, 'close');
  assert.ok(Buffer.concat(ws.pieces).equals(said));
  assert.equal(code, 1000, reason.toString());
});

test('the client closes: all it said arrives, then the desktop sees the end', async () => {
  let heard = Buffer.alloc(0);
  let ended = false;
  await desktop('listener', (socket) => {
    socket.on('data', (piece) => { heard = Buffer.concat([heard, piece]); });
    socket.on('end', () => { ended = true; });
  });
  const said = randomBytes(2 << 20);
  const ws = await open('bearer', 'listener');
  ws.send(said);
  await shut(ws);
  await until('the desktop sees the end', () => ended);
  assert.ok(heard.equals(said));
});

test('the desktop breaks: the client is told', async () => {
  await desktop('breaker', (socket) => socket.once('data', () => socket.resetAndDestroy()));
  const ws = await open('bearer', 'breaker');
  ws.send(Buffer.alloc(10));
  const [code] = await once(ws, 'close');
  assert.ok([1000, 1001, 1011, 1014].includes(code), `close code ${code}`);
});

test('the client\'s close code is answered with the same', async () => {
  for (const [code, reason] of [[1000, ''], [1001, 'going away'], [4999, 'ünïcode']]) {
    const { ws } = await gateway.tunnel('echo', token);
    ws.send(closeBody(code, reason), { opcode: OP.CLOSE });
    assert.equal((await ws.closed()).code, code);
    assert.equal(await ws.next(), null, 'nothing comes after the close frame');
  }
});

test('pings are answered while the desktop takes nothing', { timeout: 180_000 }, async () => {
  await desktop('deaf', (socket) => socket.pause());
  const { ws } = await gateway.tunnel('deaf', token);
  ws.send(Buffer.from('a little'));
  ws.send(Buffer.from('beat'), { opcode: OP.PING });
  const pong = await ws.next();
  assert.deepEqual([pong.opcode, pong.payload.toString()], [OP.PONG, 'beat']);
  ws.wire.end();
});

test('many tunnels at once do not mix', { timeout: 180_000 }, async () => {
  const tunnels = [];
  while (tunnels.length < 24) { // one session may have eight dials under way
    tunnels.push(...await Promise.all(['bearer', 'cookie', 'bearer', 'cookie'].map((way) => open(way))));
  }
  await Promise.all(tunnels.map(async (ws) => {
    for (let i = 0; i < 5; i++) await roundTrip(ws, randomBytes(randomInt(200_000)));
  }));
  await until('they are all there is', () => gateway.json('tunnel', 'list').length === tunnels.length); // those of the tests before end
  await Promise.all(tunnels.map(shut));
  await until('no tunnel is left', () => gateway.json('tunnel', 'list').length === 0);
});

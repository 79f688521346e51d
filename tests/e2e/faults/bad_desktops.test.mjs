// Desktops that hang, refuse, break in the middle, talk without end, or close half: by each way in.
// The person is told why, the audit log says the same, the gate's memory stays bounded, and whoever
// works elsewhere notices nothing.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { after, before, test } from 'node:test';
import { CONFIRM_TLS, rdpServer, visitOver } from '../lib/cleanpath.mjs';
import { House } from '../lib/fault_house.mjs';
import { sanitized } from '../lib/gateway.mjs';
import { start, stop } from '../lib/proc.mjs';
import { LegacyRdg, TYPE, WebSocketRdg, data } from '../lib/rdg.mjs';
import { deadPort, deafServer, floodProcess, tcpServer } from '../lib/servers.mjs';
import { soon, until } from '../lib/wait.mjs';
import { OP } from '../lib/wire.mjs';

const LOST = { code: 1011, reason: 'the connection to the desktop was lost' };
const GONE = { code: 1000, reason: 'the desktop closed the connection' };
const ABORTED = 0x4d4; // the codes of [MS-TSGU] section 2.2.6 in close packets
const GRACEFUL = 0x4ca;
const PER_TUNNEL_KIB = 1024; // of the gate's memory, for one that nobody reads; TLS towards the desktop included

let house, gateway, token;

before(async () => {
  house = await House.open({
    conf: { dial: { seconds: 2, lost_seconds: 3, allow: 'private, loopback' }, tunnel: { ping_seconds: 2 } },
    desktops: { flood: floodProcess, browser: rdpServer },
  });
  ({ gateway, token } = house);
});
after(() => house?.close());

// Listens, and nobody accepts: its queue is full, so the kernel answers no SYN any more.
async function fullQueue() {
  const process = start('python3', ['-u', '-c', 'import socket,time\ns=socket.socket()\ns.bind(("127.0.0.1",0))\n' +
    's.listen(0)\nprint(s.getsockname()[1])\ntime.sleep(600)\n']);
  await until('it listens', () => process.out.endsWith('\n'));
  const port = Number(process.out);
  const waiting = Array.from({ length: 4 }, () => connect({ port, host: '127.0.0.1' }).on('error', () => {}));
  await until('its queue is full', () => waiting.filter((one) => !one.connecting).length >= 1 && waiting.some((one) => one.connecting));
  return { port, close: async () => {
    for (const one of waiting) one.destroy();
    await stop(process);
  } };
}

// The status in the close packet that an RD Gateway client gets; data before it is counted.
async function farewell(client) {
  for (;;) {
    const got = await client.read(20_000);
    assert.ok(got, 'a close packet comes first');
    if (got.type === TYPE.CLOSE) return got.body.readUInt32LE(0);
  }
}

const outcomes = (from, name) => gateway.audit('--event', 'tunnel-open', '--last', '1000')
  .filter((row) => row.id > from && row.desktop === name).map((row) => row.outcome);

test('one that refuses, and one whose queue is full', { timeout: 180_000 }, async () => {
  house.add('nobody', await deadPort());
  await house.desktop('frozen', fullQueue());
  const from = house.lastRow();
  const words = async (name) => {
    const { answer, wire } = await gateway.tunnel(name, token);
    wire.end();
    return JSON.parse(answer.body).error;
  };
  // Not waited for longer than [dial] seconds, and a bit.
  const [refused, refusedRdg, ...hung] = await soon(10_000, 'all answers', Promise.all([words('nobody'), house.rdg(WebSocketRdg, 'nobody'),
    ...Array.from({ length: 4 }, () => words('frozen'))]));
  assert.equal(refused, 'desktop_refused');
  assert.notEqual(refusedRdg.status, 0);
  refusedRdg.client.drop();
  assert.deepEqual(hung, Array(4).fill('desktop_asleep'));
  assert.deepEqual(outcomes(from, 'nobody'), ['refused', 'refused']);
  assert.deepEqual(outcomes(from, 'frozen'), Array(4).fill('asleep'));
  await house.books.enter();
  await house.settled(from, {});
});

test('those that break', { timeout: 180_000 }, async () => {
  const from = house.lastRow();
  const reset = (socket) => socket.resetAndDestroy();
  const said = randomBytes(2 << 20);
  const silent = await house.desktop('silent', tcpServer(() => {}));
  await house.desktop('at-a-word', tcpServer((socket) => socket.once('data', () => reset(socket))));
  await house.desktop('taking', tcpServer((socket) => {
    let had = 0;
    socket.on('data', (piece) => {
      had += piece.length;
      if (had > 500_000) reset(socket);
    });
  }));
  // The first half arrives; it goes on when the client has it.
  await house.desktop('talking', tcpServer((socket) => {
    socket.write(said);
    socket.once('data', () => reset(socket));
  }));
  const raw = async (name, then = () => {}) => {
    const { ws, answer } = await gateway.tunnel(name, token);
    assert.ok(ws, String(answer?.body));
    await then(ws);
    assert.deepEqual(await ws.stay(), LOST, name);
    ws.wire.end();
  };
  const byRdg = async (Way, name, then = () => {}) => {
    const { client, status } = await house.rdg(Way, name);
    assert.equal(status, 0);
    await then(client);
    assert.equal(await farewell(client), ABORTED, `${Way.kind}, ${name}`);
    client.drop();
  };
  // Sooner, and it would be one that refuses. A connection that stands is not always taken yet.
  let open = 0;
  const breaks = async () => {
    if (++open < 3) return;
    await until('the three are taken', () => silent.connections.size === 3);
    for (const socket of silent.connections) reset(socket);
  };
  await Promise.all([
    raw('silent', async (ws) => {
      ws.send('', { opcode: OP.PING }); // the answer's head may be there before the tunnel is
      while ((await ws.next()).opcode !== OP.PONG);
      await breaks();
    }),
    raw('at-a-word', (ws) => ws.send(Buffer.from('x'))),
    raw('taking', (ws) => ws.send(Buffer.alloc(1 << 20))),
    raw('talking', async (ws) => {
      assert.ok((await ws.read(said.length)).equals(said));
      ws.send(Buffer.from('x'));
    }),
    ...[WebSocketRdg, LegacyRdg].flatMap((Way) => [
      byRdg(Way, 'silent', breaks),
      byRdg(Way, 'at-a-word', (client) => client.send(data(Buffer.from('x')))),
    ]),
  ]);
  await house.settled(from, { 'desktop-lost': 8 });
});

test('those that break while the browser\'s way in is made', { timeout: 180_000 }, async () => {
  const from = house.lastRow();
  const reset = (socket) => socket.resetAndDestroy();
  await house.desktop('no-x224', rdpServer({ confirm: reset }));
  await house.desktop('no-tls', rdpServer({ confirm: (socket) => {
    socket.write(CONFIRM_TLS);
    socket.once('data', () => reset(socket));
  } }));
  const later = await house.desktop('later', rdpServer());
  for (const [name, reason] of [['no-x224', 'desktop-lost'], ['no-tls', 'desktop-tls']]) {
    const { answer, ws, number } = await house.browse(name);
    assert.ok(answer.error, name);
    await ws.stay();
    ws.wire.end();
    assert.equal((await visitOver(gateway, token, number)).reason, reason, name);
  }
  const { ws, number, answer } = await house.browse('later');
  assert.ok(answer.x224);
  for (const socket of later.connections) reset(socket);
  assert.deepEqual(await ws.stay(), LOST);
  ws.wire.end();
  assert.equal((await visitOver(gateway, token, number)).reason, 'desktop-lost');
  await house.settled(from, { 'desktop-lost': 2, 'desktop-tls': 1 });
});

test('one that takes nothing: lost after lost_seconds', { timeout: 180_000 }, async () => {
  const from = house.lastRow();
  await house.desktop('deaf', deafServer());
  const { ws } = await gateway.tunnel('deaf', token);
  const { client } = await house.rdg(WebSocketRdg, 'deaf');
  const piece = Buffer.alloc(60_000);
  const begun = Date.now();
  for (let i = 0; i < 300; i++) {
    ws.send(piece);
    client.send(data(piece));
  }
  assert.deepEqual(await ws.stay(), LOST);
  assert.ok(Date.now() - begun > 2_000, 'not at once');
  assert.equal(await farewell(client), ABORTED);
  ws.wire.end();
  client.drop();
  await house.settled(from, { 'desktop-lost': 2 });
});

test('those that talk without end, to clients that take nothing', { timeout: 180_000 }, async (t) => {
  const from = house.lastRow();
  const wires = [];
  const deaf = (wire) => { // at once: a flood that is taken meanwhile keeps the canary's process busy
    wire.socket.pause();
    wires.push(wire);
  };
  for (let i = 0; i < 3; i++) {
    deaf((await gateway.tunnel('flood', token)).ws.wire);
    for (const Way of [WebSocketRdg, LegacyRdg]) deaf((await house.rdg(Way, 'flood')).client.wire);
  }
  const talk = Buffer.alloc(1 << 20); // the browser's desktop echoes
  for (let i = 0; i < 2; i++) {
    const { ws } = await house.browse('browser');
    deaf(ws.wire);
    for (let k = 0; k < 12; k++) ws.send(talk);
  }
  let most = 0;
  const end = Date.now() + 1_000;
  await until('it has gone on', () => {
    most = Math.max(most, house.steady.grown());
    return Date.now() > end;
  }, { every: 50 });
  t.diagnostic(`${(most / wires.length).toFixed(0)} KiB of the gate's memory per tunnel`);
  assert.ok(sanitized || most < wires.length * PER_TUNNEL_KIB, `${most} KiB`);
  await house.books.enter();
  await house.canary.heard();
  // Who takes nothing answers no ping either, or its machine takes none.
  await house.settled(from, { 'client-lost': wires.length });
  for (const wire of wires) wire.end();
});

test('those that say goodbye in one direction', { timeout: 180_000 }, async () => {
  const from = house.lastRow();
  const said = randomBytes(300_000);
  const heard = [];
  const half = await house.desktop('half', tcpServer((socket) => {
    socket.on('data', (piece) => heard.push(piece));
    socket.end(said);
  }, { allowHalfOpen: true }));
  const { ws } = await gateway.tunnel('half', token);
  assert.ok((await ws.read(said.length)).equals(said));
  assert.deepEqual(await ws.stay(), GONE);
  ws.wire.end();
  for (const Way of [WebSocketRdg, LegacyRdg]) {
    const { client } = await house.rdg(Way, 'half');
    assert.ok((await client.take(said.length)).equals(said));
    assert.equal(await farewell(client), GRACEFUL);
    client.drop();
  }
  await house.ended(from, { desktop: 3 });
  await until('its own half has ended, too', () => half.connections.size === 0);
  await house.settled(from, { desktop: 3 });
});

test('afterwards', (t) => house.whole(t));

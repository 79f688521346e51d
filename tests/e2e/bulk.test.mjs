// A gibibyte each way at once through one tunnel, with readers that stall and dawdle: nothing is
// lost or changed, and the gate's memory stays bounded, because it stops reading one side while the
// other does not take.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, test } from 'node:test';
import { Gateway, sanitized } from './lib/gateway.mjs';
import { status } from './lib/proc.mjs';
import { tcpServer } from './lib/servers.mjs';
import { sleep, until } from './lib/wait.mjs';
import { frame } from './lib/wire.mjs';

const MIB = 1 << 20;
const TOTAL = (sanitized ? 64 : 1024) * MIB;
const STALL_MS = 2_000;
const SLOW = TOTAL / 8; // so much is read slowly, and the rest as fast as it comes
const BOUND_KIB = 16 * 1024; // above what the gate takes at rest; a backlog is 320 KiB a direction

let gateway;
let user;
const servers = [];

// Each test has a gate of its own, whose memory nothing else has had.
beforeEach(async () => {
  gateway = await Gateway.make();
  user = gateway.addUser('anna');
});
afterEach(async () => {
  await gateway?.remove();
  for (const server of servers.splice(0)) await server.close();
});

async function desktop(name, serve) {
  const server = await tcpServer(serve);
  servers.push(server);
  gateway.addDesktop(name, server.port);
  gateway.grant(user, name);
}

// An endless stream that repeats; comparing costs little, and a lost, doubled or swapped byte shows.
class Pattern {
  constructor() {
    const once = randomBytes(MIB - 7); // no multiple of any buffer's size
    this.size = once.length;
    this.data = Buffer.concat([once, once, once]);
    this.at = 0;
  }

  // The next bytes, as one piece of the given size (at most MIB).
  take(size) {
    const piece = this.data.subarray(this.at, this.at + size);
    this.at = (this.at + size) % this.size;
    return piece;
  }

  matches(bytes) {
    for (let from = 0; from < bytes.length; from += MIB) {
      const piece = bytes.subarray(from, from + MIB);
      if (!piece.equals(this.take(piece.length))) return false;
    }
    return true;
  }
}

// Writes TOTAL bytes of pieces as the socket takes them.
async function pour(socket, next, progress) {
  for (let left = TOTAL; left > 0;) {
    const size = Math.min(left, 256 * 1024);
    left -= size;
    progress.sent += size;
    if (!socket.write(next(size))) {
      await new Promise((fulfil) => { socket.once('drain', fulfil); });
    }
  }
}

// Takes payload out of unmasked frames that come in any cut; calls payload(bytes).
function unframe(payload) {
  let rest = Buffer.alloc(0);
  let left = 0;
  return (piece) => {
    let data = rest.length ? Buffer.concat([rest, piece]) : piece;
    rest = Buffer.alloc(0);
    while (data.length) {
      if (left === 0) {
        const short = data.length < 2 ? 2 : { 126: 4, 127: 10 }[data[1] & 127] ?? 2;
        if (data.length < short) {
          rest = data;
          return;
        }
        assert.ok([0x82, 0x89].includes(data[0]), `frame byte ${data[0]}`);
        left = short === 2 ? data[1] : short === 4 ? data.readUInt16BE(2) : Number(data.readBigUInt64BE(2));
        data = data.subarray(short);
      }
      const part = data.subarray(0, left);
      payload(part);
      left -= part.length;
      data = data.subarray(part.length);
    }
  };
}

// Reads: nothing until what it answers with is called, then slowly, then as fast as it comes.
function dawdle(socket, take) {
  let got = 0;
  let sincePause = 0;
  socket.pause();
  socket.on('data', (piece) => {
    take(piece);
    got += piece.length;
    sincePause += piece.length;
    if (got < SLOW && sincePause > 2 * MIB) {
      sincePause = 0;
      socket.pause();
      setTimeout(() => socket.resume(), 20);
    }
  });
  return () => socket.resume();
}

test('both ways at once, with slow readers', { timeout: 400_000 }, async (t) => {
  const up = { sent: 0, received: 0, sender: new Pattern() };
  const down = { sent: 0, received: 0, sender: new Pattern() };
  for (const way of [up, down]) {
    way.expected = Object.assign(Object.create(Pattern.prototype), way.sender);
    way.check = (bytes) => {
      assert.ok(way.expected.matches(bytes), `changed near byte ${way.received}`);
      way.received += bytes.length;
    };
  }
  const begin = []; // of both readers
  await desktop('bulk', (socket) => {
    begin.push(dawdle(socket, up.check));
    pour(socket, (size) => down.sender.take(size), down);
  });

  const token = await user.token();
  const gate = gateway.part('gate');
  const rest = status(gate, 'VmRSS');
  const { ws } = await gateway.tunnel('bulk', token);
  const { socket } = ws.wire;
  const begun = Date.now();
  socket.removeAllListeners('data');
  const unframed = unframe(down.check);
  if (ws.wire.buffer.length) unframed(ws.wire.buffer);
  begin.push(dawdle(socket, unframed));
  // Masked once for each place in the pattern: the client's work is not what is measured.
  const frames = new Map();
  const pouring = pour(socket, (size) => {
    const key = `${up.sender.at} ${size}`;
    const payload = up.sender.take(size);
    if (frames.size < 64 && !frames.has(key)) frames.set(key, frame({ payload }));
    return frames.get(key) ?? frame({ payload, mask: Buffer.alloc(4) });
  }, up);

  await sleep(STALL_MS);
  const stuck = { up: up.sent, down: down.sent };
  t.diagnostic(`while nobody read, ${(stuck.up / MIB).toFixed(1)} and ${(stuck.down / MIB).toFixed(1)} MiB went into buffers`);
  assert.ok(stuck.up < 64 * MIB && stuck.down < 64 * MIB, 'senders are held back');
  assert.ok(status(gate, 'VmRSS') - rest < BOUND_KIB);
  for (const reader of begin) reader();

  await pouring;
  await until(() => `all bytes arrive: ${up.received} up, ${down.received} down`,
    () => up.received === TOTAL && down.received === TOTAL, { ms: 300_000, every: 50 });
  const seconds = (Date.now() - begun - STALL_MS) / 1000;
  const peak = status(gate, 'VmHWM');
  t.diagnostic(`${TOTAL / MIB} MiB each way in ${seconds.toFixed(1)} s; the gate's memory: ` +
    `${rest} KiB at rest, ${peak} KiB at its peak`);
  assert.ok(peak - rest < BOUND_KIB, `${peak - rest} KiB above rest`);
  ws.wire.end();
  await until('the tunnel is gone', () => gateway.json('tunnel', 'list').length === 0);
});

test('a hundred tunnels that nobody reads', { timeout: 120_000, skip: sanitized }, async (t) => {
  const count = 100;
  const flood = Buffer.alloc(MIB, 'x');
  await desktop('flood', (socket) => {
    socket.pause();
    const push = () => { while (!socket.destroyed && socket.write(flood)); };
    socket.on('drain', push);
    push();
  });
  const token = await user.token();
  const gate = gateway.part('gate');
  const rest = status(gate, 'VmRSS');
  const tunnels = await gateway.tunnels('flood', token, count, { paused: true });
  const framed = frame({ payload: flood });
  for (const { ws } of tunnels) {
    for (let i = 0; i < 16; i++) ws.wire.send(framed);
  }
  await sleep(3_000);
  const full = status(gate, 'VmRSS');
  t.diagnostic(`${((full - rest) / count).toFixed(0)} KiB of the gate's memory per stuck tunnel`);
  assert.ok(full - rest < count * 2 * 400, `${full - rest} KiB`);
  assert.equal((await gateway.http('GET', '/healthz', { fresh: true })).status, 200);
  for (const { wire } of tunnels) wire.end();
  await until('the tunnels are gone', () => gateway.json('tunnel', 'list').length === 0);
});

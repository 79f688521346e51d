// The way between the tunnel client and the gateway: who vanishes is noticed soon, also while nothing
// moves, and who only takes nothing for long is not taken for vanished.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { dial, read, start } from './connect/client.mjs';
import { echo, frames, startGateway, upgraded } from './connect/gateway.mjs';
import { identity } from './connect/identity.mjs';
import { Machine, within } from './lib/namespace.mjs';
import { soon, until } from './lib/wait.mjs';

const HERE = '10.79.0.1';
const RELAY = '10.79.0.2'; // another machine, by which the client comes to the gateway …
const INNER = '10.79.0.3'; // … and the gateway is reached from here
const PORT = 4430; // of a network where nobody else is
const NOTICED = 35_000;
const BUSY = 32_000; // longer than silence is borne

const PASS = `
require('net').createServer((near) => {
  const far = require('net').connect({ port: Number(process.argv[1]), host: '${HERE}', localAddress: '${INNER}' });
  for (const [one, other] of [[near, far], [far, near]]) one.on('error', () => other.destroy()).pipe(other);
}).listen(${PORT}, '${RELAY}', () => console.log('up'));`;

if (within(fileURLToPath(import.meta.url), ['--net'], { name: 'in a network of its own' })) {
  let own, gateway, machine;
  let codes = 100000;
  const held = []; // tunnels of which the gateway reads nothing

  before(async () => {
    machine = await Machine.start(HERE, [RELAY, INNER]);
    own = identity();
    gateway = await startGateway({ ...own, host: HERE, rules: {
      'GET /tunnel/other': (request, socket) => {
        socket.write(upgraded(request));
        socket.pause();
        held.push(socket);
      },
      'GET /tunnel/pc': (request, socket) => echo(request, socket),
    } });
    await machine.run(PASS, gateway.port);
  });
  after(() => {
    gateway?.stop();
    own?.remove();
    machine?.stop();
  });

  const client = (url, name) => start(['--fingerprint', own.fingerprint, '--retry', '0', url, name],
    { credentials: ['anna', gateway.password, String(codes++)] });

  // Writes until nothing is taken any more; returns how much there was.
  async function fill(socket) {
    const piece = Buffer.alloc(1 << 18, 'x');
    let size = 0;
    for (let full = 0; full < 20;) {
      if (socket.writableLength < piece.length) {
        socket.write(piece);
        size += piece.length;
        full = 0;
      }
      await new Promise((settle) => { setTimeout(settle, 50); });
      full += 1;
    }
    return size;
  }

  test('a gateway that takes nothing for long is waited for, and gets everything', { timeout: 120_000 }, async () => {
    const busy = client(`https://${HERE}:${gateway.port}`, 'other');
    const socket = await dial(await busy.ready);
    const size = await fill(socket);
    await new Promise((settle) => { setTimeout(settle, BUSY); });
    assert.ok(!socket.destroyed && !/ended/.test(busy.err), busy.err);
    const state = {};
    let got = 0;
    const [last] = held.slice(-1); // this tunnel's
    last.on('data', (piece) => { for (const { opcode, data } of frames(state, piece)) if (opcode === 2) got += data.length; });
    last.resume();
    await until(() => `all of it, not ${got} of ${size}`, () => got === size);
    socket.destroy();
    busy.child.kill('SIGTERM');
    await busy.ended;
  });

  test('one that has vanished is noticed: idle, in the midst of typing, and while it takes nothing', { timeout: 120_000 }, async (t) => {
    const url = `https://${RELAY}:${PORT}`;
    const clients = [client(url, 'pc'), client(url, 'pc'), client(url, 'other')];
    const sockets = await Promise.all(clients.map(async (one) => dial(await one.ready)));
    const [idle, typing, full] = sockets;
    for (const socket of [idle, typing]) {
      socket.write('x');
      await read(socket, 1);
    }
    await fill(full);
    const begun = Date.now();
    const closed = sockets.map((socket) => new Promise((settle) => { socket.resume().on('close', settle); }));
    const keys = setInterval(() => typing.write('k'), 500);
    t.after(() => clearInterval(keys));
    machine.vanish(RELAY);
    await soon(NOTICED, 'the end of all', Promise.all(closed));
    t.diagnostic(`noticed after ${Date.now() - begun} ms at most`);
    for (const one of clients) {
      await one.says(/connection 1 ended: the connection to the gateway broke: no answer any more/);
      one.child.kill('SIGTERM');
    }
    machine.appear(RELAY);
    await Promise.all(clients.map((one) => one.ended));
  });
}

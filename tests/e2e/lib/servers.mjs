// TCP servers in the place of a desktop, for tests that look at bytes and not at pictures.
import { once } from 'node:events';
import { createServer } from 'node:net';
import { execPath } from 'node:process';
import { ready, start, stop } from './proc.mjs';

// `serve` gets each connection. The answer has .port, .connections and .close().
export async function tcpServer(serve, options = {}) {
  const connections = new Set();
  const server = createServer({ noDelay: true, ...options }, (socket) => {
    connections.add(socket);
    socket.on('close', () => connections.delete(socket));
    socket.on('error', () => {});
    serve(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: server.address().port,
    connections,
    close: async () => {
      for (const socket of connections) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

export const echoServer = () => tcpServer((socket) => socket.pipe(socket), { allowHalfOpen: true });

// Talks without end, at some megabytes a second.
export const floodServer = () => tcpServer((socket) => {
  const piece = Buffer.alloc(64 * 1024, 'x');
  const beat = setInterval(() => {
    if (!socket.writableNeedDrain) socket.write(piece);
  }, 25);
  socket.resume();
  socket.on('close', () => clearInterval(beat));
});

// As fast as it can, in a process of its own.
export async function floodProcess() {
  const process = start(execPath, ['-e', `require('net').createServer((socket) => {
    const push = () => { while (!socket.destroyed && socket.write(Buffer.alloc(65536, 'x'))); };
    socket.on('error', () => {}).on('drain', push).resume();
    push();
  }).listen(0, '127.0.0.1', function () { console.log(this.address().port); });`]);
  await ready(process, 'a flood', () => process.out.endsWith('\n'));
  return { port: Number(process.out), close: () => stop(process) };
}

// Takes connections and nothing else.
export const deafServer = () => tcpServer((socket) => socket.pause());

// ---- ports ----

// The server that listens there; null when something else does.
async function listening(port, host) {
  const server = createServer().listen(port, host);
  return new Promise((fulfil) => {
    server.once('error', () => fulfil(null)).once('listening', () => fulfil(server));
  });
}

// Of another address, but of this machine: whoever listens there has reserved the port of that number.
const RESERVES = '127.0.0.254';

// A port of the test's own, on which nothing listens and which may be closed and opened again: below
// the range from which the system picks for others, besides those of other desktops
// (lib/xrdp-desktop), and until this process ends no other test gets it.
export async function freePort(host = '127.0.0.1') {
  for (let attempt = 0; attempt < 200; attempt++) {
    const port = 14_000 + Math.floor(Math.random() * 6_000);
    const reserved = await listening(port, RESERVES);
    if (!reserved) continue;
    reserved.unref();
    const server = await listening(port, host);
    if (server) {
      await new Promise((fulfil) => { server.close(fulfil); });
      return port;
    }
    reserved.close();
  }
  throw new Error('no free port');
}

// A port that refuses, however long the test takes.
export const deadPort = () => freePort();

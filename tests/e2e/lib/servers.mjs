// TCP servers in the place of a desktop, for tests that look at bytes and not at pictures.
import { once } from 'node:events';
import { createServer } from 'node:net';
import { execPath } from 'node:process';
import { start, stop, until } from './proc.mjs';

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
  await until('a flood is ready', () => process.out.endsWith('\n'));
  return { port: Number(process.out), close: () => stop(process) };
}

// Takes connections and nothing else.
export const deafServer = () => tcpServer((socket) => socket.pause());

// A port on which nothing listens: it was free a moment ago and is not handed out again soon.
export async function deadPort() {
  const server = await tcpServer(() => {});
  await server.close();
  return server.port;
}

// Below the range from which the system picks for others, so nobody gets it by chance.
export async function freePort(host = '127.0.0.1') {
  for (let attempt = 0; attempt < 50; attempt++) {
    const port = 10_000 + Math.floor(Math.random() * 10_000);
    const server = createServer();
    const free = await new Promise((fulfil) => {
      server.once('error', () => fulfil(false));
      server.listen(port, host, () => server.close(() => fulfil(true)));
    });
    if (free) return port;
  }
  throw new Error('no free port');
}

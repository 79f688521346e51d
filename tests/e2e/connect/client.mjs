// Runs "deskgate connect" as a person's script would.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { after } from 'node:test';
import { binary } from '../lib/gateway.mjs';
import { until } from '../lib/wait.mjs';

export { binary };

// Clients that are still there; a test that fails leaves its own.
const running = new Set();
after(() => { for (const child of running) child.kill('SIGKILL'); });

const NO_PROXY = { http_proxy: '', https_proxy: '', HTTPS_PROXY: '', all_proxy: '', ALL_PROXY: '', no_proxy: '', NO_PROXY: '' };

// `credentials` are the lines of descriptor 3; it stays open for more with `open`. Descriptor 4
// tells the address.
export function start(args, { credentials = [], open = false, env = {}, stdin = 'ignore' } = {}) {
  const stdio = args.includes('--stdio');
  const child = spawn(binary, ['connect', '--credentials-fd', '3', ...(stdio ? [] : ['--ready-fd', '4']), ...args], {
    stdio: [stdin, 'pipe', 'pipe', 'pipe', 'pipe'],
    env: { ...process.env, ...NO_PROXY, ...env },
  });
  running.add(child);
  child.on('close', () => running.delete(child));
  const client = { child, out: Buffer.alloc(0), err: '' };
  child.stdout.on('data', (piece) => { client.out = Buffer.concat([client.out, piece]); });
  child.stderr.on('data', (piece) => { client.err += piece; });
  child.stdio[3].on('error', () => {});
  child.stdio[3].write(credentials.map((line) => `${line}\n`).join(''));
  if (!open) child.stdio[3].end();
  client.ended = once(child, 'close').then(([code, signal]) => ({ code, signal, out: client.out, err: client.err }));
  client.ready = new Promise((settle, fail) => {
    let text = '';
    child.stdio[4].on('data', (piece) => {
      text += piece;
      if (text.endsWith('\n')) settle(text.trim());
    });
    child.on('close', () => fail(new Error(`it never listened: ${client.err}`)));
  });
  client.ready.catch(() => {});
  client.says = (pattern) => until(() => `it says ${pattern}: ${client.err}`, () => pattern.test(client.err));
  return client;
}

// Runs to its end; a client that does not end by itself within 90 s is killed and fails the test.
export async function run(args, options) {
  const client = start(args, options);
  const timer = setTimeout(() => client.child.kill('SIGKILL'), 90_000);
  const result = await client.ended;
  clearTimeout(timer);
  assert.equal(result.signal, null, result.err);
  return result;
}

export async function dial(address) {
  const at = address.lastIndexOf(':');
  const socket = connect(Number(address.slice(at + 1)), address.slice(0, at));
  socket.on('error', () => {});
  await once(socket, 'connect');
  return socket;
}

// Reads exactly `size` bytes; fails when the connection ends before.
export async function read(socket, size) {
  const pieces = [];
  let have = 0;
  while (have < size) {
    const piece = socket.read();
    if (piece) {
      pieces.push(piece);
      have += piece.length;
      continue;
    }
    assert.ok(!socket.destroyed && !socket.readableEnded, `ended after ${have} of ${size} bytes`);
    await new Promise((settle) => {
      const events = ['readable', 'end', 'close'];
      const on = () => {
        for (const event of events) socket.off(event, on);
        settle();
      };
      for (const event of events) socket.on(event, on);
    });
  }
  return Buffer.concat(pieces);
}

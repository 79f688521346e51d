// Records the shape of a real RDP session: when how many bytes went which way, and none of them.
// The benchmark's mix replays it (scripts/bench mix).
//
//     node tests/bench/record-mix.mjs FILE [SECONDS]
//
// FreeRDP's client shows FreeRDP's demo desktop, by a proxy that writes down sizes and times. On it
// somebody types, lists folders, reads, moves the pointer, drags a window and has a long text
// scroll by, again and again, with pauses, as people do. Lines of FILE: microseconds since the
// start, u (client to desktop) or d, bytes. A read of the proxy is a line, so what came at once is
// one message. The handshakes of the beginning are left out: it starts when the picture is there.
import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { Clients, freerdp } from '../e2e/lib/clients.mjs';
import { busyness, screen, screenshot } from '../e2e/lib/desktop.mjs';
import { root, start, stop } from '../e2e/lib/proc.mjs';
import { tcpServer } from '../e2e/lib/servers.mjs';
import { sleep, until } from '../e2e/lib/wait.mjs';

const [file, seconds = '60'] = process.argv.slice(2);
if (!file) {
  console.error('usage: node tests/bench/record-mix.mjs FILE [SECONDS]');
  process.exit(64);
}

const lines = [];
let origin; // ns, once it counts

function note(direction, size) {
  if (origin !== undefined) lines.push(`${(process.hrtime.bigint() - origin) / 1000n} ${direction} ${size}`);
}

function between(client, port) {
  const desktop = connect({ port, host: '127.0.0.1', noDelay: true });
  for (const [from, to, direction] of [[client, desktop, 'u'], [desktop, client, 'd']]) {
    from.on('data', (bytes) => {
      note(direction, bytes.length);
      to.write(bytes);
    });
    from.on('error', () => {});
    from.on('close', () => to.destroy());
  }
}

// ---- what a person does ----

// Not as the tests do it, which wait for it and let nothing else happen meanwhile.
async function xdotool(display, ...args) {
  const process = start('xdotool', args.map(String), { env: { DISPLAY: display } });
  await process.ended;
  return process.out;
}

async function type(display, text, delay = 90) {
  await xdotool(display, 'type', '--delay', delay, text);
  await xdotool(display, 'key', 'Return');
  await sleep(600);
}

async function point(display) {
  for (let i = 0; i < 40; i++) {
    await xdotool(display, 'mousemove', 200 + 12 * i, Math.round(300 + 120 * Math.sin(i / 6)));
    await sleep(25);
  }
}

// The clock's window on the desktop, as if it were dragged: there is no window manager.
async function drag(display) {
  const [window] = (await xdotool(display, 'search', '--class', 'xclock')).trim().split('\n');
  for (let i = 0; i < 30; i++) {
    await xdotool(display, 'windowmove', window, 300 + 10 * i, 80 + 8 * i);
    await sleep(40);
  }
}

const SCENES = [
  (seen) => type(seen, 'ls -l /usr/share | head -20'),
  () => sleep(6000),
  (seen) => type(seen, 'echo what is written is read again', 150),
  () => sleep(3000),
  (seen) => point(seen),
  () => sleep(5000),
  (seen) => type(seen, 'for i in $(seq 8); do echo line $i of a log; sleep 0.4; done'),
  () => sleep(6000),
  (seen, there) => drag(there),
  () => sleep(6000),
  (seen) => type(seen, 'seq 1 100'),
  () => sleep(7000),
];

// ---- the recording ----

const desktop = start(join(root, 'scripts/lib/demo-desktop'), ['--size', '1024x768']);
await until(() => `a desktop: ${desktop.err}`, () => desktop.out.includes('\n'), { ms: 60_000 });
const there = JSON.parse(desktop.out);
const clients = new Clients();
let view;
let client;
let proxy;
try {
  proxy = await tcpServer((socket) => between(socket, there.port), { noDelay: true });
  view = await screen();
  client = start(freerdp.command, [`/v:127.0.0.1:${proxy.port}`, '/cert:ignore', '/u:demo', '/p:demo', '/sec:tls', '/size:1024x768', '/rfx'],
    { env: { DISPLAY: view.display, HOME: clients.folder } });
  await until(() => `a picture: ${client.out}${client.err}`, () => busyness(screenshot(view.display)) > 0.01, { ms: 40_000, every: 500 });
  await sleep(2000);
  await xdotool(view.display, 'mousemove', 300, 300, 'click', 1);
  await sleep(1000);
  origin = process.hrtime.bigint();
  for (let i = 0; process.hrtime.bigint() - origin < BigInt(seconds) * 1_000_000_000n; i++) {
    if (!client.running()) throw new Error(`the client ended: ${client.out}${client.err}`);
    await SCENES[i % SCENES.length](view.display, there.display);
  }
  const kept = lines.filter((line) => Number(line.split(' ')[0]) < Number(seconds) * 1e6);
  writeFileSync(file, '# A real session\'s messages: microseconds, u (up) or d (down), bytes. Made by\n' +
    `# tests/bench/record-mix.mjs: ${freerdp.command} and FreeRDP's demo desktop, 1024x768.\n${kept.join('\n')}\n`);
  const sum = (way) => kept.filter((line) => line.includes(way)).reduce((all, line) => all + Number(line.split(' ')[2]), 0);
  console.log(`${kept.length} messages in ${seconds} s; up ${sum('u')} bytes, down ${sum('d')} bytes`);
} finally {
  await stop(client);
  await view?.stop();
  await proxy?.close();
  await clients.stop();
  await stop(desktop);
}

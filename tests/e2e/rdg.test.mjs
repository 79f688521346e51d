// The RDP client people already have: FreeRDP with the ticket of a downloaded .rdp file, through the
// RD Gateway protocol over WebSocket, to a real desktop.
import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { busyness, difference, screen, screenshot, shadowDesktop, xdotool } from './lib/desktop.mjs';
import { Gateway } from './lib/gateway.mjs';
import { run, sleep, start, stop, until } from './lib/proc.mjs';

let gateway;
let folder;
let desktop;
let user;
const running = [];

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'deskgate-rdg-'));
  gateway = await Gateway.make();
  desktop = await shadowDesktop();
  user = gateway.addUser('anna');
  gateway.addDesktop('office', desktop.port);
  gateway.grant(user, 'office');
});
after(async () => {
  for (const thing of running.reverse()) await thing.stop();
  await desktop?.stop();
  await gateway?.remove();
  if (folder) rmSync(folder, { recursive: true, force: true });
});

const words = (count) => Array.from({ length: count }, () => 'abcdefghijklmnopqrstuvwxyz0123456789'[randomInt(36)]).join('');

// {ticket, text} of a fresh file.
async function rdpFile(token, name = 'office') {
  const answer = await gateway.http('GET', `/api/desktops/${name}/rdp`, { token });
  assert.equal(answer.status, 200);
  assert.equal(answer.headers['content-type'], 'application/x-rdp');
  assert.match(answer.headers['content-disposition'], new RegExp(`attachment; filename="${name}.rdp"`));
  return { text: answer.body, ticket: /^gatewayaccesstoken:s:(\S+)\r$/m.exec(answer.body)[1] };
}

const version = ['xfreerdp', 'xfreerdp3'].find((name) => run('sh', ['-c', `command -v ${name}`], { allow: true }).status === 0);

// FreeRDP on a screen of its own.
async function client(ticket, { name = 'office', more = [] } = {}) {
  const view = await screen();
  const way = version === 'xfreerdp'
    ? [`/g:localhost:${gateway.port}`, '/gt:http', `/gat:${ticket}`]
    : [`/gateway:g:localhost:${gateway.port},type:http,access-token:${ticket}`];
  const process = start(version, [`/v:${name}`, ...way, '/cert:ignore', '/u:demo', '/p:demo', '/sec:tls', '/size:1024x768', '/log-level:INFO', ...more],
    { env: { DISPLAY: view.display, HOME: folder } });
  const thing = { view, process, stop: async () => {
    await stop(process);
    await view.stop();
  } };
  running.push(thing);
  return thing;
}

async function samePicture(view, process) {
  let seen;
  await until(() => `the same picture on both sides, differs by ${seen}\n${process.out}${process.err}`, () => {
    assert.ok(process.running(), `the client ended: ${process.out}${process.err}`);
    const there = screenshot(desktop.display);
    seen = difference(there, screenshot(view.display));
    return busyness(there) > 0.001 && seen < 0.002;
  }, { ms: 40_000, every: 300 });
}

const tunnels = () => gateway.json('tunnel', 'list').filter((row) => row.way === 'rdg');

test('FreeRDP reaches the desktop with the ticket of its file', async () => {
  const token = await user.token();
  const { text, ticket } = await rdpFile(token);
  assert.match(text, /^full address:s:office\r$/m);
  assert.match(text, new RegExp(`^gatewayhostname:s:localhost:${gateway.port}\\r$`, 'm'));
  const { view, process } = await client(ticket);
  await samePicture(view, process);
  const typed = `echo ${words(20)}`;
  xdotool(view.display, 'mousemove', 300, 150, 'click', 1);
  await sleep(500);
  xdotool(view.display, 'type', '--delay', 40, typed);
  xdotool(view.display, 'key', 'Return');
  await until(() => `"${typed}" arrives`, () => existsSync(desktop.typed) && readFileSync(desktop.typed, 'utf8').includes(`${typed}\n`));
  await samePicture(view, process);
  assert.equal(tunnels().length, 1);

  // Signed out: the client ends, and its ticket is worth nothing.
  await gateway.http('POST', '/api/logout', { token });
  await until(() => 'the tunnel ends', () => tunnels().length === 0);
  await until(() => 'the client ends', () => !process.running(), { ms: 30_000 });
  const again = await client(ticket);
  await until(() => 'the client is refused', () => !again.process.running(), { ms: 30_000 });
  assert.match(again.process.out + again.process.err, /COOKIE_AUTHENTICATION_ACCESS_DENIED|0x800759F8/i);
});

test('after a drop the same ticket comes back; after a clean end it does not', async () => {
  const token = await user.token();
  const { ticket } = await rdpFile(token);
  const first = await client(ticket);
  await samePicture(first.view, first.process);
  first.process.child.kill('SIGKILL'); // no goodbye
  await until(() => 'the drop is noticed', () => tunnels().length === 0);
  const second = await client(ticket);
  await samePicture(second.view, second.process);
  const [live] = tunnels();
  gateway.cli('tunnel', 'end', String(live.id));
  await until(() => 'the client ends', () => !second.process.running(), { ms: 30_000 });
  const third = await client(ticket);
  await until(() => 'the client is refused', () => !third.process.running(), { ms: 30_000 });
  assert.equal(tunnels().length, 0);
});

test('what cannot be is refused in words that FreeRDP shows', async () => {
  const token = await user.token();
  const shown = async (ticket, options) => {
    const { process } = await client(ticket, options);
    await until(() => `the client ends: ${process.out}${process.err}`, () => !process.running(), { ms: 40_000 });
    return process.out + process.err;
  };
  assert.match(await shown('A'.repeat(43)), /COOKIE_AUTHENTICATION_ACCESS_DENIED|0x800759F8/i);
  const { ticket } = await rdpFile(token);
  assert.match(await shown(ticket, { name: 'other' }), /NAP_ACCESSDENIED|0x800759DB/i);
});

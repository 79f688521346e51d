// What it is all for: a real RDP client reaches real RDP servers through deskgate connect and the
// gateway. What is typed on one side is read on the other, and the pictures are the same.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { ends, freerdp, samePicture, typesThere, words } from './lib/clients.mjs';
import { difference, screen, screenshot, shadowDesktop, xrdpDesktop } from './lib/desktop.mjs';
import { Gateway, binary } from './lib/gateway.mjs';
import { alive, childrenOf, run, start, stop } from './lib/proc.mjs';
import { until } from './lib/wait.mjs';

let gateway;
let folder;
const running = [];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'deskgate-desktops-'));
  gateway = await Gateway.make();
});
afterEach(async () => {
  for (const thing of running.splice(0).reverse()) await thing.stop();
  await gateway?.remove();
  if (folder) rmSync(folder, { recursive: true, force: true });
});

function keep(thing) {
  running.push(thing);
  return thing;
}

const which = (...names) => names.find((name) => run('sh', ['-c', `command -v ${name}`], { allow: true }).status === 0);

// deskgate connect --exec xfreerdp, on a screen of its own.
async function client(user, name, options) {
  const view = keep(await screen());
  const process = start(binary, ['connect', '--user', user.name, '--cacert', join(gateway.state, 'tls/cert.pem'),
    '--credentials-fd', '3', '--exec',
    `exec ${freerdp.command} /v:{} /cert:ignore /size:1024x768 /log-level:WARN ${options}`,
    `https://localhost:${gateway.port}`, name],
  { stdio: ['ignore', 'pipe', 'pipe', 'pipe'], env: { DISPLAY: view.display, HOME: folder } });
  process.child.stdio[3].end(`${user.password}\n${await user.codes.next()}\n`);
  keep({ stop: () => stop(process) });
  return { process, view, said: () => process.out + process.err };
}

async function reaches(desktop, name, options) {
  const user = gateway.addUser(`user-${name}`);
  gateway.addDesktop(name, desktop.port);
  gateway.grant(user, name);
  const person = await client(user, name, options);
  await samePicture(person, desktop);
  const before = screenshot(desktop.display);
  await typesThere(person, desktop);
  await until('the typed text stands on the screen', () => difference(before, screenshot(desktop.display)) > 0.0005);
  await samePicture(person, desktop);

  const [tunnel] = gateway.json('tunnel', 'list');
  assert.equal(tunnel.desktop, name);
  const { child } = person.process;
  const clients = childrenOf(child.pid);
  child.kill('SIGTERM');
  await ends(person);
  await until('the RDP client has gone, too', () => !clients.some(alive));
  await until('the tunnel has ended', () => gateway.json('tunnel', 'list').length === 0);
  const events = gateway.audit('--user', user.name).map((row) => row.event);
  assert.ok(events.includes('tunnel-open') && events.includes('tunnel-close'), events.join(' '));
}

test('xrdp, through deskgate connect', { timeout: 300_000 }, async () => {
  await reaches(keep(await xrdpDesktop()), 'xrdp', '/u:anybody /p:anything /sec:tls');
});

// A desktop that lets "office" in with this password.
async function withPassword(password) {
  const sam = join(folder, 'sam');
  const line = run(which('winpr-hash', 'winpr-hash3'), ['-u', 'office', '-p', password, '-f', 'sam']).stdout;
  writeFileSync(sam, line);
  return keep(await shadowDesktop('--sam', sam));
}

test('FreeRDP\'s shadow server with network level authentication', { timeout: 300_000 }, async () => {
  const password = words(16);
  const desktop = await withPassword(password);
  await reaches(desktop, 'shadow', `/u:office /p:${password} /sec:nla`);
});

test('network level authentication refuses a wrong password, behind the gateway, too', { timeout: 180_000 }, async () => {
  const desktop = await withPassword(words(16));
  const user = gateway.addUser('wrong');
  gateway.addDesktop('shadow', desktop.port);
  gateway.grant(user, 'shadow');
  const { process } = await client(user, 'shadow', '/u:office /p:not-the-password /sec:nla');
  const { code } = await process.ended;
  assert.notEqual(code, 0);
  assert.match(process.err, /the desktop closed the connection/); // the server says no more than that
});

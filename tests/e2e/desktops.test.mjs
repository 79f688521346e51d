// What it is all for: a real RDP client reaches real RDP servers through deskgate connect and the
// gateway. What is typed on one side is read on the other, and the pictures are the same.
import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { busyness, difference, screen, screenshot, shadowDesktop, xdotool, xrdpDesktop } from './lib/desktop.mjs';
import { Gateway, binary } from './lib/gateway.mjs';
import { childrenOf, run, sleep, start, stop, until } from './lib/proc.mjs';

let gateway;
let folder;
const running = [];

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'deskgate-desktops-'));
  gateway = await Gateway.make();
});
after(async () => {
  for (const thing of running.reverse()) await thing.stop();
  await gateway?.remove();
  if (folder) rmSync(folder, { recursive: true, force: true });
});

function keep(thing) {
  running.push(thing);
  return thing;
}

const which = (...names) => names.find((name) => run('sh', ['-c', `command -v ${name}`], { allow: true }).status === 0);
const words = (count) => Array.from({ length: count }, () => 'abcdefghijklmnopqrstuvwxyz0123456789'[randomInt(36)]).join('');

// deskgate connect --exec xfreerdp, on a screen of its own.
async function client(user, name, options) {
  const view = keep(await screen());
  const xfreerdp = which('xfreerdp', 'xfreerdp3');
  const process = start(binary, ['connect', '--user', user.name, '--cacert', join(gateway.state, 'tls/cert.pem'),
    '--credentials-fd', '3', '--exec',
    `exec ${xfreerdp} /v:{} /cert:ignore /size:1024x768 /log-level:WARN ${options}`,
    `https://localhost:${gateway.port}`, name],
  { stdio: ['ignore', 'pipe', 'pipe', 'pipe'], env: { DISPLAY: view.display, HOME: folder } });
  process.child.stdio[3].end(`${user.password}\n${await user.codes.next()}\n`);
  keep({ stop: () => stop(process) });
  return { process, view };
}

// Waits until the client shows what the desktop shows, and that is more than an empty screen.
async function samePicture(desktop, view, process, what) {
  let seen;
  await until(() => `${what}: the same picture on both sides, differs by ${seen}\n${process.err}`, () => {
    assert.ok(process.running(), `the client ended: ${process.err}`);
    const [there, here] = [screenshot(desktop.display), screenshot(view.display)];
    seen = difference(there, here);
    return busyness(there) > 0.001 && seen < 0.002;
  }, { ms: 40_000, every: 300 });
}

async function reaches(desktop, name, options) {
  const user = gateway.addUser(`user-${name}`);
  gateway.addDesktop(name, desktop.port);
  gateway.grant(user, name);
  const { process, view } = await client(user, name, options);
  await samePicture(desktop, view, process, 'at first');
  const before = screenshot(desktop.display);

  const typed = `echo ${words(24)}`;
  xdotool(view.display, 'mousemove', 300, 150, 'click', 1);
  await sleep(500);
  xdotool(view.display, 'type', '--delay', 40, typed);
  xdotool(view.display, 'key', 'Return');
  await until(() => `"${typed}" arrives; there is "${existsSync(desktop.typed) && readFileSync(desktop.typed)}"`,
    () => existsSync(desktop.typed) && readFileSync(desktop.typed, 'utf8').includes(`${typed}\n`));
  assert.ok(difference(before, screenshot(desktop.display)) > 0.0005, 'the typed text stands on the screen');
  await samePicture(desktop, view, process, 'after typing');

  const [tunnel] = gateway.json('tunnel', 'list');
  assert.equal(tunnel.desktop, name);
  const clients = childrenOf(process.child.pid);
  process.child.kill('SIGTERM');
  await process.ended;
  await until('the RDP client has gone, too', () => clients.every((pid) => !childrenOf(1).includes(pid)));
  await until('the tunnel has ended', () => gateway.json('tunnel', 'list').length === 0);
  const events = gateway.audit('--user', user.name).map((row) => row.event);
  assert.ok(events.includes('tunnel-open') && events.includes('tunnel-close'), events.join(' '));
}

test('xrdp, through deskgate connect', { timeout: 120_000 }, async () => {
  await reaches(keep(await xrdpDesktop()), 'xrdp', '/u:anybody /p:anything /sec:tls');
});

test('FreeRDP\'s shadow server with network level authentication', { timeout: 120_000 }, async () => {
  const password = words(16);
  const sam = join(folder, 'sam');
  const line = run(which('winpr-hash', 'winpr-hash3'), ['-u', 'office', '-p', password, '-f', 'sam']).stdout;
  writeFileSync(sam, line);
  const desktop = keep(await shadowDesktop('--sam', sam));
  await reaches(desktop, 'shadow', `/u:office /p:${password} /sec:nla`);
});

test('network level authentication refuses a wrong password, behind the gateway, too', { timeout: 60_000 }, async () => {
  const user = gateway.addUser('wrong');
  gateway.grant(user, 'shadow');
  const { process } = await client(user, 'shadow', '/u:office /p:not-the-password /sec:nla');
  const { code } = await process.ended;
  assert.notEqual(code, 0);
  assert.match(process.err, /the desktop closed the connection/); // the server says no more than that
});

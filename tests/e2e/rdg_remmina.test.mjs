// Remmina with the .rdp file as the portal gives it: it speaks the legacy pair of channels by itself.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { rdpFile, typesThere } from './lib/clients.mjs';
import { busyness, difference, screen, screenshot, shadowDesktop, xdotool } from './lib/desktop.mjs';
import { Gateway } from './lib/gateway.mjs';
import { run, start, stop } from './lib/proc.mjs';
import { sleep, until } from './lib/wait.mjs';

const missing = run('sh', ['-c', 'command -v remmina'], { allow: true }).status !== 0 && 'remmina is not installed';
if (missing) console.log(`NOT TESTED: ${missing}`);

let gateway;
let desktop;
let view;
let remmina;
let home;

before(async () => {
  if (missing) return;
  gateway = await Gateway.make();
  desktop = await shadowDesktop();
  view = await screen();
  home = mkdtempSync(join(tmpdir(), 'deskgate-remmina-'));
});
after(async () => {
  await stop(remmina);
  await view?.stop();
  await desktop?.stop();
  await gateway?.remove();
  if (home) rmSync(home, { recursive: true, force: true });
});

const tunnels = () => gateway.json('tunnel', 'list').filter((row) => row.way === 'rdg');

// It asks about the certificate of the desktop (the gateway's it trusts), in words whose height
// depends on fonts; "Yes" is the button on the left. What came before the question was drawn, or was
// not taken yet, is tried again.
async function agrees(client) {
  await until(() => `"Yes" is found: ${client.said()}`, async () => {
    const asks = await still();
    for (let y = 150; y < 400; y += 12) {
      xdotool(view.display, 'mousemove', 107, y, 'click', 1);
      await sleep(150);
      if (difference(asks, screenshot(view.display)) > 0.02) break;
    }
    return difference(asks, await still()) > 0.02;
  }, { ms: 120_000, every: 3_000 });
}

// The client's screen, once nothing changes on it and there is something.
async function still() {
  let before = screenshot(view.display);
  await until('its screen is still', async () => {
    await sleep(700);
    const now = screenshot(view.display);
    const same = busyness(now) > 0.001 && difference(before, now) === 0;
    before = now;
    return same;
  }, { ms: 60_000 });
  return before;
}

test('Remmina opens the downloaded file, types, and comes back after a drop', { skip: missing }, async () => {
  const user = gateway.addUser('anna');
  gateway.addDesktop('office', desktop.port);
  gateway.grant(user, 'office');
  const { text } = await rdpFile(gateway, await user.token());
  writeFileSync(join(home, 'office.rdp'), text);
  writeFileSync(join(home, 'ca.pem'), gateway.ca);
  remmina = start('remmina', ['--no-tray-icon', '-c', join(home, 'office.rdp')],
    { env: { DISPLAY: view.display, HOME: home, XDG_RUNTIME_DIR: home, SSL_CERT_FILE: join(home, 'ca.pem') } });
  const client = { view, process: remmina, said: () => remmina.out + remmina.err };

  const [{ id }] = await until(() => `a tunnel\n${client.said()}`, () => tunnels().length > 0 && tunnels(), { ms: 120_000, every: 200 });
  await agrees(client);
  const empty = await still();
  await typesThere(client, desktop);
  await until(() => 'what was typed is seen here', () => difference(empty, screenshot(view.display)) > 0);

  process.kill(gateway.part('gate'), 'SIGKILL'); // every connection breaks at once
  await until(() => `another tunnel\n${client.said()}`, () => tunnels().some((row) => row.id !== id), { ms: 120_000, every: 200 });
  await typesThere(client, desktop);
});

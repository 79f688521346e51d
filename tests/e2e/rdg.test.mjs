// The RDP client people already have: FreeRDP with the ticket of a downloaded .rdp file, through the
// RD Gateway protocol over WebSocket, to a real desktop.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Clients, ends, freerdp, rdpFile, samePicture, typesThere } from './lib/clients.mjs';
import { shadowDesktop } from './lib/desktop.mjs';
import { Gateway } from './lib/gateway.mjs';
import { until } from './lib/wait.mjs';

const clients = new Clients();
let gateway;
let desktop;
let user;

before(async () => {
  gateway = await Gateway.make();
  desktop = await shadowDesktop();
  user = gateway.addUser('anna');
  gateway.addDesktop('office', desktop.port);
  gateway.grant(user, 'office');
});
after(async () => {
  await clients.stop();
  await desktop?.stop();
  await gateway?.remove();
});

const client = (ticket, options) => clients.start(freerdp, { port: gateway.port, ticket, ...options });
const tunnels = () => gateway.json('tunnel', 'list').filter((row) => row.way === 'rdg');

test('FreeRDP reaches the desktop with the ticket of its file', async () => {
  const token = await user.token();
  const { text, ticket } = await rdpFile(gateway, token);
  assert.match(text, /^full address:s:office\r$/m);
  assert.match(text, new RegExp(`^gatewayhostname:s:localhost:${gateway.port}\\r$`, 'm'));
  const first = await client(ticket);
  await samePicture(first, desktop);
  await typesThere(first, desktop);
  await samePicture(first, desktop);
  assert.equal(tunnels().length, 1);

  // Signed out: the client ends, and its ticket is worth nothing.
  await gateway.http('POST', '/api/logout', { token });
  await until(() => 'the tunnel ends', () => tunnels().length === 0);
  await ends(first);
  const again = await client(ticket);
  await ends(again);
  assert.match(again.said(), /COOKIE_AUTHENTICATION_ACCESS_DENIED|0x800759F8/i);
});

test('after a drop the same ticket comes back; after an administrator\'s end it does not', async () => {
  const token = await user.token();
  const { ticket } = await rdpFile(gateway, token);
  const first = await client(ticket);
  await samePicture(first, desktop);
  first.process.child.kill('SIGKILL'); // no goodbye
  await until(() => 'the drop is noticed', () => tunnels().length === 0);
  const second = await client(ticket);
  await samePicture(second, desktop);
  const [live] = tunnels();
  gateway.cli('tunnel', 'end', String(live.id));
  await ends(second);
  const third = await client(ticket);
  await ends(third);
  assert.equal(tunnels().length, 0);
});

test('what cannot be is refused in words that FreeRDP shows', async () => {
  const token = await user.token();
  const shown = async (ticket, options) => {
    const refused = await client(ticket, options);
    await ends(refused);
    return refused.said();
  };
  assert.match(await shown('A'.repeat(43)), /COOKIE_AUTHENTICATION_ACCESS_DENIED|0x800759F8/i);
  const { ticket } = await rdpFile(gateway, token);
  assert.match(await shown(ticket, { name: 'other' }), /NAP_ACCESSDENIED|0x800759DB/i);
});

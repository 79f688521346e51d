// Peers that vanish: no FIN, no RST, their machine is silent from one moment to the next. Clients
// by each way in, at each stage, and desktops, idle and in the midst of bytes. Each tunnel ends with
// the true reason, and what it held comes back. In a network of the test's own.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { rdpServer } from '../lib/cleanpath.mjs';
import { House } from '../lib/fault_house.mjs';
import { Machine, within } from '../lib/namespace.mjs';
import { LegacyRdg, WebSocketRdg, data } from '../lib/rdg.mjs';
import { floodServer } from '../lib/servers.mjs';
import { until } from '../lib/wait.mjs';
import { Wire } from '../lib/wire.mjs';

const HERE = '10.78.0.1';
const RELAY = '10.78.0.2'; // another machine: here the test's clients come in …
const CLIENTS = '10.78.0.3'; // … and from here they go to the gateway
const DESKTOP = '10.78.0.4';
const PORT = 3389; // of a network where nobody else is

// On the other machine: passes connections on to the gateway, and is a desktop that echoes.
const MACHINE = `
const net = require('net');
const [port] = process.argv.slice(1).map(Number);
const pass = net.createServer({ allowHalfOpen: true }, (near) => {
  const far = net.connect({ port, host: '${HERE}', localAddress: '${CLIENTS}' });
  for (const [one, other] of [[near, far], [far, near]]) one.on('error', () => other.destroy()).pipe(other);
}).listen(${PORT}, '${RELAY}', () => net.createServer((s) => s.on('error', () => {}).pipe(s))
  .listen(${PORT}, '${DESKTOP}', () => console.log('up')));`;

if (within(fileURLToPath(import.meta.url), ['--net'], { name: 'in a network of its own' })) {
  let house, gateway, far, token, machine;

  before(async () => {
    machine = await Machine.start(HERE, [RELAY, CLIENTS, DESKTOP]);
    house = await House.open({
      conf: {
        server: { listen: `127.0.0.1:0, ${HERE}:0`, handshake_seconds: 5, request_seconds: 5 },
        tunnel: { ping_seconds: 2 }, dial: { lost_seconds: 3, seconds: 2, allow: 'private, loopback' },
      },
      desktops: { flood: floodServer, browser: rdpServer },
    });
    ({ gateway, token } = house);
    await machine.run(MACHINE, gateway.plainPort); // the second address's
    house.add('far', PORT, DESKTOP);
    // Seen through the other machine.
    far = gateway.through({ host: RELAY, port: PORT });
  });
  after(async () => {
    await house?.close();
    machine?.stop();
  });

  async function rdg(Way, desktop, at = far) {
    const { client, status } = await house.rdg(Way, desktop, at);
    assert.equal(status, 0);
    return client;
  }

  test('clients', { timeout: 180_000 }, async (t) => {
    const from = house.lastRow();
    const at = gateway.log.length;
    const raw = await far.tunnel('office', token);
    const busy = await far.tunnel('flood', token);
    const giving = await far.tunnel('office', token);
    await rdg(WebSocketRdg, 'office');
    await rdg(LegacyRdg, 'office');
    const rdgBusy = await rdg(WebSocketRdg, 'flood');
    const { ws: browsing, answer: shown } = await house.browse('browser', far);
    assert.ok(shown.x224);
    for (const { ws } of [raw, busy, giving, { ws: browsing }]) ws.stay();
    await rdgBusy.take(100_000);
    // … and those that have not come so far.
    const halves = await Promise.all([Wire.tcp(PORT, RELAY), Wire.tcp(PORT, RELAY), far.wire(), far.wire(), far.wire()]);
    halves[1].send(Buffer.from('16030102000100', 'hex'));
    halves[3].send('GET /healthz HTTP/1.1\r\nHo');
    halves[4].send('POST /api/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{');
    giving.ws.send(Buffer.alloc(1 << 20));
    const begun = Date.now();
    machine.vanish(CLIENTS);
    await house.books.enter();
    await house.ended(from, { 'client-lost': 7 });
    t.diagnostic(`noticed after ${Date.now() - begun} ms at most`);
    await house.calm();
    const { office, flood, browser } = house.desktops;
    await until('desktops have only the canary left', () => office.connections.size === 1 && flood.connections.size === 0 && browser.connections.size === 0);
    const told = () => gateway.log.slice(at).match(/tunnel\.end.* why=client-lost/g)?.length;
    await until(() => `each is in the log, not ${told()}`, () => told() === 7);
    machine.appear(CLIENTS);
    const again = await far.tunnel('office', token);
    assert.ok(again.ws, 'and when the network is back, they come in again');
    again.wire.end();
    await house.calm();
    await house.whole(t);
  });

  test('desktops', { timeout: 180_000 }, async (t) => {
    const from = house.lastRow();
    const idle = await gateway.tunnel('far', token);
    const busy = await gateway.tunnel('far', token);
    const viaRdg = await rdg(WebSocketRdg, 'far', gateway);
    busy.ws.send(Buffer.from('before'));
    assert.equal(String(await busy.ws.read(6)), 'before');
    const begun = Date.now();
    machine.vanish(DESKTOP);
    busy.ws.send(Buffer.alloc(1 << 20)); // on its way to nobody
    viaRdg.send(data(Buffer.from('typing')));
    const lost = { code: 1011, reason: 'the connection to the desktop was lost' };
    assert.deepEqual(await Promise.all([idle, busy].map(({ ws }) => ws.stay())), [lost, lost]);
    t.diagnostic(`noticed after ${Date.now() - begun} ms at most`);
    while (await viaRdg.read()); // keepalives, the close packet, the end
    await house.ended(from, { 'desktop-lost': 3 });
    const { answer, wire: late } = await gateway.tunnel('far', token);
    assert.equal(JSON.parse(answer.body).error, 'desktop_asleep', 'and nobody is there');
    for (const wire of [idle.wire, busy.wire, viaRdg.wire, late]) wire.end();
    machine.appear(DESKTOP);
    const again = await gateway.tunnel('far', token);
    assert.ok(again.ws);
    again.wire.end();
    await house.calm();
    await house.whole(t);
  });
}

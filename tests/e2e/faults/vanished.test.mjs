// Peers that vanish: no FIN, no RST, their machine is silent from one moment to the next. Clients
// by each way in, at each stage, and desktops, idle and in the midst of bytes. Each tunnel ends with
// the true reason, and what it held comes back. In a network of the test's own.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Canary } from '../lib/canary.mjs';
import { present, rdpServer, ticketFor } from '../lib/cleanpath.mjs';
import { Gateway, isRoot } from '../lib/gateway.mjs';
import { run, until } from '../lib/proc.mjs';
import { LegacyRdg, WebSocketRdg, data } from '../lib/rdg.mjs';
import { echoServer, floodServer } from '../lib/servers.mjs';
import { Promises, Steady, ended, lastRow, rdgTicket, through } from '../lib/steady.mjs';
import { Wire } from '../lib/wire.mjs';

const INSIDE = process.env.DESKGATE_OWN_NETWORK === '1';
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

if (!INSIDE) {
  test('in a network of its own', { skip: isRoot ? false : 'only root can make one' }, (t) => {
    const env = { ...process.env, DESKGATE_OWN_NETWORK: '1' };
    delete env.NODE_TEST_CONTEXT;
    const done = spawnSync('unshare', ['--net', process.execPath, fileURLToPath(import.meta.url)],
      { encoding: 'utf8', env, timeout: 120_000 });
    assert.equal(done.status, 0, done.stdout + done.stderr);
    for (const line of done.stdout.match(/^# (pass \d+|.* ms at most)$/gm) ?? []) t.diagnostic(line);
  });
} else {
  let gateway, far, anna, token, canary, steady, promises, holder, machine, echo, flood, browser;

  const sh = (command) => run('sh', ['-ec', command]);
  const there = (command) => sh(`nsenter -t ${holder.pid} -n ${command}`);
  const vanish = (address) => there(`ip addr del ${address}/24 dev there`);
  const back = (address) => there(`ip addr add ${address}/24 dev there`);

  async function otherMachine(port) {
    machine = spawn('nsenter', ['-t', String(holder.pid), '-n', 'setpriv', '--pdeathsig', 'KILL', process.execPath, '-e', MACHINE, String(port)],
      { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(machine.stdout, 'data');
  }

  before(async () => {
    holder = spawn('setpriv', ['--pdeathsig', 'KILL', 'unshare', '--net', 'sleep', '600'], { stdio: 'ignore' });
    await until('another network', () => run('sh', ['-c', `ip link set lo up && readlink /proc/self/ns/net /proc/${holder.pid}/ns/net | uniq | wc -l`]).stdout.trim() === '2');
    sh(`ip link add here type veth peer name there netns ${holder.pid} && ip addr add ${HERE}/24 dev here && ip link set here up`);
    for (const address of [RELAY, CLIENTS, DESKTOP]) back(address);
    there('ip link set there up');
    gateway = await Gateway.make({
      serve: false,
      conf: {
        server: { listen: `127.0.0.1:0, ${HERE}:0`, handshake_seconds: 2, request_seconds: 2 },
        tunnel: { ping_seconds: 2 }, dial: { lost_seconds: 3, seconds: 2, allow: 'private, loopback' },
      },
    });
    await gateway.serve();
    // Seen through the other machine.
    far = through(gateway, { host: RELAY, port: PORT });
    await otherMachine(gateway.plainPort); // the second address's
    anna = gateway.addUser('anna');
    echo = await echoServer();
    flood = await floodServer();
    browser = await rdpServer();
    for (const [name, port, host] of [['office', echo.port], ['flood', flood.port], ['browser', browser.port], ['far', PORT, DESKTOP]]) {
      gateway.addDesktop(name, port, host);
      gateway.grant(anna, name);
    }
    token = await anna.token();
    canary = await Canary.start(gateway, 'office', token);
    promises = new Promises(gateway);
    await promises.make();
    steady = Steady.of(gateway);
  });
  after(async () => {
    await canary?.stop();
    await gateway?.remove();
    machine?.kill('SIGKILL');
    holder?.kill('SIGKILL');
    for (const server of [echo, flood, browser]) await server?.close();
  });

  async function rdg(Way, desktop) {
    const client = await Way.connect(far);
    assert.equal((await client.open(await rdgTicket(gateway, token, desktop), [desktop])).status, 0);
    return client;
  }

  async function cleanpath() {
    const { ticket: shown } = await ticketFor(gateway, token, 'browser');
    const { ws, answer } = await present(far, token, { destination: 'browser', ticket: shown });
    assert.ok(answer.x224);
    return ws;
  }

  test('clients', { timeout: 60_000 }, async (t) => {
    const from = lastRow(gateway);
    const raw = await far.tunnel('office', token);
    const busy = await far.tunnel('flood', token);
    const giving = await far.tunnel('office', token);
    await rdg(WebSocketRdg, 'office');
    await rdg(LegacyRdg, 'office');
    const rdgBusy = await rdg(WebSocketRdg, 'flood');
    const browsing = await cleanpath();
    for (const { ws } of [raw, busy, giving, { ws: browsing }]) ws.stay();
    await rdgBusy.take(100_000);
    // … and those that have not come so far.
    const halves = await Promise.all([Wire.tcp(PORT, RELAY), Wire.tcp(PORT, RELAY), far.wire(), far.wire(), far.wire()]);
    halves[1].send(Buffer.from('16030102000100', 'hex'));
    halves[3].send('GET /healthz HTTP/1.1\r\nHo');
    halves[4].send('POST /api/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{');
    giving.ws.send(Buffer.alloc(1 << 20));
    const begun = Date.now();
    vanish(CLIENTS);
    await promises.make();
    await ended(gateway, from, { 'client-lost': 7 });
    t.diagnostic(`noticed after ${Date.now() - begun} ms at most`);
    await canary.heard();
    await steady.regained();
    await until('desktops have only the canary left', () => echo.connections.size === 1 && flood.connections.size === 0 && browser.connections.size === 0);
    assert.equal(gateway.log.match(/tunnel\.end.* why=client-lost/g)?.length, 7);
    back(CLIENTS);
    const again = await far.tunnel('office', token);
    assert.ok(again.ws, 'and when the network is back, they come in again');
    again.wire.end();
  });

  test('desktops', { timeout: 60_000 }, async (t) => {
    await steady.regained();
    const from = lastRow(gateway);
    const idle = await gateway.tunnel('far', token);
    const busy = await gateway.tunnel('far', token);
    const viaRdg = await WebSocketRdg.connect(gateway);
    assert.equal((await viaRdg.open(await rdgTicket(gateway, token, 'far'), ['far'])).status, 0);
    busy.ws.send(Buffer.from('before'));
    assert.equal(String(await busy.ws.read(6)), 'before');
    const begun = Date.now();
    vanish(DESKTOP);
    busy.ws.send(Buffer.alloc(1 << 20)); // on its way to nobody
    viaRdg.send(data(Buffer.from('typing')));
    const lost = { code: 1011, reason: 'the connection to the desktop was lost' };
    assert.deepEqual(await Promise.all([idle, busy].map(({ ws }) => ws.stay())), [lost, lost]);
    t.diagnostic(`noticed after ${Date.now() - begun} ms at most`);
    while (await viaRdg.read()); // keepalives, the close packet, the end
    await ended(gateway, from, { 'desktop-lost': 3 });
    const { answer, wire: late } = await gateway.tunnel('far', token);
    assert.equal(JSON.parse(answer.body).error, 'desktop_asleep', 'and nobody is there');
    for (const wire of [idle.wire, busy.wire, viaRdg.wire, late]) wire.end();
    back(DESKTOP);
    const again = await gateway.tunnel('far', token);
    assert.ok(again.ws);
    again.wire.end();
    await canary.heard();
    await steady.regained();
    await promises.kept();
    t.diagnostic(`the canary sang ${canary.beats} times and waited ${canary.slowest} ms at most`);
  });
}

// Wake-on-LAN: desktops that sleep until their network card hears the magic packet, by each way in.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { openCleanpath, requestPdu, ticketFor, visit, visitOver } from './lib/cleanpath.mjs';
import { Gateway } from './lib/gateway.mjs';
import { root, start, stop } from './lib/proc.mjs';
import { get, parse, value } from './lib/prometheus.mjs';
import { soon, until } from './lib/wait.mjs';

const MAC = 'aa:bb:cc:dd:ee:01';
const sleepers = [];
let gateway, anna, token;

// {port, udp, awake()}
async function sleeper(mac = MAC, nap = 0) {
  const process = start(join(root, 'tests/e2e/lib/sleeper'), [mac, String(nap)], { stdio: ['pipe', 'pipe', 'pipe'] });
  sleepers.push(process);
  await until(() => `the sleeper sleeps\n${process.err}`, () => process.out.includes('\n'));
  return { ...JSON.parse(process.out.split('\n')[0]), awake: () => process.out.includes('awake') };
}

async function desktop(name, { mac, nap } = {}) {
  const asleep = await sleeper(mac, nap);
  gateway.cli('desktop', 'add', name, '--host', '127.0.0.1', '--port', String(asleep.port), '--mac', mac ?? MAC);
  gateway.grant(anna, name);
  return asleep;
}

// The gateway's packets go to the desktop that the test is about.
async function listening(asleep, more = {}) {
  gateway.configure({ dial: { wake_broadcast: `127.0.0.1:${asleep.udp}`, seconds: 3, wake_seconds: 20, ...more } });
  await (gateway.process ? gateway.restart() : gateway.serve());
  token ??= await anna.token();
}

before(async () => {
  gateway = await Gateway.make({ serve: false, conf: { metrics: { listen: '127.0.0.1:0' }, server: { cage: 'require' } } });
  anna = gateway.addUser('anna');
});

after(async () => {
  await gateway?.remove();
  for (const process of sleepers) await stop(process);
});

const wakes = (since = 0) => gateway.audit('--event', 'desktop-wake', '--last', '1000').slice(since);

test('a tunnel waits until the desktop has woken up', async () => {
  const asleep = await desktop('office', { nap: 2 });
  await listening(asleep);
  const before = wakes().length;
  const { ws, wire } = await gateway.tunnel('office', token);
  await until('it has said so', () => asleep.awake()); // its port comes first
  ws.send(Buffer.from('hello'));
  assert.equal((await ws.read(5)).toString(), 'hello');
  wire.end();
  const [row, ...others] = wakes(before);
  assert.deepEqual(others, []);
  assert.equal(row.outcome, 'ok');
  assert.equal(row.desktop, 'office');
  assert.equal(row.user, 'anna');
  assert.equal(row.detail, MAC);
  const families = parse((await get(gateway.plainPort)).body);
  assert.equal(value(families, 'deskgate_wakes_total', { outcome: 'answered' }), 1);
  assert.equal(value(families, 'deskgate_dials_total', { outcome: 'ok' }), 1);
  // Awake now: no packet, and no waiting.
  const again = await gateway.tunnel('office', token);
  assert.ok(again.ws);
  again.wire.end();
  assert.equal(wakes(before).length, 1);
});

test('a browser is told that the desktop is being woken', async () => {
  const asleep = await desktop('browser', { nap: 4 });
  await listening(asleep);
  const made = await ticketFor(gateway, token, 'browser');
  assert.equal((await visit(gateway, token, made.visit)).state, 'waiting');
  const { ws, wire } = await openCleanpath(gateway, token);
  ws.send(requestPdu({ destination: 'browser', ticket: made.ticket }));
  await until('the visit is waking', async () => (await visit(gateway, token, made.visit)).state === 'waking');
  // It wakes up, and speaks no RDP.
  assert.equal((await visitOver(gateway, token, made.visit)).reason, 'negotiation');
  await until('it has said so', () => asleep.awake()); // its port comes first
  wire.end();
});

test('the list of desktops wakes nobody', async () => {
  const asleep = await desktop('list');
  await listening(asleep);
  const before = wakes().length;
  const told = await gateway.http('GET', '/api/desktops/list/state', { token });
  assert.deepEqual(told.json, { state: 'asleep' });
  assert.equal(asleep.awake(), false);
  assert.equal(wakes().length, before);
});

test('a card that does not wake up is given up in time, and nobody may wake without a grant', async () => {
  const asleep = await desktop('deep', { mac: 'aa:bb:cc:dd:ee:02' });
  gateway.cli('desktop', 'set', 'deep', '--mac', 'aa:bb:cc:dd:ee:03'); // mistyped
  await listening(asleep, { wake_seconds: 4 });
  const begun = Date.now();
  const { answer } = await soon(9_000, 'an answer', gateway.tunnel('deep', token));
  assert.equal(answer.status, 504);
  assert.equal(answer.json?.error ?? JSON.parse(answer.body).error, 'desktop_asleep');
  const took = Date.now() - begun;
  assert.ok(took >= 4_500, `${took} ms`);
  gateway.cli('desktop', 'set', 'deep', '--mac', 'aa:bb:cc:dd:ee:02');
  gateway.cli('grant', 'remove', 'anna', 'deep');
  assert.equal((await gateway.tunnel('deep', token)).answer.status, 404);
  assert.equal(asleep.awake(), false);
});

test('without a MAC, or with wake_seconds = 0, it is not woken', async () => {
  const asleep = await desktop('off');
  await listening(asleep, { wake_seconds: 0 });
  const before = wakes().length;
  assert.equal((await gateway.tunnel('off', token)).answer.status, 504);
  gateway.cli('desktop', 'set', 'off', '--mac', '');
  await listening(asleep);
  assert.equal((await gateway.tunnel('off', token)).answer.status, 504);
  assert.equal(wakes().length, before);
  assert.equal(asleep.awake(), false);
});

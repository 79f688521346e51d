// No descriptors left, in the gate and then in the keeper, while both run: what is there goes on,
// nobody spins, and as soon as there are some again, all works.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { after, before, test } from 'node:test';
import { House } from '../lib/fault_house.mjs';
import { isRoot } from '../lib/gateway.mjs';
import { descriptors, limit } from '../lib/proc.mjs';
import { sleep, soon, until } from '../lib/wait.mjs';
import { Wire } from '../lib/wire.mjs';

const LOOK_MS = 1_500;
const skip = isRoot ? false : 'only root may look at what a gateway has open';
let house, gateway;

before(async () => {
  if (skip) return;
  house = await House.open({ requests: false });
  ({ gateway } = house);
});
after(() => house?.close());

// CPU seconds so far.
function spent(pid) {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

// `spare` more than the highest number that is open now; more() takes it back.
function exhaust(pid, spare = 6) {
  const most = Math.max(...readdirSync(`/proc/${pid}/fd`).map(Number)) + 1 + spare;
  return { most, more: limit(pid, 'nofile', most) };
}

// Connections that say nothing: they fill what is left below the limit, and the kernel keeps the rest.
async function knock(count) {
  return Promise.all(Array.from({ length: count }, () => Wire.tcp(gateway.port)));
}

const free = (pid, most) => most - descriptors(pid);

// What becomes of one more tunnel: "open", a status, or "closed"; not even an end is a failure.
function tryTunnel() {
  return soon(10_000, 'one more tunnel, or its end', gateway.tunnel('office', house.token).then(({ ws, answer, wire }) => {
    wire.end();
    return ws ? 'open' : answer?.status ?? 'closed';
  }, () => 'closed'));
}

// How many it has when nothing is coming or going any more.
async function settledAt(pid) {
  gateway.hangUp();
  let last, times = 0;
  await until('nothing comes or goes', () => {
    const now = descriptors(pid);
    times = now === last ? times + 1 : 0;
    last = now;
    return times === 15;
  }, { every: 50 });
  return last;
}

// Cores that a process uses by itself.
async function idleUse(pid) {
  const [before, begun] = [spent(pid), Date.now()];
  await sleep(LOOK_MS);
  return (spent(pid) - before) / ((Date.now() - begun) / 1000);
}

test('the gate', { timeout: 180_000, skip }, async (t) => {
  const gate = gateway.part('gate');
  const { more } = exhaust(gate);
  const wires = [];
  try {
    const at = gateway.log.length;
    wires.push(...await knock(24));
    await until('it has none left', () => /accept: out of descriptors or memory/.test(gateway.log.slice(at)));
    const { beats } = house.canary;
    const cpu = await idleUse(gate);
    const lines = gateway.log.slice(at).split('\n').filter((line) => /accept:/.test(line)).length;
    t.diagnostic(`${Math.round(cpu * 100)} % of a core, ${house.canary.beats - beats} beats, ${lines} lines`);
    assert.ok(cpu < 0.2, `it does not spin: ${cpu}`);
    assert.ok(lines <= cpus().length, 'one line for each of its threads');
    await house.canary.heard();
  } finally {
    more();
  }
  await gateway.healthy();
  for (const wire of wires) wire.end();
  assert.equal(gateway.part('gate'), gate, 'it is the same gate');
  assert.equal(await house.books.signIn(house.books.add()), 200);
  await house.canary.heard();
  await house.books.whole();
});

// A connection takes one, its way to the HTTP library two, the desktop one.
const SPARE = { 1: 'closed', 2: 'closed', 3: 503, 4: 'open' };

test('the gate, when it needs one more for a request or a tunnel', { timeout: 180_000, skip }, async () => {
  const gate = gateway.part('gate');
  const open = () => descriptors(gate);
  const base = await settledAt(gate);
  for (const [spare, due] of Object.entries(SPARE)) {
    await until(() => `${open()} descriptors are ${base} again`, () => open() <= base);
    const { more, most } = exhaust(gate);
    const wires = [];
    try {
      wires.push(...await knock(Math.max(0, most - base - spare)));
      await until('they are accepted', () => most - open() <= spare);
      assert.equal(await tryTunnel(), due, `with ${most - base - wires.length} left`);
      await house.canary.heard();
    } finally {
      more();
      for (const wire of wires) wire.end();
    }
    await gateway.healthy();
  }
  assert.equal(gateway.part('gate'), gate);
  await until('what was refused is not listed', () => gateway.json('tunnel', 'list').length === 1);
});

test('the keeper', { timeout: 180_000, skip }, async (t) => {
  const keeper = gateway.part('keeper');
  const { more, most } = exhaust(keeper);
  try {
    const at = gateway.log.length;
    // A dial takes two descriptors, one of which stays with the tunnel's client.
    const opened = await gateway.tunnels('office', house.token, free(keeper, most) + 4);
    const refused = opened.filter(({ ws }) => !ws);
    assert.ok(refused.length > 0, 'it has none left');
    for (const { answer } of refused) {
      assert.equal(answer.status, 500, String(answer.body));
      assert.match(String(answer.body), /"error":"failed"/);
    }
    await gateway.said(/Too many open files/, at);
    assert.equal(await house.books.signIn(house.books.add()), 200, 'signing in takes none');
    const cpu = await idleUse(keeper);
    t.diagnostic(`${Math.round(cpu * 100)} % of a core, ${refused.length} of ${opened.length} refused`);
    assert.ok(cpu < 0.3, `it does not spin: ${cpu}`);
    await house.canary.heard();
    for (const { wire } of opened) wire.end();
  } finally {
    more();
  }
  assert.equal(await tryTunnel(), 'open', 'and then it opens again');
  assert.equal(gateway.part('keeper'), keeper);
  await house.canary.heard();
  await house.books.whole();
});

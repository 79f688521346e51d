// No memory, in the gate and in the keeper: once by a limit at which allocations fail (RLIMIT_DATA), once
// by a cgroup in which the kernel kills. Who is there goes on or ends with a true reason; nobody is
// told that a right password was wrong; the supervisor starts again what was killed.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { House } from '../lib/fault_house.mjs';
import { isRoot, sanitized } from '../lib/gateway.mjs';
import { limit, status } from '../lib/proc.mjs';
import { sleep, until } from '../lib/wait.mjs';

let house, gateway;

before(async () => {
  house = await House.open({ requests: false });
  ({ gateway } = house);
});
after(() => house?.close());

// So many bytes of its own beyond what it has now.
const narrow = (pid, more) => limit(pid, 'data', status(pid, 'VmData') * 1024 + more);

const options = { timeout: 180_000, skip: sanitized ? 'a sanitizer maps terabytes' : false };

test('the keeper cannot allocate: a right password is not called wrong', options, async (t) => {
  const keeper = gateway.part('keeper');
  const person = house.books.add();
  const at = gateway.log.length;
  const more = narrow(keeper, 8 << 20); // a hash takes 19 MiB
  let refused;
  try {
    refused = await person.signIn();
    assert.notEqual(refused.status, 401, 'it was right');
    assert.deepEqual([refused.status, refused.json.error], [503, 'busy'], refused.body);
    assert.ok(Number(refused.headers['retry-after']) > 0);
    await gateway.said(/out of memory: a password could not be judged/, at);
    assert.deepEqual(gateway.audit('--event', 'sign-in', '--last', '100').filter((row) => row.user === person.name && row.outcome === 'denied'), []);
    await house.canary.heard();
  } finally {
    more();
  }
  t.diagnostic(refused.body);
  assert.equal(await house.books.signIn(person), 200);
  assert.equal(gateway.part('keeper'), keeper, 'it is the same keeper');
  await house.canary.heard();
  await house.books.whole();
});

test('the gate cannot allocate: who is there goes on', options, async (t) => {
  const gate = gateway.part('gate');
  const more = narrow(gate, 256 << 10);
  const answers = {};
  const held = [];
  let killed = false;
  try {
    const tries = Array.from({ length: 150 }, () => gateway.wire().then((wire) => {
      held.push(wire);
      return 'open';
    }, () => 'closed'));
    for (const answer of await Promise.all(tries)) answers[answer] = (answers[answer] ?? 0) + 1;
    await house.canary.heard().catch((error) => {
      killed = gateway.part('gate') !== gate;
      if (!killed) throw error;
    });
  } finally {
    if (!killed) more();
    for (const wire of held) wire.end();
  }
  assert.ok(killed || answers.closed > 0, `it had none left: ${JSON.stringify(answers)}`);
  t.diagnostic(`${JSON.stringify(answers)}${killed ? ', and the gate ended' : ''}`);
  await gateway.healthy();
  if (killed) {
    await house.gateLost();
    await house.canary.stop();
    await house.perch();
  }
  await house.canary.heard();
  assert.equal(await house.books.signIn(house.books.add()), 200);
  await house.books.whole();
});

// ---- killed by the kernel ----

// The folder in which groups with a limit on memory can be made, and that limit's file.
function memoryGroups() {
  if (!isRoot) return undefined;
  for (const [folder, file] of [['/sys/fs/cgroup', 'memory.max'], ['/sys/fs/cgroup/memory', 'memory.limit_in_bytes']]) {
    const group = join(folder, `deskgate-test-${process.pid}`);
    try {
      if (file === 'memory.max') writeFileSync(join(folder, 'cgroup.subtree_control'), '+memory');
      mkdirSync(group);
      if (existsSync(join(group, file))) return { group, file };
      rmdirSync(group);
    } catch { /* not this one */ }
  }
  return undefined;
}

const groups = memoryGroups();
after(async () => {
  if (groups) await until('nobody is in the group', () => {
    try {
      rmdirSync(groups.group);
      return true;
    } catch {
      return false;
    }
  });
});

// Moves a process into a group that may have `bytes` beyond what it has now.
function confine(pid, bytes) {
  writeFileSync(join(groups.group, groups.file), String(bytes));
  writeFileSync(join(groups.group, 'cgroup.procs'), String(pid));
}

async function killedByKernel(name, pid, act) {
  const at = gateway.log.length;
  let goOn = true;
  const work = (async () => {
    while (goOn) await act().catch(() => {});
  })();
  await until(() => `the ${name} is killed\n${gateway.log.slice(at)}`, () => {
    const now = gateway.part(name);
    return now !== undefined && now !== pid;
  }, { ms: 40_000 });
  goOn = false;
  await work;
  const due = new RegExp(`child\\.end: ended unexpectedly child=${name} pid=${pid} signal=Killed`);
  await until(() => `${due}\n${gateway.log.slice(at)}`, () => due.test(gateway.log.slice(at)));
  await gateway.healthy();
  await until('the client of the canary sees the end', () => house.canary.ws.wire.over);
  await house.canary.stop();
  const row = await until('its end is on record', () => gateway.audit('--event', 'tunnel-close', '--last', '1000')
    .filter((one) => one.user === 'anna').at(-1), { every: 100 });
  assert.match(row.detail, /^why=gate-lost/);
  await house.perch();
  assert.equal(await house.books.signIn(house.books.add()), 200);
  await house.books.whole();
}

const grouped = { ...options, skip: options.skip || (groups ? false : 'no cgroup with a limit on memory can be made here') };

test('the kernel kills the keeper for its memory', grouped, async () => {
  const person = house.books.add();
  const code = person.codes.wrong();
  const keeper = gateway.part('keeper');
  confine(keeper, 4 << 20);
  await killedByKernel('keeper', keeper, () => person.signIn({ code }));
});

test('the kernel kills the gate for its memory', grouped, async () => {
  const gate = gateway.part('gate');
  confine(gate, 1 << 20);
  const wires = [];
  await killedByKernel('gate', gate, async () => {
    wires.push(await gateway.wire());
    await sleep(1);
  });
  for (const wire of wires) wire.end();
  assert.ok(readFileSync(`/proc/${gateway.part('gate')}/cgroup`, 'utf8').indexOf('deskgate-test') < 0, 'the new one is not in the group');
});

// SIGKILL to each process, one by one and together. crash.test.mjs has what becomes of sign-ins in
// the middle of it; here is what becomes of a tunnel, of the sockets and of the processes.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { after, before, test } from 'node:test';
import { House } from '../lib/fault_house.mjs';
import { alive, childrenOf } from '../lib/proc.mjs';
import { freePort } from '../lib/servers.mjs';
import { until } from '../lib/wait.mjs';
import { Wire } from '../lib/wire.mjs';

let house, gateway;

before(async () => {
  // A port that nobody is given while it is free.
  house = await House.open({ conf: { server: { listen: `127.0.0.1:${await freePort()}` } }, requests: false });
  ({ gateway } = house);
});
after(() => house?.close());

// Whoever has this state folder on its command line.
function processes() {
  return readdirSync('/proc').filter((entry) => {
    try {
      return /^\d+$/.test(entry) && alive(Number(entry)) &&
        readFileSync(`/proc/${entry}/cmdline`, 'latin1').split('\0').includes(gateway.state);
    } catch {
      return false;
    }
  }).map(Number);
}

// All are found before the first is killed: the rest may follow by themselves.
function kill(...names) {
  const pids = names.map((name) => (name === 'supervisor' ? gateway.pid : gateway.part(name)));
  for (const pid of pids) process.kill(pid, 'SIGKILL');
  return pids;
}

// The canary's tunnel: its client is told nothing but sees the end at once; the audit log says why.
async function ends(act) {
  const before = gateway.audit('--event', 'tunnel-close', '--last', '1000').length;
  const dead = await act();
  const killed = Date.now();
  await until('the client sees the end', () => house.canary.ws.wire.over);
  await house.canary.stop();
  await until('nobody is left at the desktop', () => house.desktops.office.connections.size === 0);
  await until('the killed are gone', () => !dead.some(alive));
  await gateway.healthy();
  const row = await until('the end is on record', () => gateway.audit('--event', 'tunnel-close', '--last', '1000')[before], { every: 100 });
  assert.match(row.detail, /^why=gate-lost way=tunnel tunnel=\d+ up=\d+ down=\d+ seconds=\d+$/);
  assert.deepEqual([row.user, row.desktop], ['anna', 'office']);
  assert.deepEqual(gateway.json('tunnel', 'list'), []);
  return Date.now() - killed;
}

async function works() {
  assert.equal(await house.books.signIn(house.books.add()), 200, 'new people come in');
  await house.perch();
  await house.canary.heard();
  await house.books.whole();
  assert.equal(processes().length, 3, 'supervisor, keeper, gate: no orphan');
  assert.equal(childrenOf(gateway.pid).length, 2);
}

for (const who of [['gate'], ['keeper'], ['gate', 'keeper'], ['keeper', 'gate']]) {
  test(`${who.join(' and ')}`, { timeout: 180_000 }, async (t) => {
    const { pid } = gateway;
    t.diagnostic(`back and on record within ${await ends(() => kill(...who))} ms`);
    assert.equal(gateway.pid, pid);
    assert.ok(gateway.running());
    await works();
  });
}

test('the supervisor: its children go with it, and its sockets are free at once', { timeout: 180_000 }, async () => {
  const before = [gateway.part('gate'), gateway.part('keeper')];
  await ends(async () => {
    const { port } = gateway;
    kill('supervisor');
    await gateway.process.ended;
    await until('no process is left', () => processes().length === 0);
    const server = createServer();
    await new Promise((fulfil, fail) => {
      server.once('error', fail);
      server.listen(port, '127.0.0.1', () => server.close(fulfil));
    });
    await assert.rejects(Wire.tcp(port));
    await gateway.serve();
    assert.equal(gateway.port, port, 'the same address again');
    return before;
  });
  await works();
});

test('all three at once', { timeout: 180_000 }, async () => {
  await ends(async () => {
    const dead = kill('gate', 'keeper', 'supervisor');
    await gateway.process.ended;
    await gateway.serve();
    return dead;
  });
  await works();
});

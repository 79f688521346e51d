// 'deskgate upgrade': the program that is installed now takes over, nobody is dropped, no
// connection is refused, and one that does not start leaves everything as it was.
import assert from 'node:assert/strict';
import { appendFileSync, chmodSync, copyFileSync, existsSync, mkdtempSync, readFileSync, readdirSync, readlinkSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Canary } from './lib/canary.mjs';
import { binary, Gateway, isRoot } from './lib/gateway.mjs';
import { alive, childrenOf, root, run, start, status } from './lib/proc.mjs';
import { echoServer } from './lib/servers.mjs';
import { sleep, soon, until } from './lib/wait.mjs';

let folder;
let program;
let gateway;
let user;
let token;
let desktop;
let installed = 0;

// What a package does: another file takes the name of the one that runs.
function install(make = (file) => { copyFileSync(binary, file); appendFileSync(file, `${installed}`); }) {
  installed++;
  make(`${program}.new`);
  chmodSync(`${program}.new`, 0o755);
  renameSync(`${program}.new`, program);
}

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'deskgate-upgrade-'));
  if (isRoot) chmodSync(folder, 0o711);
  program = join(folder, 'deskgate');
  install();
  desktop = await echoServer();
  gateway = await Gateway.make({ program, conf: { tunnel: { idle_seconds: 600 } } });
  user = gateway.addUser('anna');
  gateway.addDesktop('echo', desktop.port);
  gateway.grant(user, 'echo');
  token = await user.token();
});

after(async () => {
  await gateway?.remove();
  await desktop?.close();
  rmSync(folder, { recursive: true, force: true });
});

const upgrade = (options = {}) => gateway.cli('upgrade', options);

// Below the first supervisor: [{pid, name, program}], its own pair and its successors'. Only root may
// see which program it is.
function all() {
  const below = (pid) => childrenOf(pid).flatMap((child) => {
    try {
      return [{ pid: child, name: status(child, 'Name'), program: isRoot && readlinkSync(`/proc/${child}/exe`) }, ...below(child)];
    } catch {
      return [];
    }
  });
  return below(gateway.pid);
}
const gates = () => all().filter(({ name }) => name === 'deskgate-gate');
const settled = () => until(() => `one gate is left\n${gateway.log.slice(-3000)}`, () => gates().length === 1, { ms: 30_000 });

async function echoes(ws, size = 1000) {
  const sent = randomBytes(size);
  ws.send(sent);
  assert.ok((await ws.read(size, 10_000))?.equals(sent), 'the bytes come back');
}

// One connection after the other, each with a request of its own, until stop() tells how many and
// what went wrong.
function knock() {
  const told = { count: 0, wrong: [] };
  let stopped = false;
  const ended = (async () => {
    while (!stopped) {
      try {
        const answer = await gateway.http('GET', '/api/session', { fresh: true, token });
        if (answer.status !== 200) told.wrong.push(answer.status);
      } catch (error) {
        told.wrong.push(String(error));
      }
      told.count++;
    }
  })();
  return { count: () => told.count, stop: async () => { stopped = true; await ended; return told; } };
}

test('a transfer runs across three upgrades, and nobody who comes is refused', { timeout: 180_000 }, async () => {
  const { ws } = await gateway.tunnel('echo', token);
  const knocking = [knock(), knock(), knock()];
  const pid = gateway.pid;
  let moved = 0;
  let stopped = false;
  const transfer = (async () => {
    while (!stopped) {
      await echoes(ws, 100_000);
      moved += 100_000;
    }
  })();
  const news = [];
  for (let round = 0; round < 3; round++) {
    install();
    const before = moved;
    const knocked = knocking.map((one) => one.count());
    assert.match(upgrade().stdout, /the new program serves/);
    await until('the transfer goes on', () => moved > before + 500_000);
    const opened = await gateway.tunnel('echo', token); // by the new one
    await echoes(opened.ws);
    news.push(opened);
    assert.equal(gates().length, round + 2);
    await until('they knock on', () => knocking.every((one, i) => one.count() > knocked[i] + 7), { ms: 60_000 });
  }
  const told = await Promise.all(knocking.map((one) => one.stop()));
  for (const { count, wrong } of told) {
    assert.deepEqual(wrong, []);
    assert.ok(count > 20, `${count} connections`);
  }
  stopped = true;
  await transfer;
  assert.ok(moved > 1_500_000);
  for (const { ws: other } of news) await echoes(other);
  assert.equal(gateway.pid, pid, 'the service is the same process');
  assert.equal(gateway.json('tunnel', 'list').length, 4, 'all tunnels are known');
  const current = () => gates().filter((gate) => !isRoot || gate.program === program);
  if (isRoot) assert.equal(current().length, 1);
  for (const one of [{ ws }, ...news]) one.ws.wire.end();
  await settled();
  assert.equal(current().length, 1);
  await until('all ends are written', () => gateway.json('tunnel', 'list').length === 0);
  assert.equal(gateway.cli('audit', 'verify').status, 0);
});

test('a connection to the program before is told to come anew', async () => {
  const wire = await gateway.wire();
  const ask = async () => {
    wire.send('GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n');
    return wire.answer();
  };
  assert.equal((await ask()).status, 200);
  install();
  upgrade();
  const answer = await until('it says so', async () => { // the order is on its way
    const said = await ask();
    return said?.status !== 200 && said;
  });
  assert.equal(answer.status, 503);
  assert.equal(answer.headers.connection, 'close');
  assert.equal((await wire.rest()).length, 0);
  await gateway.healthy();
  await settled();
});

test('a word of the administrator reaches tunnels of the program before', async () => {
  const { ws } = await gateway.tunnel('echo', token);
  const bert = gateway.addUser('bert');
  gateway.grant(bert, 'echo');
  const berts = await gateway.tunnel('echo', await bert.token());
  install();
  upgrade();
  await echoes(ws);
  gateway.cli('user', 'disable', 'bert');
  assert.equal((await soon(1_500, 'the end', berts.ws.closed())).code, 4004);
  await echoes(ws);
  // Limits count what the program before has.
  gateway.cli('user', 'limit', 'anna', '--tunnels', '2');
  const second = await gateway.tunnel('echo', token);
  assert.ok(second.ws);
  const third = await gateway.tunnel('echo', token);
  assert.equal(third.ws, null);
  gateway.cli('tunnel', 'end', String(gateway.json('tunnel', 'list')[0].id));
  assert.equal((await ws.closed()).code, 4003);
  await until('one has ended, so another one may be', async () => (await gateway.tunnel('echo', token)).ws !== null);
  gateway.cli('user', 'limit', 'anna', '--tunnels', 'none');
  gateway.cli('tunnel', 'end', '--user', 'anna');
  await settled();
});

// Each is installed, fails, and changes nothing.
const broken = {
  'a program that is none': [(file) => writeFileSync(file, 'rubbish'), /signal|code|cannot/],
  'a program that ends': [(file) => writeFileSync(file, '#!/bin/sh\nexit 3\n'), /code 3/],
  'a program that is killed': [(file) => writeFileSync(file, '#!/bin/sh\nkill -9 $$\n'), /signal/],
};
for (const [what, [make, words]] of Object.entries(broken)) {
  test(`${what} leaves all as it was`, async () => {
    const canary = await Canary.start(gateway, 'echo', token);
    const before = all().map(({ pid }) => pid).sort();
    install(make);
    const said = run(binary, ['--state', gateway.state, 'upgrade'], { allow: true });
    assert.notEqual(said.status, 0);
    assert.match(said.stderr, words);
    assert.match(said.stderr, /goes on undisturbed|nothing has been changed/);
    await until('only those of before are left', () => JSON.stringify(all().map(({ pid }) => pid).sort()) === JSON.stringify(before));
    await canary.heard();
    await canary.stop();
    install();
  });
}

test('a configuration that is wrong is refused before anything happens', async () => {
  const before = all().map(({ pid }) => pid).sort();
  const file = join(gateway.state, 'deskgate.conf');
  const good = readFileSync(file, 'utf8');
  writeFileSync(file, `${good}\n[nonsense]\n`);
  appendFileSync(file, 'key = 1\n');
  const said = upgrade({ allow: true });
  assert.equal(said.status, 78);
  assert.match(said.stderr, /nonsense.*nothing has been changed/);
  writeFileSync(file, good);
  // What only the new program finds: the certificate.
  const cert = join(gateway.state, 'tls/cert.pem');
  const pem = readFileSync(cert);
  writeFileSync(cert, 'rubbish');
  const other = upgrade({ allow: true });
  assert.notEqual(other.status, 0);
  assert.match(other.stderr, /code 78.*undisturbed/);
  writeFileSync(cert, pem);
  await until('only those of before are left', () => JSON.stringify(all().map(({ pid }) => pid).sort()) === JSON.stringify(before));
});

test('a newer schema that only adds: the older program goes on; any other one takes a restart', async () => {
  const version = 1000;
  gateway.sql('ALTER TABLE users ADD COLUMN of_tomorrow INTEGER NOT NULL DEFAULT 0');
  gateway.sql(`PRAGMA user_version = ${version}`);
  await until('it signs people in', async () => (await user.signIn()).status === 200);
  const { ws } = await gateway.tunnel('echo', token);
  await echoes(ws);
  upgrade(); // a program that knows as little: what was added does not hurt it
  await echoes(ws);
  gateway.sql(`PRAGMA application_id = ${version}`);
  const before = gates().map(({ pid }) => pid).sort();
  const said = upgrade({ allow: true });
  assert.match(said.stderr, /code 78.*undisturbed/);
  await echoes(ws);
  await until('only those of before are left', () => JSON.stringify(gates().map(({ pid }) => pid).sort()) === JSON.stringify(before));
  gateway.sql('PRAGMA application_id = 10');
  gateway.sql('PRAGMA user_version = 10');
  ws.wire.end();
  await settled();
});

test('the one that serves takes up new files, and starts its gate again', async () => {
  install();
  upgrade();
  await settled();
  const [{ pid }] = gates();
  process.kill(pid, 'SIGKILL');
  await until('another gate', () => gates().length === 1 && gates()[0].pid !== pid);
  await gateway.healthy();
  gateway.configure({ tunnel: { ping_seconds: 17 } });
  await gateway.reload(/conf\.reload: .*changed="?\[tunnel\] ping_seconds/);
});

test('drain_seconds end what is left, with a true reason', async () => {
  gateway.configure({ server: { drain_seconds: 5 } });
  const { ws } = await gateway.tunnel('echo', token);
  await gateway.reload(/drain_seconds/);
  install();
  upgrade();
  await echoes(ws);
  assert.equal((await ws.closed(30_000)).code, 1001);
  await settled();
  gateway.configure({ server: { drain_seconds: 43200 } });
  await gateway.reload(/drain_seconds/);
});

test('what is done for all is done once', async () => {
  const { ws } = await gateway.tunnel('echo', token);
  install();
  upgrade();
  for (let i = 0; i < 3; i++) await gateway.login({ username: 'anna', password: 'wrong', code: '000000' });
  gateway.cli('alert', 'test', 'new_network');
  await until('it was raised', () => gateway.json('alert', 'list').length > 0);
  await sleep(1500);
  assert.equal(gateway.json('alert', 'list').length, 1);
  ws.wire.end();
  await settled();
});

test('SIGTERM ends all of them, and nothing is left', async () => {
  const { ws } = await gateway.tunnel('echo', token);
  install();
  upgrade();
  const newer = await gateway.tunnel('echo', token);
  const pids = all().map(({ pid }) => pid);
  assert.ok(pids.length >= 5);
  const [first, second] = [ws.closed(10_000), newer.ws.closed(10_000)];
  const ended = gateway.stop();
  assert.equal((await first).code, 1001);
  assert.equal((await second).code, 1001);
  assert.deepEqual(await ended, { code: 0, signal: null });
  assert.deepEqual(pids.filter(alive), []);
  assert.equal(existsSync(join(gateway.state, 'serve.sock')), false);
  await gateway.serve();
});

test('when the first supervisor is killed nothing is left', async () => {
  install();
  upgrade();
  const pids = all().map(({ pid }) => pid);
  await gateway.stop({ signal: 'SIGKILL' });
  await until('the others end, too', () => pids.every((pid) => !alive(pid)));
  await gateway.serve();
});

test('when the successor dies the service ends, to be started again', async () => {
  install();
  upgrade();
  await settled();
  const [{ pid: gate }] = gates();
  const heir = childrenOf(gateway.pid).find((pid) => childrenOf(pid).includes(gate)); // not what is left of the pair before
  process.kill(heir, 'SIGKILL');
  const { code } = await gateway.process.ended;
  assert.notEqual(code, 0);
  await gateway.serve();
});

test('two gateways in one folder are one too many', () => {
  const said = run(program, ['--state', gateway.state, 'serve'], { allow: true });
  assert.equal(said.status, 69);
  assert.match(said.stderr, /another gateway runs/);
});

test('upgrade without a gateway says so', async () => {
  await gateway.stop();
  const said = upgrade({ allow: true });
  assert.equal(said.status, 69);
  assert.match(said.stderr, /no gateway runs/);
  await gateway.serve();
});

test('a command of a newer program does not change the database under an older one that serves', () => {
  const folder = mkdtempSync(join(tmpdir(), 'deskgate-older-'));
  const state = join(folder, 'state');
  try {
    run(binary, ['--state', state, 'init', '--name', 'localhost', '--listen', '127.0.0.1:0']);
    for (const name of readdirSync(state).filter((one) => one.startsWith('deskgate.db'))) rmSync(join(state, name));
    // The schema of before, to the step that does not only add.
    const schema = join(root, 'db/schema');
    const steps = readdirSync(schema).filter((name) => name.endsWith('.sql')).sort();
    const last = steps.findLastIndex((name) => !readFileSync(join(schema, name), 'utf8').startsWith('-- additive'));
    const text = steps.slice(0, last).map((name) => readFileSync(join(schema, name), 'utf8')).join('\n');
    run('python3', ['-c', 'import sqlite3,sys\nc=sqlite3.connect(sys.argv[1])\nc.execute("PRAGMA journal_mode=WAL")\nc.executescript(sys.stdin.read())\nc.execute(f"PRAGMA user_version={sys.argv[2]}")\nc.commit()\n',
      join(state, 'deskgate.db'), String(last)], { input: text });
    // The older program holds the folder's lock.
    const refused = run('flock', [state, binary, '--state', state, 'user', 'list'], { allow: true });
    assert.equal(refused.status, 69, refused.stderr);
    assert.match(refused.stderr, /needs changes that the program which runs could not live with.*a restart makes them/);
    assert.notEqual(run('flock', [state, binary, '--state', state, 'init'], { allow: true }).status, 0);
    assert.match(run('flock', [state, binary, '--state', state, 'check'], { allow: true }).stdout, /restart the gateway with this program/);
    assert.equal(run(binary, ['--state', state, 'user', 'list'], { allow: true }).status, 0, 'with nobody there it is brought up to date');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

// The keeper among those, stopped before it serves, as a long step of the schema or a slow disk would have it;
// undefined when it was quicker.
async function hold(those) {
  const keeper = await until('a keeper', () => those().find((pid) => {
    try {
      return status(pid, 'Name') === 'deskgate-keeper';
    } catch {
      return false;
    }
  }), { every: 1 });
  process.kill(keeper, 'SIGSTOP');
  await until('it is stopped', () => status(keeper, 'State').startsWith('T'));
  if (status(keeper, 'Threads') === '1') return keeper; // its threads are made before it serves
  process.kill(keeper, 'SIGCONT');
  return undefined;
}

// An upgrade whose keeper is held: {keeper, heir, command}.
async function heldUpgrade() {
  for (;;) {
    const known = childrenOf(gateway.pid);
    const command = start(program, ['--state', gateway.state, 'upgrade']);
    const keeper = await hold(() => childrenOf(gateway.pid).filter((pid) => !known.includes(pid)).flatMap(childrenOf));
    if (keeper) return { keeper, heir: Number(status(keeper, 'PPid')), command };
    await command.ended;
    await settled();
  }
}

// What 20 connections get that are opened now.
const strangers = () => Promise.all(Array.from({ length: 20 }, () =>
  gateway.http('GET', '/api/session', { fresh: true, token, timeout: 5_000 }).then(({ status: code }) => code, String)));

// Hundredths of a second.
function cpu(pid) {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const [user, system] = stat.slice(stat.lastIndexOf(')') + 2).split(' ').slice(11, 13).map(Number);
  return user + system;
}

test('who comes while the successor starts is served by the one before, and keeps that when it is given up', { timeout: 180_000 }, async () => {
  install();
  const given = await heldUpgrade();
  const used = cpu(given.heir);
  assert.deepEqual(await strangers(), Array(20).fill(200));
  const { ws } = await gateway.tunnel('echo', token);
  await sleep(500);
  assert.ok(cpu(given.heir) - used < 10, 'its supervisor sleeps meanwhile');
  process.kill(given.keeper, 'SIGKILL');
  assert.notEqual((await given.command.ended).code, 0);
  assert.match(given.command.err, /undisturbed/);
  await echoes(ws);
  // One that is only slow takes over.
  const slow = await heldUpgrade();
  assert.deepEqual(await strangers(), Array(20).fill(200));
  process.kill(slow.keeper, 'SIGCONT');
  assert.equal((await slow.command.ended).code, 0, slow.command.err);
  assert.deepEqual(await strangers(), Array(20).fill(200));
  await echoes(ws);
  ws.wire.end();
  await settled();
});

test('no gate answers before its keeper serves, so that a balancer sends nobody there', { timeout: 120_000 }, async () => {
  await gateway.restart();
  let keeper;
  while (!keeper) {
    const dead = await until('a keeper', () => gateway.part('keeper'));
    process.kill(dead, 'SIGKILL');
    keeper = await hold(() => childrenOf(gateway.pid).filter((pid) => pid !== dead));
  }
  await assert.rejects(gateway.http('GET', '/healthz', { fresh: true, timeout: 1_000 }));
  const waits = gateway.http('GET', '/api/session', { fresh: true, token });
  await sleep(200);
  process.kill(keeper, 'SIGCONT');
  assert.equal((await waits).status, 200, 'who waits is served then');
  await gateway.healthy();
});

test('a reload while the successor starts is the successor\'s, too', { timeout: 120_000 }, async () => {
  const tls = join(gateway.state, 'tls');
  const made = await Gateway.make({ serve: false });
  install();
  const { keeper, command } = await heldUpgrade(); // it has read the files that are there now
  try {
    for (const name of ['cert.pem', 'key.pem']) {
      copyFileSync(join(made.state, 'tls', name), join(tls, `${name}.new`));
      chmodSync(join(tls, `${name}.new`), 0o600);
      if (isRoot) run('chown', ['nobody', join(tls, `${name}.new`)]);
      renameSync(join(tls, `${name}.new`), join(tls, name));
    }
    await gateway.reload();
  } finally {
    process.kill(keeper, 'SIGCONT');
    await made.remove();
  }
  assert.equal((await command.ended).code, 0, command.err);
  gateway.ca = readFileSync(join(tls, 'cert.pem'));
  await settled();
  assert.deepEqual(await strangers(), Array(20).fill(200), 'the new certificate is shown');
});

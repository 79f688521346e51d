// backup and restore: made while the gateway works, restored into another folder, and people sign in
// there with the password and the second factor that they have.
import assert from 'node:assert/strict';
import { existsSync, lstatSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Canary } from './lib/canary.mjs';
import { binary, Gateway, isRoot, PASSWORD } from './lib/gateway.mjs';
import { run, start } from './lib/proc.mjs';
import { echoServer } from './lib/servers.mjs';

let gateway;
let user;
let token;
let invitation;
let desktop;
let file;

before(async () => {
  desktop = await echoServer();
  gateway = await Gateway.make();
  user = gateway.addUser('anna');
  gateway.addDesktop('echo', desktop.port);
  gateway.grant(user, 'echo');
  token = await user.token();
  ({ invitation } = gateway.json('user', 'invite', 'newcomer'));
  file = join(gateway.folder, 'a.backup');
  gateway.cli('backup', file);
});
after(async () => {
  await gateway?.remove();
  await desktop?.close();
});

const restore = (from, folder, { args = [], ...options } = {}) =>
  run(binary, ['--state', join(gateway.folder, folder), 'restore', from, ...args], options);

test('it is made while the gateway works, private and whole', async () => {
  const own = join(gateway.folder, 'own.backup');
  const before = gateway.audit('--event', 'backup').length;
  const canary = await Canary.start(gateway, 'echo', token);
  const writing = start(binary, ['--state', gateway.state, 'backup', own]);
  assert.deepEqual(await writing.ended, { code: 0, signal: null });
  assert.match(writing.out, /every key in clear/);
  await canary.heard();
  await canary.stop();
  assert.equal(statSync(own).mode & 0o777, 0o600);
  assert.equal(gateway.audit('--event', 'backup').length, before + 1);
  assert.deepEqual(readdirSync(gateway.state).filter((name) => name.includes('backup')), [], 'no copy is left');
  const again = gateway.cli('backup', own, { allow: true });
  assert.equal(again.status, 73);
  assert.match(again.stderr, /is there already/);
  gateway.cli('backup', own, '--force');
});

test('restored elsewhere, people sign in with what they have', { timeout: 120_000 }, async () => {
  const other = await Gateway.make({ serve: false });
  try {
    rmSync(other.state, { recursive: true });
    if (isRoot) mkdirSync(other.state, { mode: 0o700 }); // an empty one will do as well
    const said = run(binary, ['--state', other.state, 'restore', file]);
    assert.match(said.stdout, /Everybody signs in anew/);
    assert.equal(statSync(other.state).mode & 0o777, 0o700);
    await other.serve();
    assert.equal((await other.http('GET', '/api/session', { token })).status, 401, 'a session of then');
    assert.equal((await gateway.post('/api/setup', { invitation })).status, 200);
    assert.notEqual((await other.post('/api/setup', { invitation })).status, 200, 'an invitation that may have been used since');
    const signed = await other.login({ username: 'anna', password: PASSWORD, code: await user.codes.next() });
    assert.equal(signed.status, 200, signed.body);
    const { ws } = await other.tunnel('echo', signed.json.token);
    ws.send(Buffer.from('hello'));
    assert.equal((await ws.read(5, 5_000)).toString(), 'hello');
    ws.wire.end();
    assert.match(other.cli('audit', 'verify').stdout, /each as it was written, and the last one is sealed/);
    const [noted, ...others] = other.audit('--event', 'restore');
    assert.match(noted.detail, /^of a backup of 20\d\d-\d\d-\d\dT[\d:]+Z by deskgate /);
    assert.deepEqual(others, []);
    assert.deepEqual(readFileSync(join(other.state, 'tls/key.pem')), readFileSync(join(gateway.state, 'tls/key.pem')));
    assert.doesNotMatch(readFileSync(join(other.state, 'deskgate.db')).toString('latin1'), /backup_files/);
    // Not over one that runs.
    const running = run(binary, ['--state', other.state, 'restore', file, '--force'], { allow: true });
    assert.equal(running.status, 69);
    assert.match(running.stderr, /stop it first/);
  } finally {
    await other.remove();
  }
});

test('with a passphrase nothing of it is readable, and another one opens nothing', () => {
  const sealed = join(gateway.folder, 'b.backup');
  gateway.cli('backup', '--passphrase', sealed, { input: 'a long passphrase\n' });
  assert.doesNotMatch(readFileSync(sealed).toString('latin1'), /SQLite|anna|BEGIN|backup_files/);
  const wrong = restore(sealed, 'sealed', { input: 'another one\n', allow: true });
  assert.equal(wrong.status, 65);
  assert.match(wrong.stderr, /passphrase is another one.*nothing has been changed/);
  assert.equal(existsSync(join(gateway.folder, 'sealed')), false);
  restore(sealed, 'sealed', { input: 'a long passphrase\n' });
  assert.match(run(binary, ['--state', join(gateway.folder, 'sealed'), 'user', 'list']).stdout, /anna/);
  for (const at of [0.2, 0.9]) {
    const bytes = readFileSync(sealed);
    bytes[Math.floor(bytes.length * at)] ^= 1;
    writeFileSync(join(gateway.folder, 'c.backup'), bytes);
    const said = restore(join(gateway.folder, 'c.backup'), 'changed', { input: 'a long passphrase\n', allow: true });
    assert.equal(said.status, 65);
    assert.equal(existsSync(join(gateway.folder, 'changed')), false);
  }
});

test('a file that was changed, cut short or is none changes nothing', () => {
  const bytes = readFileSync(file);
  const bad = join(gateway.folder, 'bad');
  const flipped = Buffer.from(bytes);
  flipped[bytes.length >> 1] ^= 1;
  const versions = {
    flipped, short: bytes.subarray(0, bytes.length - 100), empty: Buffer.alloc(0), tiny: bytes.subarray(0, 80),
    none: Buffer.from('SQLite format 3'), longer: Buffer.concat([bytes, Buffer.from('x')]),
  };
  for (const [what, content] of Object.entries(versions)) {
    writeFileSync(bad, content);
    const said = restore(bad, 'bad-state', { allow: true });
    assert.equal(said.status, 65, `${what}: ${said.stderr}`);
    assert.match(said.stderr, /nothing has been changed/);
  }
  assert.deepEqual(readdirSync(gateway.folder).filter((name) => name.startsWith('bad-state')), []);
});

test('what is there is kept beside it, with --force', () => {
  restore(file, 'twice');
  const state = join(gateway.folder, 'twice');
  run(binary, ['--state', state, 'user', 'disable', 'anna']);
  const said = restore(file, 'twice', { allow: true });
  assert.equal(said.status, 73);
  assert.match(said.stderr, /is not empty/);
  const forced = restore(file, 'twice', { args: ['--force'] });
  const before = forced.stdout.match(/before is in (\S+)\./)[1];
  const disabled = (folder) => JSON.parse(run(binary, ['--state', folder, 'user', 'list', '--json']).stdout)[0].disabled;
  assert.equal(disabled(before), true);
  assert.equal(disabled(state), false);
});

test('files that the configuration names elsewhere are in it', async () => {
  const other = await Gateway.make({ serve: false });
  const elsewhere = join(gateway.folder, 'elsewhere.pem');
  const own = join(gateway.folder, 'elsewhere.backup');
  try {
    renameSync(join(other.state, 'tls/cert.pem'), elsewhere);
    other.configure({ tls: { certificate: elsewhere, key: 'tls/key.pem' } });
    other.cli('backup', own);
  } finally {
    await other.remove();
  }
  const said = restore(own, 'outside');
  assert.match(said.stdout, /1 files that lay elsewhere/);
  assert.deepEqual(readFileSync(join(gateway.folder, 'outside/outside', elsewhere)), readFileSync(elsewhere));
});

test("certbot's folder is there again, and whose it must be", async () => {
  const other = await Gateway.make({ serve: false });
  const own = join(gateway.folder, 'webroot.backup');
  const of = (state) => statSync(join(state, 'acme'));
  try {
    other.configure({ server: { acme_folder: 'acme/.well-known/acme-challenge' } });
    other.cli('init');
    other.cli('backup', own);
    restore(own, 'webroot');
    const state = join(gateway.folder, 'webroot');
    assert.deepEqual([of(state).mode & 0o777, of(state).uid], [0o700, of(other.state).uid]);
    rmSync(join(state, 'acme'), { recursive: true });
    const said = run(binary, ['--state', state, 'check', '--json'], { allow: true }).stdout;
    const { message, mend } = JSON.parse(said).items.find(({ item }) => item === 'configured path');
    assert.match(message, /^\[server\] acme_folder: .*\/acme: No such file/);
    assert.match(mend, /deskgate init/);
    run(binary, ['--state', state, 'init']);
    assert.equal(of(state).uid, of(other.state).uid);
  } finally {
    await other.remove();
  }
});

test('what is not whole does not pass for it', async () => {
  const other = await Gateway.make({ serve: false });
  const conf = join(other.state, 'deskgate.conf');
  const own = join(gateway.folder, 'partial.backup');
  try {
    const text = readFileSync(conf, 'utf8');
    writeFileSync(conf, `${text}\n[tls]\nkye = /etc/key.pem\n`);
    const unread = other.cli('backup', own, { allow: true });
    assert.equal(unread.status, 78);
    assert.match(unread.stderr, /no backup was made[^]*correct deskgate.conf first/);
    assert.equal(existsSync(own), false);
    writeFileSync(conf, text);
    const [inside, outside] = [join(other.state, 'roots.pem'), join(other.folder, 'more.pem')];
    other.configure({ desktops: { authorities: inside }, audit: { authorities: outside } });
    const partial = other.cli('backup', own, { allow: true });
    assert.equal(partial.status, 66, partial.stderr);
    for (const path of [inside, outside]) assert.match(partial.stderr, new RegExp(`${path} is not in the backup: No such file`));
    assert.match(partial.stderr, /is made, but not whole: 2 files/);
    other.configure({ desktops: { authorities: other.folder }, audit: { authorities: `${conf}/roots.pem` } });
    const none = other.cli('backup', own, '--force', { allow: true });
    assert.equal(none.status, 66, none.stderr);
    assert.match(none.stderr, new RegExp(`${other.folder} is not in the backup: Is a directory`));
    assert.match(none.stderr, /roots\.pem is not in the backup: Not a directory/);
    other.configure({ desktops: { authorities: inside }, audit: { authorities: outside } });
    assert.match(other.audit('--event', 'backup')[0].detail, /, with files missing$/);
    writeFileSync(inside, 'x');
    writeFileSync(outside, 'x');
    assert.match(other.cli('backup', own, '--force').stdout, /the database and \d+ files/);
  } finally {
    await other.remove();
  }
});

test('usage', () => {
  assert.match(run(binary, ['backup', '--help']).stdout, /backup FILE \[OPTIONS\]/);
  assert.match(run(binary, ['restore', '--help']).stdout, /restore FILE \[OPTIONS\]/);
  assert.equal(run(binary, ['backup'], { allow: true }).status, 64);
  assert.equal(run(binary, ['restore', 'a', 'b'], { allow: true }).status, 64);
});

test('what is no file is never replaced, not even with --force', () => {
  const [pipe, link, target, dangling] = ['pipe', 'link', 'target', 'dangling'].map((name) => join(gateway.folder, name));
  run('mkfifo', [pipe]);
  writeFileSync(target, 'theirs');
  symlinkSync(target, link);
  symlinkSync(join(gateway.folder, 'nowhere'), dangling);
  for (const place of [pipe, link, dangling, gateway.folder]) {
    const kind = lstatSync(place).mode;
    for (const more of [[], ['--force']]) {
      const said = gateway.cli('backup', place, ...more, { allow: true });
      assert.equal(said.status, 73, said.stdout);
      assert.match(said.stderr, /is no file; name a file/);
      assert.doesNotMatch(said.stderr, /--force/);
      assert.equal(lstatSync(place).mode, kind);
    }
  }
  assert.equal(readFileSync(target, 'utf8'), 'theirs');
});

test('backups that lie in the state folder do not grow each other', async () => {
  const own = await Gateway.make({ serve: false });
  try {
    const sizes = [0, 1, 2].map((at) => {
      const place = join(own.state, `n${at}`);
      const said = own.cli('backup', place, ...(at === 1 ? ['--passphrase'] : []), { input: 'a long passphrase\n' });
      if (at > 0) assert.match(said.stdout, new RegExp(`left out: ${at}\\.`));
      return statSync(place).size;
    });
    assert.ok(sizes[2] < 1.2 * sizes[0], `${sizes}`);
    restore(join(own.state, 'n2'), 'grown');
    assert.deepEqual(readdirSync(join(gateway.folder, 'grown')).filter((name) => /^n\d$/.test(name)), []);
  } finally {
    await own.remove();
  }
});

// What a new administrator may well do, and what is said then: words that read otherwise than they are
// taken, files that are in the way, settings that leave a trap.
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { binary, Gateway, isRoot } from './lib/gateway.mjs';
import { run, start } from './lib/proc.mjs';

let gateway;
before(async () => {
  gateway = await Gateway.make({ serve: false });
});
after(() => gateway?.remove());

const refused = (status, words, ...args) => {
  const said = gateway.cli(...args, { allow: true });
  assert.equal(said.status, status, said.stdout + said.stderr);
  assert.match(said.stderr, words);
  return said;
};

// A person with a grant for a desktop, of the test's own.
function grant(person, desktop) {
  const user = gateway.addUser(person);
  gateway.addDesktop(desktop, 3389, '10.0.0.7');
  gateway.grant(user, desktop);
  return user;
}

test('hours in which a day without times stands before one with times are refused, and read on where they stand', () => {
  grant('hanna', 'hours');
  refused(65, /a day without times is the whole day/, 'grant', 'limit', 'hanna', 'hours', '--hours', 'mon,wed,fri 08:00-18:00');
  const allowed = (at) => gateway.json('explain', 'hanna', 'hours', '--at', at).allowed;
  for (const hours of ['mon 08:00-18:00, wed 08:00-18:00', 'mon-fri 08:00-18:00, sat', 'mon,tue']) gateway.cli('grant', 'limit', 'hanna', 'hours', '--hours', hours);
  assert.equal(allowed('2026-11-30T03:00'), true, 'a Monday without times');
  const grants = () => JSON.parse(gateway.cli('check', '--json', { allow: true }).stdout).items.filter(({ item }) => item === 'grant');
  assert.deepEqual(grants().map(({ level }) => level), ['ok']);
  // As a version before took them.
  gateway.sql('UPDATE grants SET hours = ? WHERE user_id = (SELECT id FROM users WHERE name = ?)', 'mon,wed 08:00-18:00', 'hanna');
  assert.equal(allowed('2026-11-30T03:00'), true);
  assert.equal(allowed('2026-12-02T03:00'), false);
  const [found] = grants();
  assert.equal(found.level, 'warning');
  assert.match(found.message, /^hanna for hours: 'mon,wed 08:00-18:00' has days without times, which are whole days$/);
  assert.match(found.mend, /grant limit/);
  gateway.sql('UPDATE grants SET hours = ?', '');
});

// ---- init ----

// A folder of the test's own, in which there may be state folders.
function folder(t) {
  const made = mkdtempSync(join(tmpdir(), 'deskgate-admin-'));
  t.after(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

const init = (state, ...args) => run(binary, ['--state', state, 'init', '--name', 'localhost', ...args], { allow: true });

test('an init whose words cannot be leaves nothing that is in the way of the next', (t) => {
  const state = join(folder(t), 'state');
  for (const wrong of [['--http-listen', '0.0.0.0:443'], ['--listen', '127.0.0.1:8443', '--listen', '127.0.0.1:8443']]) {
    const failed = init(state, ...wrong);
    assert.equal(failed.status, 78, failed.stderr);
    assert.match(failed.stderr, /nothing has been made/);
    assert.equal(existsSync(state), false);
  }
  const done = init(state, '--http-listen', '0.0.0.0:80', ...(isRoot ? ['--user', 'nobody'] : []));
  assert.equal(done.status, 0, done.stderr);
  assert.match(readFileSync(join(state, 'deskgate.conf'), 'utf8'), /^http_listen = 0\.0\.0\.0:80$/m);
});

test('what a failed init has made is the gateway user\'s, too', { skip: !isRoot && 'only root can give it away' }, (t) => {
  const state = join(folder(t), 'state');
  run('mkdir', ['-m', '700', state]);
  run('chown', ['nobody:nogroup', state]);
  writeFileSync(join(state, 'secret.key'), 'rubbish', { mode: 0o600 });
  assert.notEqual(init(state, '--user', 'nobody', '--listen', '127.0.0.1:0').status, 0);
  const { uid } = statSync(state);
  for (const name of ['deskgate.conf', 'tls', 'tls/key.pem']) assert.equal(statSync(join(state, name)).uid, uid, name);
});

test('several inits at once make one key and its certificate', { timeout: 120_000 }, async (t) => {
  const base = folder(t);
  for (let round = 0; round < 8; round++) {
    const state = join(base, String(round));
    const all = Array.from({ length: 4 }, () => start(binary, ['--state', state, 'init', '--name', 'localhost', '--listen', '127.0.0.1:0']));
    for (const one of all) assert.deepEqual(await one.ended, { code: 0, signal: null }, one.err);
    const key = (...args) => run('openssl', args).stdout;
    assert.equal(key('x509', '-in', join(state, 'tls/cert.pem'), '-noout', '-pubkey'), key('pkey', '-in', join(state, 'tls/key.pem'), '-pubout'));
  }
});

// ---- explain ----

test('explain says what a person must do before any rule counts', () => {
  const explain = (...args) => [gateway.cli('explain', ...args).stdout, gateway.json('explain', ...args)];
  grant('due', 'explained');
  const [plain, object] = explain('due', 'explained');
  assert.equal(object.due, '');
  assert.doesNotMatch(plain, /But/);
  gateway.cli('user', 'must-change', 'due');
  const [changed, { allowed, due }] = explain('due', 'explained');
  assert.match(changed, /^Allowed: .*\nBut first the person must choose a new password/);
  assert.deepEqual([allowed, due], [true, 'password']);

  gateway.cli('user', 'invite', 'guest', '--hours', '1');
  gateway.grant('guest', 'explained');
  const [invited, json] = explain('guest', 'explained');
  assert.match(invited, /\nBut the person has not taken up the invitation: without a password that an administrator has set there is no sign-in before\.\n/);
  assert.equal(json.due, 'invitation');
  const later = new Date(Date.now() + 7_200_000).toISOString().slice(0, 16);
  const [expires, { due: then }] = explain('guest', 'explained', '--at', later);
  assert.match(expires, /which will have expired by then/);
  assert.equal(then, 'invitation-expired');
});

test('explain says so when the password is too old', () => {
  grant('old', 'aged');
  gateway.configure({ password: { profile: 'classic', max_days: 90 } });
  assert.equal(gateway.json('explain', 'old', 'aged').due, '');
  gateway.sql('UPDATE users SET password_at = password_at - 91 * 86400 WHERE name = ?', 'old');
  assert.equal(gateway.json('explain', 'old', 'aged').due, 'password');
  gateway.configure({ password: { profile: 'modern' } });
});

// ---- a configuration that cannot be read ----

// While `work` runs; a gateway that runs goes on with what it has.
function misspelt(work) {
  const file = join(gateway.state, 'deskgate.conf');
  const text = readFileSync(file, 'utf8');
  writeFileSync(file, `${text}\n[server]\nnmae = gate.example\n`);
  try {
    return work();
  } finally {
    writeFileSync(file, text);
  }
}

test('without the configuration nobody gets a link that leads elsewhere, and people can be locked out', () => {
  gateway.addUser('stays');
  const people = join(gateway.folder, 'zoe.csv');
  writeFileSync(people, 'name\nzoe\n');
  const before = gateway.json('user', 'list');
  misspelt(() => {
    for (const words of [['invite', 'zed'], ['invite', 'stays'], ['invite', 'zed', '--json'], ['import', people]]) {
      const said = refused(78, /link would lead elsewhere, and nothing was changed; correct deskgate.conf first/, 'user', ...words);
      assert.equal(said.stdout, '');
    }
    gateway.cli('user', 'disable', 'stays');
  });
  const is = gateway.json('user', 'list');
  assert.deepEqual(is.map(({ name }) => name), before.map(({ name }) => name));
  assert.equal(is.find(({ name }) => name === 'stays').disabled, true);
  gateway.cli('user', 'enable', 'stays');
  assert.match(gateway.json('user', 'invite', 'zed').link, /^https:\/\/localhost\/#setup=/);
});

// ---- dates that are none ----

test('where there is no date, none is written', () => {
  grant('dateless', 'dated');
  gateway.cli('user', 'limit', 'dateless', '--idle', '15m');
  gateway.cli('grant', 'limit', 'dateless', 'dated', '--hours', 'mon');
  const details = () => ['user-limit', 'grant-limit'].flatMap((event) => gateway.audit('--event', event))
    .filter(({ user }) => user === 'dateless').map(({ detail }) => detail);
  assert.equal(details().length, 2);
  for (const detail of details()) assert.match(detail, /^from=none until=none /);
  const exported = () => gateway.cli('user', 'export').stdout.replaceAll('"', '').split('\r\n').find((line) => line.startsWith('dateless'));
  assert.equal(exported(), 'dateless,,no,,,,user');
  // What is exported is imported again, and a date is taken away by an empty cell.
  const file = join(gateway.folder, 'dates.csv');
  const take = (text) => {
    writeFileSync(file, `name,valid_from,valid_until,tunnels\r\ndateless,${text}\r\n`);
    gateway.cli('user', 'import', file);
  };
  take('2020-01-01,2040-01-01T08:00:00Z,2');
  assert.match(exported(), /^dateless,,no,20[12][0-9-]{7}T[0-9:]+Z,2040-01-01T08:00:00Z,2,user$/);
  take(',,');
  assert.equal(exported(), 'dateless,,no,,,,user');
  assert.ok(details().every((detail) => !detail.includes('1970')), `${details()}`);
});

test('until a day is with that day, where the gateway is', () => {
  grant('daily', 'days');
  gateway.configure({ policy: { time_zone: 'Europe/Berlin' } });
  try {
    const limit = (...words) => gateway.json('grant', 'limit', 'daily', 'days', ...words);
    const { from, until } = limit('--from', '2040-03-25', '--until', '2040-03-25'); // 23 hours long
    assert.deepEqual([from, until], ['2040-03-24T23:00:00Z', '2040-03-25T22:00:00Z']);
    assert.equal(limit('--until', until).until, until, 'what is shown is taken again as it is');
    assert.equal(limit('--from', 'none', '--until', '2040-03-25T18:00').until, '2040-03-25T16:00:00Z');
    refused(65, /end before it begins/, 'grant', 'limit', 'daily', 'days', '--from', '2040-03-26', '--until', '2040-03-25');
    // 0 would be no end at all.
    for (const verb of [['grant', 'limit', 'daily', 'days'], ['user', 'limit', 'daily']]) refused(65, /write such as/, ...verb, '--until', '1970-01-01T00:00Z');
    refused(65, /--until '1970-01-01T00:00Z'/, 'audit', 'list', '--until', '1970-01-01T00:00Z');
    assert.equal(gateway.json('user', 'limit', 'daily', '--until', '2040-12-31').until, '2040-12-31T23:00:00Z');

    const file = join(gateway.folder, 'days.csv');
    const take = (cell) => {
      writeFileSync(file, `name,valid_from,valid_until\ndaily,,${cell}\n`);
      return gateway.cli('user', 'import', file, { allow: true });
    };
    take('2040-06-30');
    assert.match(gateway.cli('user', 'export').stdout, /"?daily.*2040-06-30T22:00:00Z/);
    const none = take('1970-01-01T00:00Z');
    assert.deepEqual([none.status, /valid_until '1970-01-01T00:00Z' is not such as/.test(none.stderr)], [65, true]);

    const today = new Date().toLocaleDateString('sv', { timeZone: 'Europe/Berlin' });
    assert.ok(gateway.audit('--since', today, '--until', today, '--user', 'daily').length > 0);
  } finally {
    gateway.configure({ policy: { time_zone: '' } });
  }
});

// ---- limits, and what takes them away ----

test('no connection at all is no number of connections, and no limit is shown as none', () => {
  grant('limited', 'limits');
  for (const [kind, name] of [['user', 'limited'], ['desktop', 'limits']]) {
    gateway.cli(kind, 'limit', name, '--tunnels', '3');
    refused(65, /--tunnels '0': give 1 or more, or none for any number/, kind, 'limit', name, '--tunnels', '0');
    assert.equal(gateway.json(kind, 'limit', name).tunnels, 3);
    assert.match(gateway.cli(kind, 'limit', name, '--tunnels', 'none').stdout, /^tunnels +none$/m);
    assert.match(gateway.cli(kind, 'limit', name).stdout, /^idle seconds +none$/m);
    assert.equal(gateway.json(kind, 'limit', name).tunnels, 0);
  }
  const file = join(gateway.folder, 'none.csv');
  writeFileSync(file, 'name,tunnels\nlimited,0\n');
  refused(65, /line 2: tunnels '0' is not a number from 1; an empty cell is any number/, 'user', 'import', file);
});

test('grant limit takes --user, as add and remove do', () => {
  grant('owner', 'owned');
  const shown = gateway.json('grant', 'limit', '--user', 'owner', 'owned');
  assert.deepEqual([shown.who, shown.desktop, shown.hours], ['owner', 'owned', '']);
  assert.equal(gateway.json('grant', 'limit', '--user', 'owner', 'owned', '--hours', 'tue').hours, 'tue');
});

test("a desktop's network card is taken away by none", () => {
  gateway.cli('desktop', 'add', 'carded', '--host', '10.0.0.8', '--mac', '00:1a:2b:3c:4d:5e');
  gateway.cli('desktop', 'set', 'carded', '--mac', 'none');
  assert.equal(gateway.json('desktop', 'show', 'carded').mac, '');
});

// ---- output that nobody gets ----

test('what cannot be printed is said', { skip: !isRoot && 'only root can make a device' }, (t) => {
  const full = join(folder(t), 'full');
  run('mknod', [full, 'c', '1', '7']); // always full
  for (const words of [['check'], ['check', '--json'], ['--help'], ['--version'], ['help'], ['backup', '--help'], ['user', 'list', '--json']]) {
    const said = run('sh', ['-c', 'exec "$0" "$@" >"$FULL"', binary, '--state', gateway.state, ...words], { allow: true, env: { FULL: full } });
    assert.equal(said.status, 74, words.join(' '));
    assert.match(said.stderr, /standard output could not be written/);
  }
});

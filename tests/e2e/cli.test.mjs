// The command line's verbs, driven as an administrator would: the real binary, a state folder of its
// own, good and bad input, JSON, and exit codes (sysexits.h).
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const binary = resolve(process.env.DESKGATE_BINARY ?? join(root, 'build/server/deskgate'));
const EX = { OK: 0, USAGE: 64, DATA: 65, NO_ROW: 66, UNAVAILABLE: 69, CANTCREAT: 73, IO: 74 };
const PASSWORD = 'correct horse battery staple';

let state; // each test's own

function raw(args, { input = '', dir = state, env = {} } = {}) {
  const result = spawnSync(binary, ['--state', dir, ...args],
    { input, encoding: 'utf8', timeout: 60_000, env: { ...process.env, ...env } });
  assert.equal(result.error, undefined);
  assert.equal(result.signal, null, `killed: ${args.join(' ')}\n${result.stderr}`);
  return result;
}

function good(args, options) {
  const result = raw(args, options);
  assert.equal(result.status, EX.OK, `${args.join(' ')}: ${result.stderr}`);
  return result;
}

const json = (args, options) => JSON.parse(good([...args, '--json'], options).stdout);

// Fails with this code, and says something that matches.
function bad(code, words, args, options) {
  const result = raw(args, options);
  assert.equal(result.status, code, `${args.join(' ')}: ${result.stdout}${result.stderr}`);
  assert.match(result.stderr, words);
  return result;
}

const addUser = (name, password = PASSWORD) => json(['user', 'add', name], { input: `${password}\n` });
const addDesktop = (name, host = '192.168.10.7', ...more) => good(['desktop', 'add', name, '--host', host, ...more]);
const addNamed = () => addDesktop('named', 'pc.example.com', '--port', '13390');
const audit = (...args) => json(['audit', 'list', ...args]);

// Rows that only a running gateway makes.
function sql(text) {
  const script = 'import sqlite3,sys\nc=sqlite3.connect(sys.argv[1])\n' +
    'c.execute("PRAGMA foreign_keys=ON")\nc.executescript(sys.argv[2])\nc.commit()\n';
  const result = spawnSync('python3', ['-c', script, join(state, 'deskgate.db'), text],
    { encoding: 'utf8' });
  assert.equal(result.status, 0, result.stderr);
}

beforeEach(() => {
  state = mkdtempSync(join(tmpdir(), 'deskgate-cli-'));
  good(['init', '--name', 'localhost', '--listen', '127.0.0.1:8443']);
});
afterEach(() => rmSync(state, { recursive: true, force: true }));

test('init makes what certbot needs where there is a port for plain HTTP, and nothing of it elsewhere', () => {
  const other = join(state, 'other');
  const said = good(['init', '--name', 'gate.example', '--http-listen', '127.0.0.1:8080'], { dir: other }).stdout;
  assert.match(said, new RegExp(`^made ${other}/acme$`, 'm'));
  assert.match(said, new RegExp(`^  deskgate --state ${other} user invite NAME$`, 'm'));
  const value = (key, dir) => json(['settings'], { dir }).find((row) => row.section === 'server' && row.key === key).value;
  assert.equal(value('acme_folder', other), 'acme/.well-known/acme-challenge');
  assert.equal(statSync(join(other, 'acme')).mode & 0o777, 0o700);
  assert.equal(value('acme_folder', state), '');
  assert.throws(() => statSync(join(state, 'acme')));
});

test('every verb and sub-verb has help with an example', () => {
  const verbs = {
    user: ['add', 'list', 'passwd', 'totp', 'disable', 'enable', 'remove'],
    desktop: ['add', 'list', 'show', 'set', 'trust', 'remove'],
    group: ['add', 'list', 'remove', 'join', 'leave', 'members'],
    'desktop-group': ['add', 'list', 'remove', 'join', 'leave', 'members'],
    grant: ['add', 'remove', 'limit', 'list'],
    session: ['list', 'end'],
    tunnel: ['list', 'end', 'tell'],
    audit: ['list', 'verify', 'export', 'archive', 'expire', 'accept'],
  };
  for (const [verb, subs] of Object.entries(verbs)) {
    const help = good([verb, '--help'], { dir: '/nonexistent' }).stdout;
    assert.match(help, /Example:\n {2}deskgate /);
    for (const sub of subs) {
      assert.match(help, new RegExp(`^ {2}${sub} `, 'm'));
      const text = good([verb, sub, '--help'], { dir: '/nonexistent' }).stdout;
      assert.match(text, new RegExp(`^Usage: deskgate \\[--state DIR\\] ${verb} ${sub}`));
      assert.match(text, new RegExp(`Example:\\n {2}.*deskgate ${verb} ${sub}`));
    }
    assert.equal(raw([verb]).status, EX.USAGE);
    bad(EX.USAGE, /no sub-verb 'frobnicate'/, [verb, 'frobnicate']);
  }
});

test('mistyped words are guessed', () => {
  bad(EX.USAGE, /did you mean 'list'/, ['user', 'lsit']);
  bad(EX.USAGE, /did you mean --host/, ['desktop', 'add', 'x', '--hots', 'y']);
  bad(EX.USAGE, /needs a value/, ['desktop', 'add', 'x', '--host']);
  bad(EX.USAGE, /given twice/, ['desktop', 'add', 'x', '--host', 'a', '--host', 'b']);
  bad(EX.USAGE, /takes no value/, ['desktop', 'list', '--json=1']);
  bad(EX.USAGE, /more than it takes/, ['desktop', 'list', 'x']);
  bad(EX.USAGE, /missing/, ['desktop', 'remove']);
  bad(EX.USAGE, /before the verb/, ['desktop', 'list', '--state', '/tmp']);
});

test('a database that is none is named once', () => {
  writeFileSync(join(state, 'deskgate.db'), 'rubbish'.repeat(1000));
  for (const [code, args] of [[EX.IO, ['user', 'list']], [EX.CANTCREAT, ['init']]])
    bad(code, /^deskgate: \S*\/deskgate\.db: file is not a database/, args);
});

test('a state folder without a database says what to run', () => {
  const empty = mkdtempSync(join(tmpdir(), 'deskgate-cli-'));
  bad(EX.UNAVAILABLE, /deskgate --state .* init/, ['user', 'list'], { dir: empty });
  rmSync(empty, { recursive: true });
});

test('user add: enrolment as JSON', () => {
  const made = addUser('alice');
  assert.deepEqual(Object.keys(made).sort(), ['otpauth', 'totp_secret', 'user']);
  assert.equal(made.user, 'alice');
  assert.match(made.totp_secret, /^[A-Z2-7]{32,}$/);
  const uri = new URL(made.otpauth);
  assert.equal(uri.protocol, 'otpauth:');
  assert.equal(uri.searchParams.get('secret'), made.totp_secret);
  assert.match(decodeURIComponent(uri.pathname), /alice$/);
  assert.notEqual(addUser('alice2').totp_secret, made.totp_secret);
});

test('user add: enrolment for people, QR code without escapes in a pipe', () => {
  const out = good(['user', 'add', 'bob', '--password-stdin'], { input: `${PASSWORD}\r\n` }).stdout;
  assert.match(out, /otpauth:\/\/totp\//);
  assert.match(out, /[A-Z2-7]{4}/);
  assert.ok(out.split('\n').filter((line) => /^[ ▀▄█]{40,}$/.test(line)).length >= 20);
  assert.doesNotMatch(out, /\x1b/);
  assert.doesNotMatch(out, new RegExp(PASSWORD));
});

test('user add: what is refused', () => {
  addUser('alice');
  const add = (name) => ['user', 'add', name];
  bad(EX.DATA, /already a user 'alice'/, add('alice'), { input: `${PASSWORD}\n` });
  bad(EX.DATA, /already a user/, add('ALICE'), { input: `${PASSWORD}\n` });
  bad(EX.DATA, /empty/, add('carol'), { input: '\n' });
  bad(EX.NO_ROW, /no password came/, add('carol'));
  bad(EX.DATA, /too long/, add('carol'), { input: 'x'.repeat(5000) });
  bad(EX.DATA, /UTF-8/, add('carol'), { input: 'tab\tbed password\n' });
  bad(EX.DATA, /UTF-8/, add('carol'), { input: Buffer.from('nul\0in the password\n') });
  bad(EX.DATA, /UTF-8/, add('carol'), { input: Buffer.from('ff\xffbytes in it\n', 'latin1') });
  bad(EX.DATA, /characters/, add('carol'), { input: 'short\n' });
  for (const name of ['', '.dot', 'two words', 'x'.repeat(65), 'a/b', 'ü', 'esc\x1b[31m']) {
    const told = bad(EX.DATA, /cannot name a user/, add(name), { input: `${PASSWORD}\n` });
    assert.doesNotMatch(told.stderr, /\x1b/);
  }
  bad(EX.USAGE, /no option --password/, ['user', 'add', 'carol', '--password=hunter2-hunter2']);
  assert.ok(!json(['user', 'list']).some((user) => user.name === 'carol'));
});

test('no secret is stored in the open', () => {
  const { totp_secret: seed } = addUser('dora');
  for (const file of ['deskgate.db', 'deskgate.db-wal']) {
    const found = spawnSync('grep', ['-c', '-a', '-e', seed, '-e', PASSWORD, join(state, file)]);
    assert.notEqual(found.status, 0, file);
  }
  const mode = statSync(join(state, 'deskgate.db')).mode & 0o777;
  assert.equal(mode & 0o077, 0);
});

test('user list, disable, enable, passwd, totp, remove', () => {
  addUser('alice');
  const find = (name) => json(['user', 'list']).find((user) => user.name === name);
  assert.deepEqual(Object.keys(find('alice')),
    ['name', 'role', 'disabled', 'created_at', 'signed_in_at', 'invited_until', 'groups', 'from', 'until',
      'tunnels', 'idle_seconds', 'absolute_seconds']);
  assert.equal(find('alice').signed_in_at, null);
  assert.deepEqual(find('alice').groups, []);
  assert.ok(Math.abs(Date.parse(find('alice').created_at) - Date.now()) < 600_000);
  assert.match(good(['user', 'list']).stdout, /^NAME +ROLE +DISABLED/);

  assert.equal(find('alice').role, 'user');
  assert.match(good(['user', 'role', 'alice', 'administrator']).stdout, /alice may now administer/);
  assert.equal(find('alice').role, 'administrator');
  good(['user', 'role', 'alice', 'user']);
  assert.equal(find('alice').role, 'user');
  bad(EX.DATA, /'root' is no role; there are administrator and user/, ['user', 'role', 'alice', 'root']);

  good(['user', 'disable', 'alice']);
  assert.equal(find('alice').disabled, true);
  good(['user', 'enable', 'alice']);
  assert.equal(find('alice').disabled, false);

  good(['user', 'passwd', 'alice'], { input: 'another long password\n' });
  const again = json(['user', 'totp', 'alice']);
  assert.match(again.totp_secret, /^[A-Z2-7]{32,}$/);
  assert.equal(again.user, 'alice');

  addUser('mallory');
  good(['user', 'remove', 'mallory']);
  assert.equal(find('mallory'), undefined);
  for (const args of [['disable', 'alcie'], ['enable', 'alcie'], ['remove', 'alcie'], ['totp', 'alcie']])
    bad(EX.NO_ROW, /no user 'alcie', did you mean 'alice'/, ['user', ...args]);
  bad(EX.NO_ROW, /no user 'alcie'/, ['user', 'passwd', 'alcie'], { input: `${PASSWORD}\n` });
});

test('desktops', () => {
  const made = json(['desktop', 'add', 'desk', '--host', '192.168.10.7']);
  assert.deepEqual(made, { name: 'desk', host: '192.168.10.7', port: 3389, mac: '', description: '',
    trust: 'first-use', fingerprint: '', same_credentials: false, forbidden: [], rdp_settings: [],
    groups: [], tunnels: 0, idle_seconds: 0, absolute_seconds: 0, step_up_seconds: 0 });
  assert.equal(json(['desktop', 'add', 'six', '--host', '[fd00::7]', '--port=3390']).host, 'fd00::7');
  const named = json(['desktop', 'add', 'named', '--host', 'pc.example.com', '--description',
    'Büro 東京', '--mac', '00-1A-2B-3C-4D-5E']);
  assert.equal(named.description, 'Büro 東京');
  assert.equal(named.mac, '00:1a:2b:3c:4d:5e');
  assert.deepEqual(json(['desktop', 'list']).map((desktop) => desktop.name), ['desk', 'named', 'six']);
  assert.match(good(['desktop', 'list']).stdout, /Büro 東京/);

  const set = json(['desktop', 'set', 'named', '--port', '13389', '--mac', '']);
  assert.deepEqual([set.host, set.port, set.mac], ['pc.example.com', 13389, '']);
  bad(EX.USAGE, /nothing to change/, ['desktop', 'set', 'named']);
  bad(EX.NO_ROW, /did you mean 'named'/, ['desktop', 'set', 'nmaed', '--port', '1']);
  bad(EX.DATA, /already a desktop/, ['desktop', 'add', 'DESK', '--host', 'x']);
  bad(EX.USAGE, /--host/, ['desktop', 'add', 'nowhere']);
  for (const host of ['', 'a b', 'desk:3389', '[fd00::1', '300.1.1.1', '127.1', '-x', 'x\x1b[2J'])
    assert.doesNotMatch(bad(EX.DATA, /--host/, ['desktop', 'add', 'n', '--host', host]).stderr, /\x1b/);
  for (const port of ['0', '65536', '-1', '3389x', ''])
    bad(EX.DATA, /1 to 65535/, ['desktop', 'add', 'n', '--host', 'x', `--port=${port}`]);
  bad(EX.DATA, /MAC/, ['desktop', 'add', 'n', '--host', 'x', '--mac', '00:11:22']);
  bad(EX.DATA, /control characters/,
    ['desktop', 'add', 'n', '--host', 'x', '--description', 'a\x1b]0;x\x07']);
  bad(EX.DATA, /200 bytes/, ['desktop', 'add', 'n', '--host', 'x', '--description', 'x'.repeat(201)]);
});

test('desktops where people have the same name', () => {
  addNamed();
  assert.equal(json(['desktop', 'set', 'named', '--same-credentials', 'yes']).same_credentials, true);
  assert.equal(json(['desktop', 'set', 'named', '--port', '13390']).same_credentials, true);
  bad(EX.DATA, /neither yes nor no/, ['desktop', 'set', 'named', '--same-credentials', 'maybe']);
  assert.equal(json(['desktop', 'set', 'named', '--same-credentials', 'no']).same_credentials, false);
});

test('what may not be redirected', () => {
  addNamed();
  const forbid = (words) => json(['desktop', 'set', 'named', '--forbid', words]).forbidden;
  const listed = () => json(['desktop', 'list']).find((desktop) => desktop.name === 'named');
  const last = () => audit('--event', 'desktop-set').at(-1).detail;
  assert.deepEqual(listed().forbidden, []);
  assert.deepEqual(forbid('printers,drives'), ['drives', 'printers']);
  assert.match(last(), /^pc2?\.example\.com port 13390 forbid=drives,printers rdp-settings=none$/);
  assert.deepEqual(json(['desktop', 'set', 'named', '--port', '13390']).forbidden,
    ['drives', 'printers'], 'it stays when something else is changed');
  assert.deepEqual(listed().forbidden, ['drives', 'printers']);
  assert.match(good(['desktop', 'show', 'named']).stdout,
    /^name +named\n(.*\n)*forbidden +drives\n +printers\nrdp settings +-\n/);
  assert.deepEqual(json(['desktop', 'show', 'NAMED']), listed());
  assert.deepEqual(forbid('all'), ['drives', 'printers', 'ports', 'clipboard', 'pnp']);
  for (const words of ['', 'drive', 'drives,', ',drives', 'drives printers', 'drives,none', 'all,pnp'])
    bad(EX.DATA, /drives, printers, ports, clipboard and pnp/, ['desktop', 'set', 'named', `--forbid=${words}`]);
  assert.deepEqual(listed().forbidden.length, 5);
  assert.deepEqual(forbid('none'), []);
  assert.match(last(), / forbid=none /);
  const made = json(['desktop', 'add', 'strict', '--host', '10.0.0.1', '--forbid', 'clipboard,pnp,clipboard']);
  assert.deepEqual(made.forbidden, ['clipboard', 'pnp']);
  good(['desktop', 'remove', 'strict']);
  bad(EX.NO_ROW, /did you mean 'named'/, ['desktop', 'show', 'nmaed']);
});

test('settings of a desktop for .rdp files', () => {
  addNamed();
  const setting = (...lines) => json(['desktop', 'set', 'named',
    ...lines.flatMap((line) => ['--rdp-setting', line])]).rdp_settings;
  const listed = () => json(['desktop', 'list']).find((desktop) => desktop.name === 'named').rdp_settings;
  assert.deepEqual(listed(), []);
  assert.deepEqual(setting('use multimon:i:1', 'audiomode:i:2'), ['use multimon:i:1', 'audiomode:i:2']);
  assert.deepEqual(json(['desktop', 'set', 'named', '--forbid', 'none']).rdp_settings.length, 2, 'they stay');
  assert.deepEqual(setting('use multimon:i:0'), ['audiomode:i:2', 'use multimon:i:0'], 'in place of the old one');
  assert.match(audit('--event', 'desktop-set').at(-1).detail,
    / rdp-settings=audiomode:i:2,use multimon:i:0$/);
  assert.match(good(['desktop', 'show', 'named']).stdout,
    /rdp settings +audiomode:i:2\n +use multimon:i:0\n/);
  for (const line of ['', 'multimon', 'use multimon:i', 'use multimon:i:yes', 'audiomode:i:1\nusername:s:x',
    'gatewayhostname:s:evil.example', 'full address:s:evil.example', 'gatewayaccesstoken:s:x',
    'username:s:anna', 'drivestoredirect:s:*', 'redirectclipboard:i:1', 'signscope:s:x'])
    bad(EX.DATA, /^deskgate: --rdp-setting '/, ['desktop', 'set', 'named', '--rdp-setting', line]);
  bad(EX.DATA, /^deskgate: --rdp-setting '/, // all or nothing
    ['desktop', 'set', 'named', '--rdp-setting', 'audiomode:i:0', '--rdp-setting', 'username:s:x']);
  assert.deepEqual(listed(), ['audiomode:i:2', 'use multimon:i:0']);
  assert.deepEqual(setting('none', 'audiomode:i:1'), ['audiomode:i:1']);
  assert.deepEqual(setting('none'), []);
  bad(EX.USAGE, /too often/, ['desktop', 'set', 'named',
    ...Array(33).fill('--rdp-setting=audiomode:i:1')]);
  const made = json(['desktop', 'add', 'wide', '--host', '10.0.0.1', '--rdp-setting=use multimon:i:1']);
  assert.deepEqual(made.rdp_settings, ['use multimon:i:1']);
  good(['desktop', 'remove', 'wide']);
});

test('which certificate of a desktop is trusted', () => {
  addNamed();
  const seen = 'ab'.repeat(32);
  const typed = `${'AB:'.repeat(16)} ${'ab '.repeat(16)}`;
  const trust = (...args) => json(['desktop', 'trust', 'named', ...args]);
  const last = () => audit('--event', 'desktop-trust').at(-1).detail;
  const listed = () => json(['desktop', 'list']).find((desktop) => desktop.name === 'named');
  const remember = (print) => sql(`UPDATE desktops SET fingerprint = x'${print}', fingerprint_at = 1000 WHERE name = 'named'`);

  assert.deepEqual(trust(), { name: 'named', trust: 'first-use', fingerprint: '', fingerprint_at: null });
  assert.match(good(['desktop', 'trust', 'named']).stdout, /the next certificate seen is remembered/);
  remember(seen);
  assert.equal(trust().fingerprint, seen);
  assert.equal(listed().fingerprint, seen);
  assert.match(good(['desktop', 'trust', 'named']).stdout, new RegExp(seen));
  assert.equal(audit('--event', 'desktop-trust').length, 0, 'looking leaves no trace');

  assert.equal(trust('--renew').fingerprint, '');
  assert.equal(last(), `first-use, not any more ${seen}`);
  remember(seen);
  assert.equal(json(['desktop', 'set', 'named', '--host', 'pc2.example.com']).name, 'named');
  assert.equal(trust().fingerprint, '', 'another machine');

  assert.deepEqual([trust('--pin', typed).trust, trust().fingerprint], ['pin', seen]);
  assert.equal(last(), `pin ${seen}`);
  assert.notEqual(trust().fingerprint_at, null);
  bad(EX.DATA, /pinned; .*--pin, or --first-use/, ['desktop', 'trust', 'named', '--renew']);
  assert.deepEqual([trust().trust, listed().fingerprint], ['pin', seen]);

  const told = good(['desktop', 'trust', 'named', '--ca']);
  assert.match(told.stderr, /warning: .*authorities/);
  assert.deepEqual([trust().trust, trust().fingerprint], ['ca', '']);
  bad(EX.DATA, /--first-use/, ['desktop', 'trust', 'named', '--renew']);
  assert.equal(trust('--first-use').trust, 'first-use');

  for (const print of ['', 'ab', 'ab'.repeat(33), `${'ab'.repeat(31)}ag`, 'ab'.repeat(31)])
    bad(EX.DATA, /64 hexadecimal digits/, ['desktop', 'trust', 'named', `--pin=${print}`]);
  bad(EX.USAGE, /one of/, ['desktop', 'trust', 'named', '--ca', '--renew']);
  bad(EX.USAGE, /one of/, ['desktop', 'trust', 'named', '--first-use', '--pin', seen]);
  bad(EX.NO_ROW, /did you mean 'named'/, ['desktop', 'trust', 'nmaed']);
});

test('ports of other services, and addresses that may not be dialled, are warned about', () => {
  for (const port of ['22', '80', '135', '443', '445', '5900', '49152', '65535']) {
    const told = good(['desktop', 'add', `p${port}`, '--host', '10.0.0.1', '--port', port]);
    assert.match(told.stderr, new RegExp(`warning: port ${port} is`));
    good(['desktop', 'remove', `p${port}`]);
  }
  const usual = good(['desktop', 'add', 'usual', '--host', '10.0.0.1', '--port', '3390']);
  assert.equal(usual.stderr, '');
  assert.match(good(['desktop', 'set', 'usual', '--host', '169.254.1.1']).stderr, /\[dial\]/);
  good(['desktop', 'remove', 'usual']);
  bad(EX.NO_ROW, /no desktop 'usual'/, ['desktop', 'remove', 'usual']);
});

test('groups', () => {
  addUser('alice');
  assert.deepEqual(json(['group', 'add', 'sales']), { name: 'sales', members: 0 });
  bad(EX.DATA, /already a group/, ['group', 'add', 'sales']);
  bad(EX.DATA, /cannot name a group/, ['group', 'add', '--', '-x y']);
  good(['group', 'join', 'sales', 'alice']);
  bad(EX.DATA, /already in group/, ['group', 'join', 'sales', 'alice']);
  bad(EX.NO_ROW, /no user 'nobody'/, ['group', 'join', 'sales', 'nobody']);
  bad(EX.NO_ROW, /no group 'nogroup'/, ['group', 'join', 'nogroup', 'alice']);
  assert.deepEqual(json(['group', 'members', 'sales']), [{ name: 'alice', disabled: false }]);
  assert.deepEqual(json(['group', 'list']), [{ name: 'sales', members: 1 }]);
  good(['group', 'leave', 'sales', 'alice']);
  bad(EX.NO_ROW, /not in group/, ['group', 'leave', 'sales', 'alice']);
  assert.deepEqual(json(['group', 'members', 'sales']), []);
});

test('groups of desktops', () => {
  addUser('alice');
  addDesktop('desk');
  good(['group', 'add', 'sales']);
  assert.deepEqual(json(['desktop-group', 'add', 'rooms']), { name: 'rooms', members: 0 });
  bad(EX.DATA, /already a desktop group/, ['desktop-group', 'add', 'ROOMS']);
  good(['desktop-group', 'join', 'rooms', 'desk']);
  bad(EX.DATA, /desk is already in desktop group rooms/, ['desktop-group', 'join', 'rooms', 'desk']);
  bad(EX.NO_ROW, /no desktop 'alice'/, ['desktop-group', 'join', 'rooms', 'alice']);
  bad(EX.NO_ROW, /no desktop-group 'room', did you mean 'rooms'/, ['desktop-group', 'members', 'room']);
  assert.deepEqual(json(['desktop-group', 'members', 'rooms']), [{ name: 'desk' }]);
  good(['grant', 'add', '--group', 'sales', '--desktop-group', 'rooms']);
  bad(EX.DATA, /group sales may already reach desktop group rooms/, ['grant', 'add', '--group', 'sales', '--desktop-group', 'rooms']);
  bad(EX.USAGE, /who and which/, ['grant', 'add', 'alice', 'desk', '--desktop-group', 'rooms']);
  assert.deepEqual(json(['grant', 'limit', '--group', 'sales', '--desktop-group', 'rooms', '--hours', 'mon 08:00-09:00']),
    { who: 'sales', desktop: 'rooms', from: null, until: null, hours: 'mon 08:00-09:00' });
  assert.deepEqual(json(['grant', 'list', '--desktop-group', 'rooms']),
    [{ kind: 'group', who: 'sales', desktop: 'rooms', desktop_group: true, from: null, until: null, hours: 'mon 08:00-09:00' }]);
  good(['grant', 'add', 'alice', '--desktop-group', 'rooms']);
  good(['grant', 'remove', 'alice', '--desktop-group', 'rooms']);
  good(['desktop-group', 'leave', 'rooms', 'desk']);
  bad(EX.NO_ROW, /not in desktop group/, ['desktop-group', 'leave', 'rooms', 'desk']);
  good(['desktop-group', 'remove', 'rooms']);
  assert.deepEqual(json(['grant', 'list']), []);
});

test('limits in time', () => {
  addUser('alice');
  addDesktop('desk');
  assert.deepEqual(json(['desktop', 'limit', 'desk', '--idle', '15m', '--absolute', '8h', '--step-up', '90s']),
    { name: 'desk', tunnels: 0, idle_seconds: 900, absolute_seconds: 28800, step_up_seconds: 90 });
  assert.equal(json(['desktop', 'limit', 'desk', '--idle', 'none']).idle_seconds, 0);
  assert.equal(json(['desktop', 'limit', 'desk', '--absolute', 'none', '--step-up', 'none']).step_up_seconds, 0);
  assert.equal(json(['user', 'limit', 'alice', '--absolute', '2d']).absolute_seconds, 172800);
  assert.equal(json(['user', 'limit', 'alice', '--absolute', 'none']).absolute_seconds, 0);
  for (const time of ['', '5', '5s', '-5m', '400d', '1h30m', 'soon'])
    bad(EX.DATA, /give a time such as 90s/, ['desktop', 'limit', 'desk', `--idle=${time}`]);
});

const always = { desktop_group: false, from: null, until: null, hours: '' };

test('grants', () => {
  for (const name of ['alice', 'bob']) addUser(name);
  for (const name of ['desk', 'six']) addDesktop(name);
  good(['group', 'add', 'sales']);
  assert.deepEqual(json(['grant', 'add', 'alice', 'desk']),
    { kind: 'user', who: 'alice', desktop: 'desk', ...always });
  good(['grant', 'add', '--user', 'bob', 'desk']);
  good(['grant', 'add', '--group', 'sales', 'six']);
  assert.equal(json(['grant', 'list']).length, 3);
  assert.deepEqual(json(['grant', 'list', '--group', 'sales']),
    [{ kind: 'group', who: 'sales', desktop: 'six', ...always }]);
  assert.equal(json(['grant', 'list', '--desktop', 'desk']).length, 2);
  bad(EX.DATA, /already/, ['grant', 'add', 'alice', 'desk']);
  bad(EX.NO_ROW, /no user 'sales'/, ['grant', 'add', 'sales', 'desk']);
  bad(EX.NO_ROW, /no desktop 'dekk', did you mean 'desk'/, ['grant', 'add', 'alice', 'dekk']);
  bad(EX.USAGE, /who and which/, ['grant', 'add', 'alice']);
  bad(EX.USAGE, /not both/, ['grant', 'add', '--user', 'a', '--group', 'b', 'desk']);
  good(['grant', 'remove', 'bob', 'desk']);
  bad(EX.NO_ROW, /no grant/, ['grant', 'remove', 'bob', 'desk']);
  good(['group', 'remove', 'sales']);
  assert.deepEqual(json(['grant', 'list']).map((grant) => grant.who), ['alice']);
});

test('the audit log holds every act, with who did it', () => {
  for (const name of ['alice', 'mallory']) addUser(name);
  good(['user', 'passwd', 'alice'], { input: 'another long password\n' });
  for (const args of [['user', 'totp', 'alice'], ['user', 'disable', 'alice'], ['user', 'enable', 'alice'], ['user', 'remove', 'mallory'],
    ['desktop', 'add', 'desk', '--host', '10.0.0.1'], ['desktop', 'set', 'desk', '--port', '3390'],
    ['desktop', 'trust', 'desk', '--pin', 'ab'.repeat(32)], ['group', 'add', 'sales'], ['group', 'join', 'sales', 'alice'],
    ['grant', 'add', 'alice', 'desk'], ['grant', 'remove', 'alice', 'desk'], ['desktop', 'remove', 'desk'],
    ['group', 'leave', 'sales', 'alice'], ['group', 'remove', 'sales']]) good(args);
  const rows = audit();
  for (const event of ['user-add', 'user-passwd', 'user-totp', 'user-disable', 'user-enable',
    'user-remove', 'desktop-add', 'desktop-set', 'desktop-trust', 'desktop-remove', 'group-add', 'group-remove',
    'group-join', 'group-leave', 'grant-add', 'grant-remove']) {
    const row = rows.find((one) => one.event === event);
    assert.ok(row, event);
    assert.equal(row.outcome, 'ok');
    assert.match(row.by, /^cli:./);
  }
  assert.doesNotMatch(JSON.stringify(rows), new RegExp(`${PASSWORD}|another long password`));
  assert.ok(rows.every((row, i) => i === 0 || row.id > rows[i - 1].id));
  assert.ok(rows.every((row) => /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(row.at)));

  assert.ok(audit('--event', 'user-add').every((row) => row.event === 'user-add'));
  assert.ok(audit('--user', 'mallory').every((row) => row.user === 'mallory'));
  assert.equal(audit('--user', 'mallory').length, 2);
  assert.deepEqual(audit('--last', '2'), rows.slice(-2));
  assert.equal(audit('--since', '1h').length, rows.length);
  assert.equal(audit('--since', '2100-01-01').length, 0);
  assert.deepEqual(audit('--event', 'none-such'), []);
  bad(EX.DATA, /--since/, ['audit', 'list', '--since', 'yesterday']);
  bad(EX.DATA, /--last/, ['audit', 'list', '--last', '0']);
  assert.match(good(['audit', 'list', '--last', '1']).stdout,
    /^\d{4}-\d\d-\d\dT[\d:.]+[+-]\d\d:\d\d {2}group-remove +ok by=cli:/);
});

test('what fails leaves no trace in the audit log', () => {
  addUser('alice');
  addDesktop('desk');
  good(['grant', 'add', 'alice', 'desk']);
  const before = audit().length;
  bad(EX.NO_ROW, /no user/, ['user', 'disable', 'nobody']);
  bad(EX.DATA, /already/, ['grant', 'add', 'alice', 'desk']);
  bad(EX.NO_ROW, /no session 999/, ['session', 'end', '999']);
  assert.equal(audit().length, before);
});

test('audit list --follow shows what happens next', async () => {
  addDesktop('desk');
  const follow = spawn(binary, ['--state', state, 'audit', 'list', '--follow', '--json', '--last', '1']);
  follow.stdout.setEncoding('utf8');
  let seen = '';
  const wait = (words) => new Promise((fulfil, reject) => {
    const timer = setTimeout(() => reject(new Error(`never came: ${words}\n${seen}`)), 60_000);
    follow.stdout.on('data', (text) => {
      seen += text;
      if (seen.includes(words)) {
        clearTimeout(timer);
        fulfil();
      }
    });
  });
  try {
    await wait('\n');
    const next = wait('followed');
    good(['desktop', 'add', 'followed', '--host', '10.1.1.1']);
    await next;
    for (const line of seen.trim().split('\n'))
      JSON.parse(line);
  } finally {
    follow.kill();
  }
});

test('sessions and tunnels', () => {
  addUser('alice');
  addDesktop('desk');
  const now = Math.floor(Date.now() / 1000);
  const from = "x'00000000000000000000ffffc0000205'"; // 192.0.2.5
  sql(`INSERT INTO users (id, name, password, seed, created_at) VALUES (501, 'erin', 'x', x'00', 1);
    INSERT INTO sessions (id, hash, user_id, created_at, used_at, expires_at, address, agent) VALUES
      (701, randomblob(32), 501, ${now}, ${now}, ${now + 3600}, ${from}, 'agent'),
      (702, randomblob(32), 501, ${now}, ${now}, ${now + 3600}, ${from}, char(27) || '[2J'),
      (703, randomblob(32), 501, ${now}, ${now}, ${now + 3600}, ${from}, '');
    INSERT INTO tunnels (id, session_id, user_id, desktop_id, user_name, desktop_name, host, port,
      way, conn, address, opened_at, up, down)
    SELECT 800 + value, 701, 501, id, 'erin', name, host, port, 'tunnel', '00000000000000a' || value,
      ${from}, ${now}, 1500, 2500000 FROM desktops, (SELECT 1 AS value UNION SELECT 2 UNION SELECT 3)
      WHERE name = 'desk';`);

  const [session] = json(['session', 'list']);
  assert.deepEqual(Object.keys(session), ['id', 'user', 'address', 'created_at', 'used_at',
    'expires_at', 'ended_at', 'end', 'agent']);
  assert.deepEqual([session.id, session.user, session.address, session.ended_at],
    [701, 'erin', '192.0.2.5', null]);
  assert.doesNotMatch(good(['session', 'list', '--json']).stdout, /\x1b/);
  assert.match(good(['session', 'list', '--user', 'erin']).stdout, /^ *ID +USER +ADDRESS/);
  assert.deepEqual(json(['session', 'list', '--user', 'alice']), []);

  const [tunnel] = json(['tunnel', 'list']);
  assert.deepEqual(Object.keys(tunnel), ['id', 'user', 'desktop', 'way', 'address', 'opened_at',
    'up', 'down', 'ended_at', 'end', 'session', 'conn']);
  assert.deepEqual([tunnel.id, tunnel.desktop, tunnel.up, tunnel.session], [801, 'desk', 1500, 701]);
  assert.match(good(['tunnel', 'list']).stdout, /1\.5 kB +2\.5 MB/);

  bad(EX.USAGE, /which\?/, ['tunnel', 'end']);
  bad(EX.DATA, /not a tunnel's number/, ['tunnel', 'end', '8x']);
  bad(EX.NO_ROW, /no live tunnel 899/, ['tunnel', 'end', '801', '899']);
  assert.equal(audit('--event', 'tunnel-end').length, 0); // all or nothing
  good(['tunnel', 'end', '801', '802']);
  good(['tunnel', 'end', '--user', 'erin']);
  assert.equal(audit('--event', 'tunnel-end').length, 5);

  sql(`INSERT INTO tunnels (id, session_id, user_id, desktop_id, user_name, desktop_name, host, port,
      way, conn, address, opened_at)
    SELECT 810 + value, 701, 501, id, 'erin', name, host, port, 'rdg', '00000000000000b' || value,
      ${from}, ${now} FROM desktops, (SELECT 1 AS value UNION SELECT 2) WHERE name = 'desk';`);
  const told = () => audit('--event', 'tunnel-tell').map((row) => row.detail);
  assert.match(good(['tunnel', 'tell', '811', 'Schluss um 18:00 — bitte speichern']).stdout, /1 tunnel;/);
  assert.match(good(['tunnel', 'tell', '--all', 'now']).stdout, /2 tunnels;/);
  assert.deepEqual(told(), ['tunnel 811: Schluss um 18:00 — bitte speichern', 'tunnel 811: now', 'tunnel 812: now']);
  assert.equal(good(['tunnel', 'tell', '--all', 'é'.repeat(360)]).status, EX.OK);
  assert.match(told().at(-1), /^tunnel 812: é+$/, 'cut where a character ends');
  const count = told().length;
  bad(EX.NO_ROW, /no live tunnel 899/, ['tunnel', 'tell', '899', 'x']);
  bad(EX.NO_ROW, /801 cannot show words/, ['tunnel', 'tell', '801', 'x']);
  bad(EX.DATA, /not a tunnel's number/, ['tunnel', 'tell', 'desk', 'x']);
  bad(EX.USAGE, /to whom/, ['tunnel', 'tell', '811']);
  bad(EX.USAGE, /to whom/, ['tunnel', 'tell', '--all', '811', 'x']);
  bad(EX.USAGE, /missing/, ['tunnel', 'tell']);
  for (const [words, why] of [['', /empty/], ['   ', /empty/], ['a\nb', /control/], ['\x1b[2J', /control/],
    ['é'.repeat(361), /720 bytes/]])
    bad(EX.DATA, why, ['tunnel', 'tell', '--all', words]);
  assert.equal(told().length, count);
  sql('UPDATE tunnels SET ended_at = 1 WHERE id > 810');
  bad(EX.NO_ROW, /no live tunnel 811/, ['tunnel', 'tell', '811', 'x']);
  bad(EX.NO_ROW, /no tunnel is open that could show words/, ['tunnel', 'tell', '--all', 'x']);

  bad(EX.USAGE, /which\?/, ['session', 'end']);
  bad(EX.NO_ROW, /no session 799/, ['session', 'end', '702', '799']);
  assert.equal(json(['session', 'list']).length, 3);
  good(['session', 'end', '702']);
  bad(EX.DATA, /already over/, ['session', 'end', '702']);
  good(['session', 'end', '--user', 'erin']);
  assert.deepEqual(json(['session', 'list']), []);
  assert.deepEqual(json(['session', 'list', '--all']).map((one) => one.end), Array(3).fill('admin'));
  assert.doesNotMatch(good(['session', 'list', '--all']).stdout, /\x1b/);
  assert.match(good(['session', 'end', '--user', 'erin']).stdout, /^0 sessions/);
  const [ended] = audit('--event', 'session-end');
  assert.equal(ended.user, 'erin');
});

test('new factors, disabling and removal end the sessions', () => {
  addUser('alice');
  const live = () => json(['session', 'list', '--user', 'alice']).length;
  const signIn = () => sql(`INSERT INTO sessions (hash, user_id, created_at, used_at, expires_at, address)
    SELECT randomblob(32), id, 1, 1, 1, x'00000000000000000000ffffc0000205' FROM users WHERE name = 'alice'`);
  for (const [args, input] of [[['passwd', 'alice'], 'yet another long one, for alice\n'], [['totp', 'alice']],
    [['disable', 'alice']]]) {
    signIn();
    assert.equal(live(), 1);
    good(['user', ...args], { input });
    assert.equal(live(), 0, args[0]);
  }
  good(['user', 'remove', 'alice']);
  assert.ok(!json(['session', 'list', '--all']).some((session) => session.user === 'alice'));
});

test('stored escape sequences never reach the terminal', () => {
  addDesktop('desk');
  sql(`UPDATE desktops SET description = char(27) || ']0;owned' || char(7) || char(155) || '31m',
    host = 'a' || char(10) || 'b' WHERE name = 'desk';
    INSERT INTO audit (at_ms, event, outcome, who, by, desktop, conn, detail, chain)
    VALUES (1, 'sign-in', 'denied', char(27) || '[2J by=cli:root', '', '', '', char(13) || 'x', zeroblob(32));`);
  for (const args of [['desktop', 'list'], ['audit', 'list'], ['desktop', 'list', '--json'],
    ['audit', 'list', '--json']]) {
    const { stdout } = good(args);
    // eslint-disable-next-line no-control-regex
    assert.doesNotMatch(stdout, /[\x00-\x09\x0b-\x1f\x7f-\x9f]/);
  }
  assert.match(good(['audit', 'list']).stdout, /user="\\\\x1b\[2J by=cli:root"/);
});

// A terminal that the test holds: types each answer once its question is seen, and says what the
// screen got.
function terminal(args, answers) {
  const script = `
import json, os, pty, sys
binary, answers = sys.argv[1], json.loads(sys.argv[2])
pid, fd = pty.fork()
if pid == 0:
    os.execv(binary, [binary] + sys.argv[3:])
seen = b''
while True:
    try:
        got = os.read(fd, 65536)
    except OSError:
        break
    if not got:
        break
    seen += got
    if answers and answers[0][0].encode() in seen:
        os.write(fd, answers.pop(0)[1].encode())
sys.stdout.buffer.write(seen)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
`;
  return spawnSync('python3', ['-c', script, binary, JSON.stringify(answers), '--state', state, ...args],
    { encoding: 'utf8', timeout: 60_000 });
}

test('on a terminal the password is asked for twice, unseen, and the QR code has its own colours', () => {
  const made = terminal(['user', 'add', 'tess'],
    [['New password for tess: ', `${PASSWORD}\n`], ['The same again for tess: ', `${PASSWORD}\n`]]);
  assert.equal(made.status, EX.OK, made.stdout);
  assert.doesNotMatch(made.stdout, new RegExp(PASSWORD));
  assert.match(made.stdout, /\x1b\[38;5;16;48;5;231m/);

  const differ = terminal(['user', 'add', 'theo'],
    [['New password for theo: ', `${PASSWORD}\n`], ['The same again for theo: ', 'something else\n']]);
  assert.equal(differ.status, EX.DATA);
  assert.match(differ.stdout, /differ/);
  assert.ok(!json(['user', 'list']).some((user) => user.name === 'theo'));
});

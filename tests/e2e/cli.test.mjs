// The command line's verbs, driven as an administrator would: people, the audit log, sessions and
// tunnels; desktops and who may reach them have a file of their own (cli_desktops).
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { EX, PASSWORD, addDesktop, addUser, audit, bad, binary, good, json, raw, sql, state, eachAtItsOwn } from './lib/cli.mjs';

eachAtItsOwn();

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

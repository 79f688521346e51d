// People in and out as CSV: round trip, all or nothing, and every fault by its line.
import assert from 'node:assert/strict';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { Gateway } from './lib/gateway.mjs';
import { run as runCommand } from './lib/proc.mjs';

let gateway, file;
beforeEach(async () => {
  gateway = await Gateway.make();
  file = join(gateway.folder, 'people.csv');
});
afterEach(() => gateway?.remove());

const HEAD = 'name,groups,disabled,valid_from,valid_until,tunnels,role';

function run(text, ...options) {
  writeFileSync(file, text);
  return gateway.cli('user', 'import', file, ...options, { allow: true });
}
const people = () => gateway.json('user', 'list');
const one = (name) => people().find((each) => each.name === name);

// Three people who were not there before; what the command said.
function three() {
  const done = run(`${HEAD}\r\nanna,staff;night shift crew,no,,2030-01-31T00:00:00Z,2,administrator\r\n`.replace('night shift crew', 'night')
    + '"berta","staff",no,,,,user\r\ncarla,,yes,,,,\r\n');
  assert.equal(done.status, 0, done.stderr);
  return done;
}

test('new people are added with groups, limits and a link each; the link works', async () => {
  const done = three();
  assert.match(done.stderr, /staff is a new group[^]*night is a new group[^]*3 added, 0 changed, 0 as they were/);
  const [head, ...links] = done.stdout.trim().split('\r\n');
  assert.equal(head, 'name,link,expires');
  assert.equal(links.length, 3);
  const anna = one('anna');
  assert.deepEqual([anna.groups, anna.tunnels, anna.role, anna.until], [['night', 'staff'], 2, 'administrator', '2030-01-31T00:00:00Z']);
  assert.equal(one('carla').disabled, true);
  const [, name, link] = /^"(\w+)","([^"]+)",/.exec(links[1]);
  assert.equal(name, 'berta');
  const invitation = /#setup=([\w-]{43})$/.exec(link)[1];
  const offer = await gateway.post('/api/setup', { invitation });
  assert.deepEqual([offer.status, offer.json.username], [200, 'berta']);
  assert.ok(gateway.audit('--event', 'user-invite').some((row) => row.user === 'berta' && row.detail === 'added'));
  assert.ok(gateway.audit('--event', 'group-join').some((row) => row.user === 'berta' && row.detail === 'group staff'));
});

test('what is exported can be imported, and changes nothing', () => {
  three();
  const out = gateway.cli('user', 'export').stdout;
  assert.equal(out.split('\r\n')[0], HEAD);
  assert.doesNotMatch(out, /argon2|setup=/);
  const before = [people(), gateway.audit().length];
  const done = run(out);
  assert.match(done.stderr, /0 added, 0 changed, 3 as they were/);
  assert.deepEqual([people(), gateway.audit().length], before);
  assert.match(run(`\ufeff${out.replaceAll('\r\n', '\n')}`).stderr, /3 as they were/, 'with a byte order mark and bare line feeds, as others write it');
});

test('columns that are not there leave things as they are; empty cells say none', () => {
  three();
  assert.match(run('tunnels,name\n7,berta\n').stderr, /0 added, 1 changed/);
  assert.deepEqual([one('berta').tunnels, one('berta').groups], [7, ['staff']]);
  run('name,groups,tunnels\nberta,night,\n');
  assert.deepEqual([one('berta').tunnels, one('berta').groups], [0, ['night']]);
  run('name,groups\nberta,\n');
  assert.deepEqual(one('berta').groups, []);
});

test('a dry run says what would be, and does nothing', () => {
  three();
  const before = [people(), gateway.audit().length, gateway.json('group', 'list')];
  const done = run('name,groups,tunnels\nnobody-yet,brand-new,1\nanna,staff,3\n', '--dry-run');
  assert.equal(done.status, 0);
  assert.match(done.stderr, /Would be: 1 added, 1 changed, 0 as they were/);
  assert.equal(done.stdout, '');
  assert.deepEqual([people(), gateway.audit().length, gateway.json('group', 'list')], before);
});

test('links that cannot be written: nobody is added', () => {
  writeFileSync(file, 'name\r\nanna\r\n');
  const done = runCommand('sh', ['-c', 'exec "$0" "$@" >/dev/full', gateway.program, '--state', gateway.state, 'user', 'import', file], { allow: true });
  assert.equal(done.status, 74, done.stderr);
  assert.match(done.stderr, /the invitations could not be written; nothing was changed/);
  assert.deepEqual(people(), []);
  assert.equal(run('name\r\nanna\r\n').stdout.trim().split('\r\n').length, 2);
});

test('links go to a file of one\'s own that was not there', () => {
  const links = join(gateway.folder, 'links.csv');
  assert.equal(run('name\nemma\n', '--invitations', links).status, 0);
  assert.equal(statSync(links).mode & 0o777, 0o600);
  assert.match(readFileSync(links, 'utf8'), /^name,link,expires\r\n"emma","https:/);
  const again = run('name\nfrida\n', '--invitations', links);
  assert.notEqual(again.status, 0);
  assert.match(again.stderr, /File exists/);
  assert.equal(one('frida'), undefined);
  const fresh = join(gateway.folder, 'more.csv');
  assert.notEqual(run('name,tunnels\ngerda,many\n', '--invitations', fresh).status, 0);
  assert.equal(existsSync(fresh), false);
});

test('faults: every one by its line, and nothing is changed', () => {
  three();
  const before = [people(), gateway.audit().length];
  for (const [text, ...words] of [
    ['', /empty/],
    ['tunnels\n1\n', /line 1: the first line names the columns/],
    ['name,colour\nx,red\n', /line 1: there is no column 'colour'/],
    ['name,name\nx,y\n', /line 1: the column name is there twice/],
    ['name,tunnels\nx\n', /line 2: it has 1 cells, and the first line 2/],
    ['name\nx,y\n', /line 2: it has 2 cells/],
    ['name\nno name\n', /line 2: 'no name' cannot name a user/],
    ['name,disabled\nanna,maybe\n', /line 2: disabled 'maybe'/],
    ['name,role\nanna,king\n', /line 2: role 'king'/],
    ['name,valid_from,valid_until\nanna,soon,2027-02-30\n', /line 2: valid_from 'soon'/, /line 2: valid_until '2027-02-30'/],
    ['name,valid_from,valid_until\nanna,2027-01-02,2027-01-01\n', /line 2: it would end before it begins/],
    ['name,tunnels\nhanna,1\nanna,-1\nberta,x\n', /line 3: tunnels '-1'/, /line 4: tunnels 'x'/, /nothing was changed/],
    ['name,valid_until\nqa1,\nqa2,2047-12-31\nqa3,31.12.2047\n', /line 4: valid_until '31.12.2047'/],
    ['name,groups\nqa1,fresh\nanna,a b\n', /line 3: 'a b' cannot name a group/],
    ['name,groups\nanna,a b\n', /line 2: 'a b' cannot name a group/],
    ['name\n"anna\n', /line \d+: /],
    ['name\nan"na\n', /line 2: /],
    ['name\n"multi\nline"\nno name\n', /line 2: /, /line 4: 'no name'/],
    [`name\n${Array.from({ length: 30 }, (_, i) => `no ${i}`).join('\n')}\n`, /line 21: 'no 19'/, /… and 10 more; nothing was changed/],
    ['name\nx\0y\n', /line 2: /],
    [Buffer.from('name\nx\xffy\n', 'latin1'), /line 2: it is not UTF-8/],
  ]) {
    const done = run(text);
    assert.equal(done.status, 65, `${text}: ${done.stderr}`);
    for (const each of words) assert.match(done.stderr, each);
    assert.equal(done.stdout, '', 'no link that would lead nowhere');
    assert.doesNotMatch(done.stderr, /is a new group/);
  }
  assert.deepEqual([people(), gateway.audit().length], before);
  assert.equal(gateway.cli('user', 'import', '/nonexistent', { allow: true }).status, 66);
});

test('too much is refused in good time', () => {
  three();
  assert.match(run(`name\n${'x'.repeat(1024 * 1024)}\n`).stderr, /line 2: a cell is longer than 8 KB/);
  assert.match(run(`name\n"${'x\n'.repeat(512 * 1024)}`).stderr, /line 2: a cell is longer than 8 KB/);
  assert.match(run(`name,tunnels\n${`anna,${' '.repeat(8000)}\n`.repeat(1400)}`).stderr, /longer than 10 MB/);
  assert.match(run(`name\n${Array.from({ length: 10_001 }, (_, i) => `p${i}`).join('\n')}\n`).stderr, /more than 10000 people/);
});

test('formulas are kept from spreadsheets on the way out, and come back as they were', () => {
  three();
  gateway.cli('group', 'add', 'x');
  const out = gateway.cli('user', 'export').stdout;
  assert.doesNotMatch(out, /"[=+@-]/);
});

test('a running gateway heeds it at once: who is disabled is out', async () => {
  const user = gateway.addUser('ida');
  const token = await user.token();
  run('name,disabled\nida,yes\n');
  assert.equal((await gateway.http('GET', '/api/session', { token })).status, 401);
});

test('who is new has no password, and none is computed for each: the database is locked meanwhile', () => {
  assert.equal(run(`name\n${Array.from({ length: 20 }, (_, i) => `newcomer-${i}`).join('\n')}\n`).status, 0);
  const script = "import sqlite3,sys\nprint(sqlite3.connect(sys.argv[1]).execute(\"SELECT count(DISTINCT password), count(*) FROM users WHERE name LIKE 'newcomer-%' AND password LIKE '$argon2id$%'\").fetchone())";
  assert.equal(runCommand('python3', ['-c', script, `${gateway.state}/deskgate.db`]).stdout.trim(), '(1, 20)');
});

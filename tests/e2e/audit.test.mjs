// The audit log: tampering with the database by hand, while the gateway is stopped and while it
// runs; many writers at once.
import assert from 'node:assert/strict';
import { createHash, createHmac } from 'node:crypto';
import { copyFileSync, existsSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { Gateway } from './lib/gateway.mjs';
import { run, start } from './lib/proc.mjs';
import { echoServer } from './lib/servers.mjs';
import { caughtUp, sleep, until } from './lib/wait.mjs';

const EX_DATAERR = 65;
const TRIGGERS_OFF = ['audit_is_not_changed', 'audit_is_not_removed', 'audit_is_linked',
  'audit_checkpoints_are_true', 'audit_checkpoints_are_not_removed']
  .map((name) => `DROP TRIGGER IF EXISTS ${name};`).join(' ');
let gateway;

const file = (name) => join(gateway.state, name);

// As somebody does who has the file and sqlite3; gives the rows of the last statement.
function sql(text, last = 'SELECT 1') {
  const script = 'import sqlite3,sys,json\nc=sqlite3.connect(sys.argv[1],timeout=20)\nc.executescript(sys.stdin.read())\n' +
    'rows=c.execute(sys.argv[2]).fetchall()\nc.commit()\nc.close()\nprint(json.dumps(rows))\n';
  return JSON.parse(run('python3', ['-c', script, file('deskgate.db'), last], { input: `BEGIN; ${text}; COMMIT;` }).stdout);
}

const tamper = (text) => sql(`${TRIGGERS_OFF} ${text}`);

function verify(...args) {
  const done = gateway.cli('audit', 'verify', ...args, { allow: true });
  return { code: done.status, words: done.stdout + done.stderr };
}

function broken(words, what = '') {
  const { code, words: said } = verify();
  assert.equal(code, EX_DATAERR, `${what}: ${said}`);
  assert.match(said, words, `${what}: ${said}`);
}

function whole() {
  const { code, words } = verify();
  assert.equal(code, 0, words);
  assert.match(words, /each as it was written, and the last one is sealed/);
  return words;
}

// The state folder's part of the log, to be put back. Nothing may have the database open.
function keep() {
  sql('PRAGMA wal_checkpoint(TRUNCATE);');
  for (const name of ['deskgate.db', 'audit.head']) {
    if (existsSync(file(name))) copyFileSync(file(name), join(gateway.folder, name));
  }
  return () => {
    for (const name of ['deskgate.db-wal', 'deskgate.db-shm']) rmSync(file(name), { force: true });
    for (const name of ['deskgate.db', 'audit.head']) {
      // Written into the file that is there: it keeps its owner.
      if (existsSync(join(gateway.folder, name))) writeFileSync(file(name), readFileSync(join(gateway.folder, name)));
    }
  };
}

// What root can do, who has the key: the log anew, with good seals. Written from the description
// of the chain, not from the program.
function age(count, days) {
  const number = (value) => { const bytes = Buffer.alloc(8); bytes.writeBigInt64BE(BigInt(value)); return bytes; };
  const seal = (id, link) => {
    const key = createHmac('sha256', readFileSync(file('secret.key'))).update('deskgate: seals of the audit log\0').digest();
    return createHmac('sha256', key).update('head\0').update(number(id)).update(link).digest();
  };
  tamper(`UPDATE audit SET at_ms = at_ms - ${days} * 86400000 WHERE id <= ${count};`);
  let link = Buffer.alloc(32), last = 0, text = '';
  const rows = sql('', 'SELECT id, at_ms, hex(address), event, outcome, who, by, desktop, conn, detail FROM audit ORDER BY id');
  for (const [id, at, address, ...texts] of rows) {
    const hash = createHash('sha256').update(link).update(number(id)).update(number(at)).update(number(address.length / 2)).update(Buffer.from(address, 'hex'));
    for (const cell of texts) hash.update(number(Buffer.byteLength(cell))).update(cell);
    link = hash.digest();
    last = id;
    text += `UPDATE audit SET chain = x'${link.toString('hex')}' WHERE id = ${id};`;
  }
  tamper(`${text} UPDATE audit_head SET id = ${last}, link = x'${link.toString('hex')}', seal = x'${seal(last, link).toString('hex')}';`);
  whole();
}

// Each test has its own, since most of them do something to the log; it serves where the test lets it.
beforeEach(async () => {
  gateway = await Gateway.make({ serve: false });
});

afterEach(() => gateway?.remove());

function add(name, count) {
  for (let i = 0; i < count; i++) gateway.cli('group', 'add', `${name}${i}`);
}

async function serveAndNote() {
  await gateway.serve();
  await until('the keeper has noted it', () => existsSync(file('audit.head')));
}

test('many writers at once keep the chain whole', async () => {
  const anna = gateway.addUser('anna');
  await gateway.serve();
  const writers = Array.from({ length: 4 }, (_, i) => start('sh', ['-c',
    `for n in 1 2 3 4 5 6 7 8; do "$0" --state "$1" group add "w${i}-$n" || exit 1; done`, gateway.program, gateway.state]));
  const tries = Array.from({ length: 12 }, () => gateway.login({ username: 'anna', password: 'wrong', code: '000000' }, { fresh: true }));
  tries.push(anna.signIn());
  await Promise.all(tries);
  for (const writer of writers) await until('a writer ends', () => !writer.running(), { ms: 60_000 });
  for (const writer of writers) assert.equal(writer.child.exitCode, 0);
  whole();
  const ids = gateway.audit().map(({ id }) => id);
  assert.deepEqual(ids, ids.map((_, i) => i + 1), 'no number is missing');
  assert.equal(gateway.audit('--event', 'group-add').length, 32);
});

test('the keeper notes a late row in audit.head', async () => {
  add('some', 3);
  await serveAndNote();
  add('late', 1);
  const [[newest]] = sql('', 'SELECT max(id) FROM audit');
  await until('it is there', () => existsSync(file('audit.head')) && Number(readFileSync(file('audit.head'), 'utf8').split(' ')[0]) >= newest);
  assert.equal(statSync(file('audit.head')).mode & 0o777, 0o600);
});

test('tampering while the gateway runs is named, and an alert', async () => {
  gateway.addUser('anna');
  add('some', 4);
  await serveAndNote();
  const [[who]] = sql('', 'SELECT who FROM audit WHERE id = 3');
  tamper("UPDATE audit SET who = 'mallory' WHERE id = 3;");
  broken(/row 3 is not what was written there/);
  await until('the keeper finds it', () => gateway.audit('--event', 'audit-verify').some(({ outcome, detail }) => outcome === 'broken' && /^row 3 /.test(detail)), { ms: 20_000 });
  await until('the alert is raised', () => gateway.json('alert', 'list').some(({ rule, message }) => rule === 'audit_broken' && /row 3 /.test(message)));
  tamper(`UPDATE audit SET who = '${who}' WHERE id = 3;`); // as it was: all is well again
  whole();
  await until('the keeper sees it', () => gateway.audit('--event', 'audit-verify').some(({ outcome }) => outcome === 'ok'), { ms: 20_000 });
  assert.equal(gateway.audit('--event', 'audit-verify').length, 2, 'once, not once a look');
});

test('a tail cut off while the gateway runs leaves a gap, whatever is written behind it', async () => {
  add('some', 6);
  await serveAndNote();
  // In one go, since the keeper writes, too. It may have written of it already.
  const [[newest]] = sql(`${TRIGGERS_OFF} CREATE TABLE was AS SELECT max(id) AS newest FROM audit;
    DELETE FROM audit WHERE id > (SELECT newest - 3 FROM was);`, 'SELECT newest FROM was');
  broken(new RegExp(`rows ${newest - 2} to ${newest} were (cut off at the end|removed)`));
  gateway.cli('group', 'add', 'later');
  broken(new RegExp(`rows ${newest - 2} to ${newest} were removed`));
});

const [FIRST, MIDDLE] = [1, 5];
const kinds = {
  'a changed column': ["UPDATE audit SET detail = 'x' WHERE id = 5", /row 5 is not/],
  'a changed time': ['UPDATE audit SET at_ms = at_ms + 1 WHERE id = 5', /row 5 is not/],
  'a row removed in the middle': [`DELETE FROM audit WHERE id = ${MIDDLE}`, /row 5 was removed/],
  'rows removed at the beginning': [`DELETE FROM audit WHERE id <= ${FIRST + 1}`, /rows 1 to 2 were removed/],
  'a cut tail': ['DELETE FROM audit WHERE id > (SELECT max(id) - 4 FROM audit)', /cut off at the end/],
  'an empty table': ['DELETE FROM audit', /cut off at the end/],
  'an empty table and head': ['DELETE FROM audit; DELETE FROM audit_head; DELETE FROM sqlite_sequence', /is not there with the link that was noted/],
  'two rows swapped': ['UPDATE audit SET id = -1 WHERE id = 5; UPDATE audit SET id = 5 WHERE id = 6; UPDATE audit SET id = 6 WHERE id = -1', /row 5 is not/],
  'a row put in at the end': ["INSERT INTO audit SELECT max(id) + 1, at_ms, event, outcome, who, by, desktop, conn, address, detail, chain FROM audit", /is not what was written there/],
  'a head of one\'s own': ['DELETE FROM audit WHERE id > 9; UPDATE audit_head SET id = 9, link = (SELECT chain FROM audit WHERE id = 9)', /the seal behind row 9 is missing or was made with another key/],
  'a checkpoint of one\'s own': ["INSERT INTO audit_checkpoints SELECT id, 'archived', 1, chain, zeroblob(32) FROM audit WHERE id = 7; DELETE FROM audit WHERE id <= 7", /checkpoint at row 7/],
};

test('tampering while the gateway is stopped is named', async () => {
  gateway.addUser('anna');
  add('g', 12);
  await serveAndNote();
  await gateway.stop();
  whole();
  const putBack = keep();
  for (const [name, [text, words]] of Object.entries(kinds)) {
    tamper(`${text};`);
    broken(words, name);
    gateway.cli('group', 'add', 'later'); // does not make it good
    assert.equal(verify().code, EX_DATAERR, name);
    putBack();
    whole();
  }
});

test('without dropping triggers nothing can be changed', () => {
  add('some', 3);
  for (const text of ["UPDATE audit SET who = 'x'", 'UPDATE audit SET chain = zeroblob(32)', 'DELETE FROM audit WHERE id = 1',
    "INSERT INTO audit (at_ms, event, outcome, who, by, desktop, conn, detail) VALUES (1, '', '', '', '', '', '', '')"])
    assert.throws(() => sql(`${text};`), /append-only|needs its link/);
  whole();
});

test('an older copy of the whole database is seen by audit.head, also by the keeper', async () => {
  add('some', 3);
  const mark = file('audit.head');
  const putBack = keep();
  await gateway.serve();
  add('more', 4);
  const [[newest]] = sql('', 'SELECT max(id) FROM audit');
  await gateway.stop(); // notes the last row
  assert.equal(Number(readFileSync(mark, 'utf8').split(' ')[0]) >= newest, true);
  const later = readFileSync(mark);
  putBack();
  writeFileSync(mark, later);
  broken(/is not there with the link that was noted/);
  await gateway.serve();
  await until('an alert', () => gateway.json('alert', 'list').some(({ rule, message }) => rule === 'audit_broken' && /older copy/.test(message)));
  assert.deepEqual(readFileSync(mark), later, 'the note is not given up');
  await gateway.stop();
  writeFileSync(mark, readFileSync(mark, 'utf8').replace(/^\d+/, '1'));
  broken(/audit.head in the state folder was not written with this key/);
  rmSync(mark);
  whole();
});

test('a row that was noted must be there', () => {
  add('some', 3);
  const noted = /--expect: (\d+:[0-9a-f]{64})/.exec(whole())[1];
  gateway.cli('group', 'add', 'behind');
  assert.equal(verify('--expect', noted).code, 0);
  const other = noted.replace(/.$/, (digit) => (digit === '0' ? '1' : '0'));
  assert.match(verify('--expect', other).words, /is not there with the link that was noted/);
  assert.equal(verify('--expect', '99999:' + '0'.repeat(64)).code, EX_DATAERR);
  assert.match(verify('--expect', 'nonsense').words, /NUMBER:LINK/);
  const told = JSON.parse(gateway.cli('audit', 'verify', '--json').stdout);
  assert.deepEqual([told.good, told.fault, told.bad, told.sealed], [true, '', 0, true]);
});

test('another secret.key is told', () => {
  add('some', 3);
  const key = readFileSync(file('secret.key'));
  writeFileSync(file('secret.key'), Buffer.alloc(32, 7));
  broken(/made with another key/);
  writeFileSync(file('secret.key'), key);
  whole();
});

// ---- exports ----

// RFC 4180, strictly: [[cell, …], …].
function csv(text) {
  const rows = [[]];
  let at = 0;
  while (at < text.length) {
    let cell;
    if (text[at] === '"') {
      cell = '';
      for (at++; ;) {
        const quote = text.indexOf('"', at);
        assert.notEqual(quote, -1, 'an open quote');
        cell += text.slice(at, quote);
        at = quote + 1;
        if (text[at] !== '"') break;
        cell += '"';
        at++;
      }
    } else {
      [cell] = /^[^",\r\n]*/.exec(text.slice(at));
      at += cell.length;
    }
    rows.at(-1).push(cell);
    if (text[at] === ',') at++;
    else {
      assert.equal(text.slice(at, at + 2), '\r\n');
      at += 2;
      if (at < text.length) rows.push([]);
    }
  }
  return rows;
}

test('one row is one', () => {
  assert.match(verify().words, /^0 rows, /);
  add('some', 1);
  assert.match(verify().words, /^1 row, each as it was written/);
});

test('exports hold every row, and no formula', async () => {
  await gateway.serve();
  for (const username of ['=1+1', '+cmd|x', '-2', '@sum', 'a"b,c\r\nd', 'ünï']) await gateway.login({ username, password: 'x', code: '000000' });
  gateway.cli('desktop', 'add', 'd1', '--host', '10.0.0.1', '--description', 'plain');
  await gateway.stop(); // the keeper would write rows of its own between one look and the next
  const rows = gateway.audit();
  const lines = gateway.cli('audit', 'export', '--format', 'json').stdout.trim().split('\n').map((line) => JSON.parse(line));
  assert.deepEqual(lines.map(({ id, event, user, address }) => [id, event, user, address ?? '']), rows.map(({ id, event, user, address }) => [id, event, user, address]));
  const [head, ...cells] = csv(gateway.cli('audit', 'export', '--format', 'csv').stdout);
  assert.deepEqual(head, ['id', 'at', 'event', 'outcome', 'user', 'by', 'desktop', 'address', 'conn', 'detail', 'link']);
  assert.deepEqual(cells.map(([id, at]) => [Number(id), at]), rows.map(({ id, at }) => [id, at]));
  assert.ok(cells.every((row) => row.length === head.length));
  for (const cell of cells.flat()) assert.doesNotMatch(cell, /^[=+\-@\t\r＝＋－＠]/);
  assert.deepEqual(cells.map((row) => row[10]), lines.map(({ link }) => link));
});

test('exports can be narrowed', async () => {
  const anna = gateway.addUser('anna');
  add('some', 4);
  age(3, 1);
  await gateway.serve();
  await anna.token();
  await gateway.stop();
  const all = (...args) => gateway.cli('audit', 'export', '--format', 'json', ...args).stdout.trim().split('\n').filter(Boolean).map((line) => JSON.parse(line));
  assert.deepEqual(all('--event', 'sign-in').map(({ event }) => event), ['sign-in']);
  assert.ok(all('--user', 'anna').every(({ user }) => user === 'anna') && all('--user', 'anna').length > 0);
  assert.equal(all('--since', '2100-01-01').length, 0);
  assert.equal(all('--until', '2020-01-01').length, 0);
  const middle = all()[3].at;
  const [before, behind] = [all('--until', middle.slice(0, 19) + 'Z'), all('--since', middle.slice(0, 19) + 'Z')];
  assert.ok(before.length > 0 && behind.length > 0);
  assert.equal(before.length + behind.length, all().length, 'nothing twice, nothing left out');
  for (const wrong of [['export'], ['export', '--format', 'xml'], ['export', '--format', 'csv', '--until', 'x']])
    assert.notEqual(gateway.cli('audit', ...wrong, { allow: true }).status, 0);
});

// ---- archives ----

const archived = (name) => join(gateway.folder, name);

function oldAndNew() {
  add('old', 6);
  age(6, 400);
  add('new', 3);
}

const archive = () => gateway.cli('audit', 'archive', '--before', '365d', archived('old.jsonl')).stdout;

test('archives hold what leaves the database, and the chain goes on', () => {
  oldAndNew();
  whole();
  const before = gateway.cli('audit', 'export', '--format', 'json').stdout.trim().split('\n');
  const made = archive();
  assert.match(made, /Rows 1 to \d+ are in /);
  assert.equal(statSync(archived('old.jsonl')).mode & 0o777, 0o600);
  const text = readFileSync(archived('old.jsonl'), 'utf8').trim().split('\n');
  const rows = text.slice(1, -1);
  assert.ok(rows.length >= 5);
  assert.deepEqual(rows, before.slice(0, rows.length), 'an archive has the rows of an export');
  const words = whole();
  assert.match(words, new RegExp(`begin behind row ${rows.length}`));
  assert.deepEqual(gateway.audit().map(({ id }) => id)[0], rows.length + 1);
  assert.match(gateway.audit('--event', 'audit-archive')[0].detail, /rows 1 to \d+ were moved to .*old\.jsonl/);
  assert.match(verify('--archive', archived('old.jsonl')).words, /each as it was written, and the archive is sealed/);
  assert.match(gateway.cli('audit', 'archive', '--before', '365d', archived('none.jsonl')).stdout, /no row to archive/);
  assert.equal(existsSync(archived('none.jsonl')), false);
});

test('whoever looks back behind what was archived is told', () => {
  oldAndNew();
  const quiet = gateway.cli('audit', 'list', '--since', '500d', '--event', 'nothing');
  assert.equal(quiet.stderr, 'deskgate: no such entry\n');
  archive();
  const first = gateway.audit()[0];
  const told = new RegExp(`rows up to ${first.id - 1}, from before ${first.at.slice(0, 10)}T.*, were archived.*--event audit-archive`);
  const said = (...words) => gateway.cli('audit', ...words).stderr;
  for (const words of [['list', '--since', '400d', '--user', 'anna'], ['list'], ['list', '--json', '--until', '300d'], ['list', '--last', '1000'],
    ['export', '--format', 'csv', '--since', '400d'], ['export', '--format', 'json']]) assert.match(said(...words), told, `${words}`);
  const since = `${new Date(Date.parse(first.at) + 1000).toISOString().slice(0, 19)}Z`;
  for (const words of [['list', '--last', '2'], ['list', '--json', '--since', since], ['export', '--format', 'json', '--since', since]])
    assert.equal(said(...words), '', `${words}`);
});

test('a row that was noted is looked for in an archive, too', () => {
  oldAndNew();
  archive();
  const [, ...rows] = readFileSync(archived('old.jsonl'), 'utf8').trim().split('\n').slice(0, -1).map((line) => JSON.parse(line));
  const { id, link } = rows[2];
  const sought = verify('--expect', `${id}:${link}`);
  assert.equal(sought.code, EX_DATAERR);
  assert.match(sought.words, /^deskgate: row 3 was archived: look for it with 'audit verify --archive FILE --expect NUMBER:LINK'\n$/);
  const json = verify('--expect', `${id}:${link}`, '--json');
  assert.equal(json.code, EX_DATAERR);
  const { good, fault, words } = JSON.parse(json.words);
  assert.deepEqual([good, fault, /was archived/.test(words)], [false, 'archived', true]);

  const inArchive = (expect, ...more) => verify('--archive', archived('old.jsonl'), '--expect', expect, ...more);
  assert.deepEqual([inArchive(`${id}:${link}`).code, JSON.parse(inArchive(`${id}:${link}`, '--json').words).good], [0, true]);
  for (const [expect, said] of [
    [`${id}:${rows[3].link}`, /row 3 is not there with the link that was noted/],
    [`${rows.length + 1}:${link}`, new RegExp(`row ${rows.length + 1} is not in this archive, which has rows 1 to ${rows.length}`)],
    ['garbage', /--expect 'garbage'/],
  ]) {
    const { code, words: told } = inArchive(expect);
    assert.equal(code, EX_DATAERR, told);
    assert.match(told, said);
  }
  const other = inArchive(`${id}:${rows[3].link}`, '--json');
  assert.deepEqual([other.code, JSON.parse(other.words).good], [EX_DATAERR, false]);
});

test('tampering with an archive is named', () => {
  oldAndNew();
  archive();
  const good = readFileSync(archived('old.jsonl'), 'utf8');
  const lines = good.trimEnd().split('\n');
  const spliced = (...args) => { // toSpliced(), which Node 18 has not
    const copy = [...lines];
    copy.splice(...args);
    return copy;
  };
  const tries = {
    'a changed row': [spliced(3, 1, lines[3].replace('"ok"', '"no"')), /line 4: row 3 is not/],
    'a removed row': [spliced(3, 1), /line 4: row 4 is not what was written there, or one before it was removed/],
    'two rows swapped': [spliced(2, 2, lines[3], lines[2]), /line 3: row 3/],
    'the end cut off': [lines.slice(0, -2), /foot is missing/],
    'the last row cut off': [spliced(-2, 1), /foot does not fit/],
    'another name in the head': [spliced(0, 1, lines[0].replace('localhost', 'elsewhere')), /seal is not by this gateway/],
    'something behind': [[...lines, lines[1]], /more behind the foot/],
    'another seal': [spliced(-1, 1, lines.at(-1).replace(/"seal": "../, '"seal": "00')), /seal is not by this gateway/],
    'nonsense': [['hello'], /not a JSON object/],
    'other JSON': [['{}'], /not an archive/],
  };
  for (const [name, [changed, words]] of Object.entries(tries)) {
    writeFileSync(archived('bad.jsonl'), `${changed.join('\n')}\n`);
    const { code, words: said } = verify('--archive', archived('bad.jsonl'));
    assert.equal(code, EX_DATAERR, `${name}: ${said}`);
    assert.match(said, words, name);
  }
  writeFileSync(archived('bad.jsonl'), good.slice(0, -30));
  assert.match(verify('--archive', archived('bad.jsonl')).words, /cut off/);
});

test('an archive is never written over a file, and not from a log that does not hold', async () => {
  add('some', 3);
  writeFileSync(archived('old.jsonl'), 'as it was');
  await sleep(1100); // 0s ago is a whole second
  const asked = ['audit', 'archive', '--before', '0s', archived('old.jsonl')];
  const refused = gateway.cli(...asked, { allow: true });
  assert.notEqual(refused.status, 0);
  assert.match(refused.stderr, /File exists/);
  assert.equal(readFileSync(archived('old.jsonl'), 'utf8'), 'as it was');
  whole();
  const [[last, who]] = sql('', 'SELECT id, detail FROM audit ORDER BY id LIMIT 1');
  tamper(`UPDATE audit SET detail = 'x' WHERE id = ${last};`);
  const none = gateway.cli('audit', 'archive', '--before', '0s', archived('more.jsonl'), { allow: true });
  assert.equal(none.status, EX_DATAERR);
  assert.match(none.stderr, new RegExp(`does not hold: row ${last} `));
  assert.equal(existsSync(archived('more.jsonl')), false);
  assert.ok(who !== undefined);
});

test('an administrator accepts what is wrong, in writing, and the log goes on from there', async () => {
  oldAndNew();
  archive();
  tamper("UPDATE audit SET detail = 'x' WHERE id = (SELECT min(id) FROM audit);");
  assert.equal(gateway.cli('audit', 'accept', { allow: true }).status, 64);
  assert.match(gateway.cli('audit', 'accept', '--because', 'a test did it').stdout, /^Accepted: row \d+ is not/);
  whole();
  assert.match(gateway.audit('--event', 'audit-accept')[0].detail, /row \d+ is not what was written there.*; because: a test did it/);
  gateway.cli('group', 'add', 'behind');
  whole();
  assert.match(gateway.cli('audit', 'accept', '--because', 'again').stdout, /nothing to accept/);
  await serveAndNote();
  gateway.cli('group', 'add', 'more');
  await gateway.stop();
  whole();
  tamper(`DELETE FROM audit WHERE id > (SELECT max(id) - 2 FROM audit); UPDATE audit_head SET seal = NULL, id = (SELECT max(id) FROM audit), link = (SELECT chain FROM audit ORDER BY id DESC LIMIT 1);`);
  broken(/the seal behind row/);
  gateway.cli('audit', 'accept', '--because', 'once more');
  whole();
});

// So many rows of long ago, written by hand and made good by age().
function fill(count) {
  tamper(`WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${count})
    INSERT INTO audit (at_ms, event, outcome, who, by, desktop, conn, address, detail, chain)
    SELECT 1700000000000 + i, 'sign-in', 'denied', 'anna', '', '', 'c', zeroblob(16), 'row ' || i, zeroblob(32) FROM n;`);
  age(0, 0);
}

test('what is older than keep_days goes to the state folder, by the running gateway', async () => {
  assert.match(gateway.cli('audit', 'expire').stdout, /keep_days is 0/);
  gateway.cli('group', 'add', 'one');
  fill(50);
  age(1, 400); // numbers are in the order of time but for the first
  gateway.cli('group', 'add', 'late');
  gateway.configure({ audit: { keep_days: 30 } });
  await gateway.serve();
  const folder = file('audit');
  const name = await until('there is an archive', () => existsSync(folder) && readdirSync(folder).find((one) => one.endsWith('.jsonl')), { ms: 20_000 });
  await until('the rows are gone', () => gateway.audit()[0].id > 50);
  assert.match(verify('--archive', join(folder, name)).words, /Rows 1 to 51, each as it was written, and the archive is sealed/);
  assert.equal(statSync(join(folder, name)).uid, statSync(file('secret.key')).uid);
  assert.equal(statSync(folder).mode & 0o777, 0o700);
  assert.equal(gateway.process.out, '', "words for somebody at a terminal are not the gateway's");
  whole();
  assert.equal(gateway.json('alert', 'list').length, 0, 'the keeper finds nothing wrong with that');
});

test('an archive that is killed at any moment loses no row', async () => {
  const COUNT = 12_000;
  gateway.cli('group', 'add', 'one');
  fill(COUNT - 1);
  age(1, 400);
  const began = Date.now();
  whole();
  console.log(`# ${COUNT} rows verified in ${Date.now() - began} ms, with the start of the program`);
  const files = [];
  let kills = 0;
  for (let patience = 10; ; patience *= 1.25) { // however fast the machine, some fall into it
    const path = archived(`killed${files.length}.jsonl`);
    files.push(path);
    const process = start(gateway.program, ['--state', gateway.state, 'audit', 'archive', '--before', '365d', path]);
    await Promise.race([process.ended, sleep(patience).then(caughtUp)]);
    if (process.running()) {
      process.child.kill('SIGKILL');
      kills++;
    }
    await process.ended;
    whole();
    const seen = new Set(gateway.cli('audit', 'export', '--format', 'json').stdout.split('\n').filter(Boolean).map((line) => JSON.parse(line).id));
    for (const one of files.filter((name) => existsSync(name))) {
      assert.equal(verify('--archive', one).code, 0);
      for (const line of readFileSync(one, 'utf8').split('\n').filter((text) => text.startsWith('{"id"'))) seen.add(JSON.parse(line).id);
    }
    for (let id = 1; id <= COUNT; id++) assert.ok(seen.has(id), `row ${id}`);
    if (gateway.audit()[0].id > COUNT) break;
  }
  console.log(`# killed ${kills} times`);
  assert.ok(kills > 0);
});

// ---- what is on record ----

test('sign-ins, grants and tunnels, with who, from where, how, how much, how long and why', async () => {
  const server = await echoServer();
  try {
    await gateway.serve();
    const anna = gateway.addUser('anna');
    gateway.addDesktop('echo', server.port);
    const acts = [
      ['group-add', ['group', 'add', 'staff']], ['group-join', ['group', 'join', 'staff', 'anna']],
      ['grant-add', ['grant', 'add', '--group', 'staff', 'echo']], ['grant-remove', ['grant', 'remove', '--group', 'staff', 'echo']],
      ['grant-add', ['grant', 'add', 'anna', 'echo']], ['grant-limit', ['grant', 'limit', 'anna', 'echo', '--until', '2100-01-01']],
      ['desktop-set', ['desktop', 'set', 'echo', '--description', 'x']], ['desktop-limit', ['desktop', 'limit', 'echo', '--tunnels', '5']],
      ['user-limit', ['user', 'limit', 'anna', '--tunnels', '5']], ['address-add', ['address', 'allow', '127.0.0.0/8']],
      ['address-remove', ['address', 'remove', '127.0.0.0/8']], ['group-leave', ['group', 'leave', 'staff', 'anna']],
      ['group-remove', ['group', 'remove', 'staff']], ['user-disable', ['user', 'disable', 'anna']], ['user-enable', ['user', 'enable', 'anna']],
    ];
    for (const [event, args] of acts) {
      const before = gateway.audit('--event', event).length;
      gateway.cli(...args);
      const rows = gateway.audit('--event', event);
      assert.equal(rows.length, before + 1, args.join(' '));
      assert.match(rows.at(-1).by, /^cli:/);
      assert.equal(rows.at(-1).outcome, 'ok');
    }
    await anna.signIn({ password: 'wrong' });
    await anna.signIn({ code: '000000' });
    const token = await anna.token();
    assert.deepEqual(gateway.audit('--event', 'sign-in').map(({ outcome, user, address }) => [outcome, user, address]),
      [['denied', 'anna', '127.0.0.1'], ['denied', 'anna', '127.0.0.1'], ['ok', 'anna', '127.0.0.1']]);
    const { ws } = await gateway.tunnel('echo', token);
    ws.send(Buffer.from('hello'));
    assert.equal(String(await ws.read(5)), 'hello');
    const { id } = gateway.json('tunnel', 'list')[0];
    gateway.cli('tunnel', 'end', String(id));
    await until('its end is on record', () => gateway.audit('--event', 'tunnel-close').length === 1);
    const [open] = gateway.audit('--event', 'tunnel-open'), [close] = gateway.audit('--event', 'tunnel-close');
    for (const row of [open, close]) assert.deepEqual([row.user, row.desktop, row.address], ['anna', 'echo', '127.0.0.1']);
    assert.equal(open.conn, close.conn);
    assert.equal(open.detail, 'tunnel');
    assert.match(close.detail, /^why=tunnel-ended way=tunnel tunnel=1 up=5 down=5 seconds=\d+$/);
    assert.match(gateway.audit('--event', 'tunnel-end')[0].by, /^cli:/);
    // Also of tunnels that nobody is left to tell of.
    await gateway.tunnel('echo', token);
    process.kill(gateway.part('keeper'), 'SIGKILL');
    await until('the end is on record', () => gateway.audit('--event', 'tunnel-close').length === 2, { ms: 20_000 });
    const [, lost] = gateway.audit('--event', 'tunnel-close');
    assert.match(lost.detail, /^why=\S+ way=tunnel tunnel=2 up=0 down=0 seconds=\d+$/);
    assert.deepEqual([lost.user, lost.desktop, lost.address], ['anna', 'echo', '127.0.0.1']);
    whole();
  } finally {
    await server.close();
  }
});

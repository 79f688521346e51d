// The wall clock is set, a day forward and a day back, under a gateway that runs (libfaketime, which
// changes it for the gateway's processes alone; clocks that nobody can set go on). What lasts is not
// cut short nor drawn out, what was used once stays used, and nobody waits for a day to come again.
import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { FAKETIME, noFaketime } from '../lib/faketime.mjs';
import { House } from '../lib/fault_house.mjs';
import { Gateway } from '../lib/gateway.mjs';
import { codeAt, stepNow } from '../lib/totp.mjs';
import { until } from '../lib/wait.mjs';

const DAY = 86_400;
const options = { skip: noFaketime, timeout: 180_000 };

let folder;
let house, gateway;

// Starts it with a clock that set() changes. The gate's cage lets it open no file, so its clock stays.
async function serve(made) {
  const faked = { LD_PRELOAD: FAKETIME, FAKETIME_TIMESTAMP_FILE: join(folder, 'clock'), FAKETIME_NO_CACHE: '1', FAKETIME_DONT_FAKE_MONOTONIC: '1', NO_FAKE_STAT: '1' };
  const kept = { ...process.env };
  Object.assign(process.env, faked);
  try {
    await made.serve();
  } finally {
    for (const name of Object.keys(faked)) delete process.env[name];
    Object.assign(process.env, kept);
  }
}

// Seconds that the gateway's clock is ahead of the true one; returns when the keeper has seen it.
let ahead = 0;
async function set(seconds, seen = gateway) {
  const at = seen.log.length;
  const by = seconds - ahead;
  ahead = seconds;
  writeFileSync(join(folder, 'clock'), `${seconds < 0 ? '' : '+'}${seconds}\n`);
  await until(() => `it is seen\n${seen.log.slice(at)}`,
    () => new RegExp(`clock: the wall clock was set to=${by < 0 ? 'back' : 'forward'} by="${Math.abs(by)} seconds"`).test(seen.log.slice(at)));
}

// A code as the gateway's clock wants it.
const codeOf = (user, offset = 0) => codeAt(user.secret, stepNow() + Math.floor(ahead / 30) + offset);

before(async () => {
  if (noFaketime) return;
  folder = mkdtempSync(join(tmpdir(), 'deskgate-clock-'));
  chmodSync(folder, 0o755);
  writeFileSync(join(folder, 'clock'), '+0\n');
  gateway = await Gateway.make({ serve: false, conf: { session: { idle_seconds: 3 * DAY, absolute_seconds: 7 * DAY }, login: { user_failures: 3 } } });
  await serve(gateway);
  house = await House.open({ gateway });
});
after(async () => {
  await house?.close();
  await gateway?.remove();
  if (folder) rmSync(folder, { recursive: true });
});

test('a day forward and back: nobody is signed out, codes that were used stay used', options, async (t) => {
  const from = house.lastRow();
  const person = house.books.add();
  const early = codeOf(person);
  assert.equal(await house.books.signIn(person, { code: early }), 200);

  await set(DAY);
  await house.canary.heard();
  assert.equal((await person.signIn({ code: early })).status, 401, 'a code of yesterday');
  const other = house.books.add();
  const ahead1 = codeOf(other);
  assert.equal(await house.books.signIn(other, { code: ahead1 }), 200);

  await set(0);
  await house.canary.heard();
  assert.equal((await person.signIn({ code: early })).status, 401, 'used before, within its half minute again');
  assert.equal((await other.signIn({ code: ahead1 })).status, 401, 'a code of tomorrow');
  await set(DAY);
  assert.equal((await other.signIn({ code: ahead1 })).status, 401, 'used, and tomorrow has come twice');
  await set(-DAY);
  await house.canary.heard();
  await set(0);
  const late = codeOf(person, 1);
  assert.equal(await house.books.signIn(person, { code: late }), 200, 'the next code is good');
  const rows = gateway.audit('--event', 'clock-set', '--last', '100').filter((row) => row.id > from);
  assert.deepEqual(rows.map((row) => [row.outcome, row.detail]), [['forward', `by ${DAY} seconds`], ['back', `by ${DAY} seconds`],
    ['forward', `by ${DAY} seconds`], ['back', `by ${2 * DAY} seconds`], ['forward', `by ${DAY} seconds`]]);
  t.diagnostic(`slowest beat ${house.canary.slowest} ms`);
  await house.books.whole();
});

test('who was made to wait, by a clock that was ahead, does not wait for that day', options, async () => {
  await set(DAY);
  const person = house.books.add();
  let answer;
  for (let i = 0; i < 8; i++) {
    answer = await person.signIn({ code: '000000' });
    if (answer.status === 429) break;
  }
  assert.equal(answer.status, 429, answer.body);
  await set(0);
  let waited;
  await until(() => `let in after the few seconds that are due, not ${waited}`, async () => {
    answer = await person.signIn({ code: codeOf(person) });
    waited = answer.headers['retry-after'];
    return answer.status === 200;
  }, { ms: 20_000, every: 500 });
});

test('a tunnel\'s time is what it lasted, and its hours go by the clock', options, async () => {
  const person = house.books.add();
  const token = await house.books.tokenOf(person, { code: codeOf(person) });
  const { ws, wire } = await gateway.tunnel('office', token);
  assert.ok(ws);
  await set(DAY);
  await set(0);
  wire.end();
  const row = await until('its end is on record', () => gateway.audit('--event', 'tunnel-close', '--last', '1')[0], { every: 100 });
  assert.match(row.detail, / seconds=\d{1,3}$/); // a day has more digits

  // Open by a clock that is days ahead; back at the true date the grant is not valid yet, whatever the
  // time zone, and also when midnight comes meanwhile.
  const early = house.books.add();
  const date = (days) => new Date(Date.now() + days * DAY * 1000).toISOString().slice(0, 10);
  gateway.cli('grant', 'limit', early.name, 'office', '--from', date(2));
  await set(2 * DAY + 13 * 3600);
  const opened = await gateway.tunnel('office', await house.books.tokenOf(early, { code: codeOf(early) }));
  assert.ok(opened.ws, String(opened.answer?.body));
  await set(0);
  const closed = await opened.ws.closed();
  assert.equal(closed.code, 4005, closed.reason);
  await house.canary.heard();
});

test('with limits as they are by default: a day forward ends sessions, with a true reason', options, async () => {
  const own = await Gateway.make({ serve: false });
  let mine;
  try {
    await serve(own);
    mine = await House.open({ gateway: own, requests: false });
    await set(DAY, own);
    await until('the canary is let go', () => mine.canary.error);
    await mine.canary.stop();
    const row = await until('its end is on record', () => own.audit('--event', 'tunnel-close', '--last', '1')[0], { every: 100 });
    assert.match(row.detail, /^why=session-ended/);
    assert.equal((await own.http('GET', '/api/session', { token: mine.token })).status, 401);
    await set(0, own);
    assert.equal((await own.http('GET', '/api/session', { token: mine.token })).status, 401, 'what is over stays over');
    mine.token = (await mine.anna.signIn({ code: codeOf(mine.anna, 1) })).json.token;
    await mine.perch();
    await mine.books.whole({ over: true });
  } finally {
    await mine?.close();
    await own.remove();
  }
});

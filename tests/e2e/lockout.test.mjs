// Guessing passwords for real: whoever guesses is slowed down where he comes from, the owner keeps a
// way in from a browser that is known, and an administrator sees and ends it.
import assert from 'node:assert/strict';
import { Agent, request } from 'node:https';
import { after, before, test } from 'node:test';
import { Gateway, PASSWORD } from './lib/gateway.mjs';
import { sleep, until } from './lib/wait.mjs';

let gateway;
before(async () => {
  // Both listen on every address of this machine, so that tries can come from several.
  gateway = await Gateway.make({ conf: { login: { user_failures: 3, address_failures: 8 } } });
});
after(() => gateway?.remove());

const KNOWN = '__Host-deskgate-browser';

// A sign-in as a browser sends it, from `from`, with the cookies that it keeps in `jar`.
function signIn({ name, password = PASSWORD, code = '000000', from = '127.0.0.1', jar = null, agent = undefined }) {
  const body = JSON.stringify({ username: name, password, code });
  const headers = { Host: `localhost:${gateway.port}`, 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) };
  if (jar) {
    headers.Origin = `https://localhost:${gateway.port}`;
    if (jar.size) headers.Cookie = [...jar].map(([key, value]) => `${key}=${value}`).join('; ');
  }
  return new Promise((fulfil, fail) => {
    const sent = request({ host: '127.0.0.1', port: gateway.port, method: 'POST', path: '/api/login', localAddress: from,
      headers, ca: gateway.ca, servername: 'localhost', agent: agent ?? new Agent({ maxCachedSessions: 0 }) }, (answer) => {
      let text = '';
      answer.on('data', (piece) => { text += piece; });
      answer.on('end', () => {
        for (const line of answer.headers['set-cookie'] ?? []) {
          const [, key, value] = /^([^=]+)=([^;]*)/.exec(line);
          if (jar && value) jar.set(key, value);
        }
        fulfil({ status: answer.statusCode, retry: Number(answer.headers['retry-after'] ?? 0), cookies: answer.headers['set-cookie'] ?? [], json: JSON.parse(text) });
      });
    });
    sent.on('error', fail);
    sent.end(body);
  });
}

// No wait passes while a test looks at it, however slow the machine: what will have failed last in an
// hour counts as having failed just now.
const hold = () => gateway.sql('UPDATE throttle SET last_at = last_at + 3600');

const guess = (name, from, jar) => signIn({ name, password: 'a guess of mine, no more', from, jar });
const waits = (...args) => gateway.json('lockout', 'list', ...args);

// Signed in once: a jar with the cookie of a known browser.
async function known(user, from) {
  const jar = new Map();
  const answer = await signIn({ name: user.name, code: await user.codes.next(), from, jar });
  assert.equal(answer.status, 200, JSON.stringify(answer.json));
  jar.delete('__Host-deskgate'); // the session; it is over by the time this matters
  assert.ok(jar.has(KNOWN));
  return { jar, cookies: answer.cookies };
}

test('the cookie of a known browser: kept well, given once, not to programs', async () => {
  const user = gateway.addUser('anna');
  const { jar, cookies } = await known(user, '127.0.1.1');
  const cookie = cookies.find((one) => one.startsWith(KNOWN));
  for (const word of ['Secure', 'HttpOnly', 'SameSite=Strict', 'Path=/', 'Max-Age=34560000']) assert.match(cookie, new RegExp(word));
  assert.doesNotMatch(cookie, /Domain/i);
  assert.equal(jar.get(KNOWN).length, 43);
  const again = await signIn({ name: 'anna', code: await user.codes.next(), from: '127.0.1.1', jar });
  assert.equal(again.status, 200);
  assert.ok(!again.cookies.some((one) => one.startsWith(KNOWN)), 'it has one');
  const script = await user.signIn();
  assert.equal(script.status, 200);
  assert.ok(!(script.headers['set-cookie'] ?? []).some((one) => one.startsWith(KNOWN)));
});

test('an attack on one person from one address, from its neighbours, and from elsewhere; the owner comes in all the while', async (t) => {
  const user = gateway.addUser('berta');
  const { jar } = await known(user, '127.0.2.1');
  const seen = { judged: 0, slowed: 0 };
  const started = Date.now();
  let stop = false;
  t.after(() => { stop = true; });
  const attackers = ['127.0.2.1', '127.0.2.2', '127.0.2.3', '127.0.2.4'].map(async (from) => {
    while (!stop) {
      const { status, json } = await guess('berta', from);
      assert.ok(status === 401 || status === 429 || status === 503, JSON.stringify(json));
      if (status === 401) seen.judged++; else seen.slowed++;
      await sleep(10);
    }
  });
  await sleep(3000);
  await until(() => `they are turned away: ${JSON.stringify(seen)}`, () => seen.slowed > 100);
  const begun = Date.now();
  const owner = await signIn({ name: 'berta', code: await user.codes.next(), from: '127.0.2.1', jar });
  const took = Date.now() - begun;
  await sleep(1000);
  stop = true;
  await Promise.all(attackers);
  const seconds = (Date.now() - started) / 1000;
  t.diagnostic(`in ${seconds} s, ${seen.judged} guesses were judged and ${seen.slowed} turned away; the owner's sign-in from a known browser took ${took} ms`);
  assert.equal(owner.status, 200, JSON.stringify(owner.json));
  const most = 20 + 4 * Math.max(0, Math.log2(seconds / 4)); // each wait is twice as long as the one before
  assert.ok(seen.judged <= most, `of four neighbours, three free each and what the waits let through: ${seen.judged} in ${seconds} s`);

  hold();
  const stranger = await signIn({ name: 'berta', code: user.codes.wrong(), from: '127.0.2.1', jar: new Map() });
  assert.equal(stranger.status, 429, 'the same place, without the cookie');
  const elsewhere = await signIn({ name: 'berta', code: user.codes.wrong(), from: '127.0.3.1', jar: new Map() });
  assert.equal(elsewhere.status, 401, 'nobody is locked out everywhere');
});

test('within a session only its own guesses count, whatever strangers try from the same address', async () => {
  const user = gateway.addUser('ida');
  const token = await user.token();
  const post = (path, body) => gateway.post(path, body, { token });
  const code = await user.codes.lasting();
  for (let i = 0; i < 12; i++) await guess('ida', '127.0.0.1');
  hold();
  assert.equal((await guess('ida', '127.0.0.1')).status, 429);
  assert.equal((await post('/api/factor', { code })).status, 200);
  const wrong = { password: 'not it', new_password: 'quite another long phrase', code: '000000' };
  const told = [];
  for (let i = 0; i < 4; i++) {
    if (i === 3) hold();
    told.push((await post('/api/password', wrong)).status);
  }
  assert.equal(told.at(-1), 429, `guesses of who is in wait, too: ${told}`);
  assert.ok(!told.slice(0, 3).includes(429), `and only for their own: ${told}`);
  assert.deepEqual(waits().filter((row) => row.of === 'session').map((row) => [row.who, row.network, row.failures]), [['ida', '', 3]]);
  gateway.sql('DELETE FROM throttle'); // the address is that of other tests
});

test('neighbours count together, with more patience', async () => {
  gateway.addUser('carla');
  let judged = 0;
  for (let i = 1; i <= 20; i++) {
    if (i === 13) hold();
    if ((await guess('carla', `127.0.4.${i}`)).status === 401) judged++;
  }
  assert.equal(judged, 12, 'four times as many as one of them alone');
  assert.equal((await guess('carla', '127.0.5.1')).status, 401);
});

test('guessing with a stolen cookie is slowed down, and the cookie is forgotten in the end', async () => {
  const user = gateway.addUser('dora');
  const { jar } = await known(user, '127.0.6.1');
  const told = [];
  for (let i = 0; i < 5; i++) {
    if (i === 3) hold();
    told.push((await guess('dora', `127.0.${10 + i}.1`, new Map(jar))).status);
  }
  assert.deepEqual(told, [401, 401, 401, 429, 429], 'from wherever it comes');
  assert.deepEqual(waits().filter((row) => row.of === 'browser').map((row) => row.who), ['dora']);
  // Patience: as if each wait had passed.
  for (let i = 0; i < 17; i++) {
    gateway.sql("DELETE FROM throttle WHERE bucket = 'browser'");
    await guess('dora', '127.0.20.1', new Map(jar));
  }
  gateway.sql('DELETE FROM throttle');
  assert.equal((await guess('dora', '127.0.21.1', new Map(jar))).status, 401);
  assert.deepEqual([...new Set(waits('--all').map((row) => row.of))].sort(), ['address', 'address-wide', 'person', 'person-wide'], 'known no longer');
});

test('somebody else\'s known browser is nobody\'s', async () => {
  const user = gateway.addUser('emma');
  gateway.addUser('frida');
  const { jar } = await known(user, '127.0.30.1');
  const told = [];
  for (let i = 0; i < 4; i++) {
    if (i === 3) hold();
    told.push((await guess('frida', '127.0.31.1', new Map(jar))).status);
  }
  assert.deepEqual(told, [401, 401, 401, 429]);
  assert.equal(waits('--all').filter((row) => row.of === 'browser' && row.who === 'frida').length, 0);
});

test('a new password, a new factor, or being disabled forgets the browsers', async () => {
  const user = gateway.addUser('gerda');
  const { jar } = await known(user, '127.0.32.1');
  gateway.cli('user', 'passwd', 'gerda', '--password-stdin', { input: 'another horse with a battery\n' });
  const told = [];
  for (let i = 0; i < 4; i++) {
    if (i === 3) hold();
    told.push((await guess('gerda', '127.0.33.1', new Map(jar))).status);
  }
  assert.deepEqual(told, [401, 401, 401, 429]);
  assert.equal(waits('--all').filter((row) => row.of === 'browser' && row.who === 'gerda').length, 0);
});

test('the administrator sees who waits, and ends it', async () => {
  gateway.addUser('hanna');
  for (let i = 0; i < 3; i++) await guess('hanna', '127.0.40.1');
  for (let i = 0; i < 3; i++) await guess('no such person at all', '127.0.41.1');
  hold();
  for (const [name, from] of [['hanna', '127.0.40.1'], ['no such person at all', '127.0.41.1']]) assert.equal((await guess(name, from)).status, 429);
  const rows = waits();
  const hanna = rows.find((row) => row.who === 'hanna');
  assert.deepEqual([hanna.of, hanna.network, hanna.failures], ['person', '127.0.40.1/32', 3]);
  assert.ok(hanna.wait_seconds > 0);
  assert.ok(rows.some((row) => row.who === '(unknown)' && row.network === '127.0.41.1/32'));
  assert.doesNotMatch(JSON.stringify(rows), /no such person/, 'what was typed is not kept');
  assert.equal((await guess('hanna', '127.0.40.1')).status, 429);
  assert.match(gateway.cli('lockout', 'clear', 'hanna').stdout, /next try is free/);
  assert.equal((await guess('hanna', '127.0.40.1')).status, 401);
  assert.match(gateway.cli('lockout', 'clear', '--address', '127.0.41.1').stdout, /next try/);
  assert.match(gateway.cli('lockout', 'clear', '--all').stdout, /next try/);
  assert.match(gateway.cli('lockout', 'clear', '--all').stdout, /nothing to clear/);
  assert.deepEqual(waits('--all'), []);
  const cleared = gateway.audit('--event', 'lockout-clear');
  assert.deepEqual(cleared.map((row) => [row.user, row.detail]), [['hanna', ''], ['', 'address 127.0.41.1'], ['', 'all'], ['', 'all']]);
  for (const [args, words] of [[['clear'], /whose\?/], [['clear', 'hanna', '--all'], /whose\?/], [['clear', '--address', 'here'], /not an address/], [['clear', 'nobody'], /no user 'nobody'/]]) {
    const { status, stderr } = gateway.cli('lockout', ...args, { allow: true });
    assert.notEqual(status, 0);
    assert.match(stderr, words);
  }
});

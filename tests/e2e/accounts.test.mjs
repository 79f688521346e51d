// Passwords: what may be chosen, what was used before, and a change that is due before anything else.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { axe, chromium, person, signIn } from './lib/browser.mjs';
import { Gateway, PASSWORD } from './lib/gateway.mjs';
import { WebSocketRdg, rdgTicket } from './lib/rdg.mjs';
import { echoServer } from './lib/servers.mjs';
import { RawSocket } from './lib/wire.mjs';

let gateway, echo, browser;
before(async () => {
  gateway = await Gateway.make({ conf: { rdg: { passwords: 'yes' } } });
  echo = await echoServer();
  gateway.addDesktop('office', echo.port);
});
after(async () => {
  await browser?.close();
  await echo?.close();
  await gateway?.remove();
});

const change = (token, password, fresh, code, at = gateway) => at.post('/api/password',
  { password, new_password: fresh, code }, { token });

function somebody(name) {
  const user = gateway.addUser(name);
  gateway.grant(user, 'office');
  return user;
}

test('weak passwords are refused with the reason, in the API and at the command line', async () => {
  const user = somebody('annabelle');
  const token = await user.token();
  for (const [password, reason] of [['too short', 'short'], ['password1234', 'guessable'], ['Summer2026!!', 'guessable'],
    ['annabelle2026', 'name'], ['x'.repeat(1024) + 'y', 'long'], [PASSWORD, 'used']]) {
    const refused = await change(token, PASSWORD, password, '');
    if (reason === 'long') {
      assert.equal(refused.status, 400);
      continue; // the gate takes no more than that
    }
    assert.deepEqual([refused.status, refused.json.error, refused.json.reason], [400, 'weak_password', reason], password);
    assert.match(refused.json.message, /^the password cannot be used: /);
    const told = gateway.cli('user', 'passwd', 'annabelle', '--password-stdin', { input: `${password}\n`, allow: true });
    assert.equal(told.status, 65);
    assert.match(told.stderr, /the password cannot be used/);
  }
  assert.match(gateway.cli('user', 'add', 'weakling', '--password-stdin', { input: 'weakling1234\n', allow: true }).stderr, /user name/);
});

test('passwords of before are not taken again; the one before those is', async () => {
  const user = somebody('berta');
  const all = Array.from({ length: 7 }, (_, i) => `horse number ${'one two three four five six seven'.split(' ')[i]} of my stable`);
  for (const password of all) {
    gateway.cli('user', 'passwd', 'berta', '--password-stdin', { input: `${password}\n` });
    gateway.sql("UPDATE users SET must_change = 0 WHERE name = 'berta'");
  }
  const tried = (password) => gateway.cli('user', 'passwd', 'berta', '--password-stdin', { input: `${password}\n`, allow: true });
  for (const password of all.slice(1)) assert.match(tried(password).stderr, /was used before/, password);
  user.password = all.at(-1);
  const token = await user.token();
  const refused = await change(token, user.password, all[3], await user.codes.next());
  assert.deepEqual([refused.status, refused.json.reason], [400, 'used']);
  const wrong = await change(token, 'not the present one', all[3], await user.codes.next());
  assert.equal(wrong.json.error, 'wrong_password', 'who does not know the present one learns nothing of those before');
  assert.equal(tried(all[0]).status, 0);
});

// All that a session is for, and what leads to the change.
async function ways(token, at = gateway) {
  const told = {};
  const get = async (path) => (await at.http('GET', path, { token }));
  const post = (path, body) => at.post(path, body, { token });
  for (const [name, answer] of [
    ['desktops', await get('/api/desktops')], ['state', await get('/api/desktops/office/state')], ['file', await get('/api/desktops/office/rdp')],
    ['browser', await post('/api/desktops/office/ticket')], ['gateway password', await post('/api/desktops/office/password')],
    ['sessions', await get('/api/sessions')], ['device', await post('/api/totp', { password: PASSWORD })],
    ['factor', await post('/api/factor', { code: '000000' })], ['administration', await get('/api/admin/user/list')],
  ]) told[name] = answer.status === 403 ? answer.json.error : answer.status;
  const wire = await at.wire();
  const { ws, answer } = await RawSocket.open(wire, '/tunnel/office', { Host: `localhost:${at.port}`, Authorization: `Bearer ${token}` });
  wire.end();
  told.tunnel = ws ? 'open' : JSON.parse(answer.body).error;
  return told;
}

test('a change that is due: no way in but to it, also for what was made before', async () => {
  const user = somebody('carla');
  gateway.cli('user', 'role', 'carla', 'administrator');
  const old = await user.token();
  const ticket = await rdgTicket(gateway, old);
  assert.match(gateway.cli('user', 'must-change', 'carla').stdout, /at the next sign-in/);
  assert.equal((await gateway.http('GET', '/api/session', { token: old })).status, 401, 'sessions are ended');
  const rdg = await WebSocketRdg.connect(gateway);
  assert.notEqual((await rdg.open(ticket)).status, 0);
  rdg.drop();

  const token = await user.token();
  const told = await ways(token);
  assert.deepEqual(Object.entries(told).filter(([, word]) => word !== 'password_change_due'), []);
  const session = await gateway.http('GET', '/api/session', { token });
  assert.deepEqual([session.status, session.json.password_due], [200, true]);
  assert.equal((await change(token, PASSWORD, PASSWORD, '')).json.reason, 'used', 'the same again is no change');
  assert.equal((await change(token, 'not the right one', 'a walk along the harbour', '')).json.error, 'wrong_password');
  const done = await change(token, PASSWORD, 'a walk along the harbour', '');
  assert.equal(done.status, 200, JSON.stringify(done.json));
  const after = await ways(done.json.token);
  assert.deepEqual(Object.entries(after).filter(([, word]) => word === 'password_change_due'), []);
  assert.equal(after.tunnel, 'open');
  assert.equal((await gateway.http('GET', '/api/session', { token })).status, 401);
  assert.ok(gateway.audit('--event', 'user-must-change').some((row) => row.user === 'carla'));
});

test('the sign-in\'s code vouches for a change that is due for five minutes; for no other change', async () => {
  const user = somebody('dora');
  const token = await user.token();
  assert.equal((await change(token, PASSWORD, 'a walk along the harbour', '')).json.error, 'wrong_code');
  gateway.cli('user', 'must-change', 'dora');
  const late = await user.token();
  const vouched = async () => (await gateway.http('GET', '/api/session', { token: late })).json.vouched_seconds;
  const first = await vouched();
  assert.ok(first > 240 && first <= 300, `${first} s`);
  gateway.sql('UPDATE sessions SET factor_at = factor_at - 301');
  assert.equal(await vouched(), 0);
  assert.equal((await change(late, PASSWORD, 'a walk along the harbour', '')).json.error, 'wrong_code');
  assert.equal((await change(late, PASSWORD, 'a walk along the harbour', await user.codes.next())).status, 200);
});

test('a change without a code leaves the second factor as old as it is', async () => {
  const user = somebody('doris');
  gateway.cli('user', 'must-change', 'doris');
  const token = await user.token();
  gateway.sql("UPDATE sessions SET factor_at = factor_at - 200 WHERE user_id = (SELECT id FROM users WHERE name = 'doris')");
  const before = (await gateway.http('GET', '/api/session', { token })).json.factor;
  const done = await change(token, PASSWORD, 'a walk along the harbour', '');
  assert.equal(done.status, 200, done.body);
  assert.match(before, /^20/);
  assert.equal((await gateway.http('GET', '/api/session', { token: done.json.token })).json.factor, before);
});

test('an administrator\'s new password keeps the second factor, ends sessions and tickets, and is changed at once', async () => {
  const user = somebody('emma');
  const old = await user.token();
  gateway.cli('user', 'passwd', 'emma', '--password-stdin', { input: 'told over the telephone, once\n' });
  assert.equal((await gateway.http('GET', '/api/session', { token: old })).status, 401);
  assert.equal((await user.signIn({ password: 'told over the telephone, once', code: user.codes.wrong() })).status, 401);
  const token = (await user.signIn({ password: 'told over the telephone, once' })).json.token;
  assert.equal((await gateway.http('GET', '/api/desktops', { token })).json.error, 'password_change_due');
});

test('a new second factor ends sessions and tickets in the same moment', async () => {
  const user = somebody('frida');
  const token = await user.token();
  const other = await user.token();
  const ticket = await rdgTicket(gateway, other);
  gateway.cli('user', 'totp', 'frida', '--json');
  for (const one of [token, other]) assert.equal((await gateway.http('GET', '/api/session', { token: one })).status, 401);
  const rdg = await WebSocketRdg.connect(gateway);
  assert.notEqual((await rdg.open(ticket)).status, 0);
  rdg.drop();
});

test('classic: kinds of characters, an age at most, and a note in the audit log', async () => {
  const old = await Gateway.make({ conf: { password: { profile: 'classic', least: '10', max_days: '30', warn_days: '7' } } });
  try {
    assert.equal(old.audit('--event', 'password-profile').length, 1);
    assert.match(old.cli('user', 'add', 'x', '--password-stdin', { input: 'no kinds of them at all'.replaceAll(' ', '') + '\n', allow: true }).stderr, /three of these/);
    const user = old.addUser('gerda', 'Ten Chars 1');
    const token = await user.token();
    assert.equal((await old.http('GET', '/api/session', { token })).json.password_days_left, 0);
    old.sql('UPDATE users SET password_at = password_at - 24 * 86400');
    assert.equal((await old.http('GET', '/api/session', { token })).json.password_days_left, 6);
    old.sql('UPDATE users SET password_at = password_at - 6 * 86400');
    assert.equal((await old.http('GET', '/api/desktops', { token })).json.error, 'password_change_due');
    assert.equal((await old.http('GET', '/api/session', { token })).json.password_due, true);
    const done = await change(token, 'Ten Chars 1', 'Ten Chars 2', '', old);
    assert.equal(done.status, 200, JSON.stringify(done.json));
    assert.equal((await old.http('GET', '/api/desktops', { token: done.json.token })).status, 200);
  } finally {
    await old.remove();
  }
});

for (const [lang, title, words] of [['en-US', /Choose a new password/, /used this password before/], ['ja-JP', /新しいパスワードを設定/, /以前に使われています/]]) {
  test(`the portal leads to the change and then on (${lang})`, async () => {
    browser ??= await chromium();
    const user = somebody(`p${lang.slice(0, 2)}`);
    gateway.cli('user', 'must-change', user.name);
    const { context, page } = await person(browser, { lang });
    await signIn(page, gateway, user);
    await page.waitForFunction(() => document.querySelectorAll('main input[type=password]').length === 3);
    assert.match(await page.textContent('h1'), title);
    assert.deepEqual(await axe(page), []);
    if (process.env.DESKGATE_SHOTS) await page.screenshot({ path: `${process.env.DESKGATE_SHOTS}/change-${lang}.png` });
    const fields = page.locator('main input[type=password]');
    const fill = async (fresh) => {
      await fields.nth(0).fill(PASSWORD);
      await fields.nth(1).fill(fresh);
      await fields.nth(2).fill(fresh);
      await page.keyboard.press('Enter');
    };
    await fill(PASSWORD);
    await page.waitForSelector('main .alert:not([hidden])');
    assert.match(await page.textContent('main .alert'), words);
    await fill('a walk along the harbour');
    await page.waitForSelector('.card');
    await page.goto(`https://localhost:${gateway.port}/#account`);
    await page.waitForFunction(() => document.querySelectorAll('main input[type=password]').length >= 3);
    await context.close();
  });
}

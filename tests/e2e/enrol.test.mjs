// People enrol by themselves: the invitation, recovery codes, a new password, a new device.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Gateway, PASSWORD } from './lib/gateway.mjs';
import { Codes } from './lib/totp.mjs';

const NEW = 'another horse, another battery';
let gateway;

before(async () => {
  gateway = await Gateway.make({ conf: { login: { user_failures: 3 } } });
});
after(() => gateway?.remove());

const post = (path, body, token) => gateway.post(path, body, { token });
const invite = (name, ...more) => gateway.json('user', 'invite', name, ...more);
// No wait passes, however slow the machine.
const hold = () => gateway.sql('UPDATE throttle SET last_at = last_at + 3600');
const alive = async (token) => (await gateway.http('GET', '/api/session', { token })).status === 200;

async function enrol(name, password = PASSWORD) {
  const { invitation } = invite(name);
  const offer = await post('/api/setup', { invitation });
  const codes = new Codes(offer.json.secret);
  const done = await post('/api/setup/finish', { invitation, password, code: await codes.next() });
  return { invitation, offer, codes, done };
}

test('an invited person sets password and second factor, and is signed in', async () => {
  const made = invite('Anna', '--hours', '1');
  assert.match(made.link, new RegExp(`^https://localhost(:\\d+)?/#setup=${made.invitation}$`));
  assert.equal((await gateway.login({ username: 'anna', password: PASSWORD, code: '123456' })).status, 401);
  const offer = await post('/api/setup', { invitation: made.invitation });
  assert.equal(offer.status, 200);
  assert.equal(offer.json.username, 'Anna');
  assert.match(offer.json.secret, /^[A-Z2-7]{32}$/);
  assert.match(offer.json.otpauth, new RegExp(`^otpauth://totp/localhost:Anna\\?secret=${offer.json.secret}&`));
  assert.ok(offer.json.qr.length >= 21 && offer.json.qr.every((row) => row.length === offer.json.qr.length && /^[01]+$/.test(row)));
  const again = await post('/api/setup', { invitation: made.invitation });
  assert.equal(again.json.secret, offer.json.secret, 'a reload shows the same');

  const finish = (change) => post('/api/setup/finish', { invitation: made.invitation, password: NEW, ...change });
  const codes = new Codes(offer.json.secret);
  const weak = await finish({ password: 'short', code: '000000' });
  assert.deepEqual([weak.status, weak.json.error], [400, 'weak_password']);
  assert.match(weak.json.message, /12/);
  const wrong = await finish({ code: '000000' });
  assert.deepEqual([wrong.status, wrong.json.error], [403, 'wrong_code']);
  const code = await codes.next();
  const both = await Promise.all([finish({ code }), finish({ code })]);
  assert.deepEqual(both.map((one) => one.status === 200).sort(), [false, true], 'used twice at once: once');
  const done = both.find((one) => one.status === 200);
  assert.equal(done.json.username, 'Anna');
  assert.equal(done.json.recovery_codes.length, 10);
  assert.equal(new Set(done.json.recovery_codes).size, 10);
  for (const one of done.json.recovery_codes) assert.match(one, /^[a-z2-7]{4}(-[a-z2-7]{4}){3}$/);
  assert.match(done.headers['set-cookie'][0], /^__Host-deskgate=.*HttpOnly/);
  assert.ok(await alive(done.json.token));

  const used = await finish({ code: await codes.next() });
  assert.deepEqual([used.status, used.json.error], [404, 'invitation']);
  const signedIn = await gateway.login({ username: 'anna', password: NEW, code: await codes.next() });
  assert.equal(signedIn.status, 200);
  const session = await gateway.http('GET', '/api/session', { token: signedIn.json.token });
  assert.equal(session.json.recovery_codes_left, 10);
});

test('an invitation that is none says so, whatever is wrong with it', async () => {
  gateway.cli('user', 'invite', 'gone');
  const old = invite('gone');
  const newer = invite('gone'); // takes the older one's place
  gateway.cli('user', 'disable', 'gone');
  for (const invitation of ['A'.repeat(43), old.invitation, newer.invitation, '', 'x']) {
    const answer = await post('/api/setup', { invitation });
    assert.deepEqual([answer.status, answer.json.error], [404, 'invitation'], invitation);
  }
  const refused = gateway.cli('user', 'invite', 'gone', { allow: true });
  assert.deepEqual([refused.status, /disabled/.test(refused.stderr)], [65, true]);
});

test('present factors stay until a new invitation is used; then all sessions end', async () => {
  const boris = gateway.addUser('boris');
  const before = await boris.token();
  const { invitation } = invite('boris');
  const { json } = await post('/api/setup', { invitation });
  assert.ok(await alive(before));
  assert.ok(await alive(await boris.token()));
  const codes = new Codes(json.secret);
  const done = await post('/api/setup/finish', { invitation, password: NEW, code: await codes.next() });
  assert.equal(done.status, 200);
  assert.ok(!await alive(before));
  assert.ok(await alive(done.json.token));
  assert.equal((await boris.signIn()).status, 401);
});

test('a recovery code stands for the second factor, once', async () => {
  const { done } = await enrol('carla');
  const [first, second] = done.json.recovery_codes;
  const signIn = (code, password = PASSWORD) => gateway.login({ username: 'carla', password, code });
  assert.equal((await signIn(first, NEW)).status, 401, 'the wrong password does not use it up');
  const shouted = await signIn(first.toUpperCase().replaceAll('-', ' '));
  assert.equal(shouted.status, 200);
  assert.equal((await signIn(first)).status, 401);
  const left = await gateway.http('GET', '/api/session', { token: shouted.json.token });
  assert.equal(left.json.recovery_codes_left, 9);
  const both = await Promise.all([signIn(second), signIn(second)]);
  assert.deepEqual(both.map((one) => one.status).sort(), [200, 401]);
  const dora = gateway.addUser('dora');
  const stolen = await gateway.login({ username: 'dora', password: dora.password, code: done.json.recovery_codes[2] });
  assert.equal(stolen.status, 401, "not somebody else's");
  assert.equal(gateway.audit('--event', 'recovery-code').at(-1).detail, 'left=8');
});

test('factors that an administrator replaces take with them what stood for those before', async () => {
  const { done } = await enrol('hugo');
  const token = gateway.json('user', 'totp', 'hugo').totp_secret;
  assert.ok(token);
  const stolen = await gateway.login({ username: 'hugo', password: PASSWORD, code: done.json.recovery_codes[0] });
  assert.equal(stolen.status, 401, 'a recovery code of the factor before');
  for (const act of [() => gateway.cli('user', 'totp', 'hugo'),
    () => gateway.cli('user', 'passwd', 'hugo', '--password-stdin', { input: `${NEW}\n` }),
    () => { gateway.cli('user', 'disable', 'hugo'); gateway.cli('user', 'enable', 'hugo'); }]) {
    const { invitation } = invite('hugo');
    assert.equal((await post('/api/setup', { invitation })).status, 200);
    act();
    const answer = await post('/api/setup', { invitation });
    assert.deepEqual([answer.status, answer.json.error], [404, 'invitation'], String(act));
  }
});

test('an invited person may take an hour, or a day, between the picture and its first code', async () => {
  const made = invite('kira');
  const offer = (await post('/api/setup', { invitation: made.invitation })).json;
  const later = (seconds) => ['offers', 'invitations'].forEach((table) => gateway.sql(`UPDATE ${table} SET expires_at = expires_at - ?`, seconds));
  const finish = async (secret) => post('/api/setup/finish', { invitation: made.invitation, password: PASSWORD, code: await new Codes(secret).next() });
  later(70 * 3600);
  assert.equal((await post('/api/setup', { invitation: made.invitation })).json.secret, offer.secret, 'the app has it already');
  gateway.sql('UPDATE offers SET expires_at = expires_at - 7000'); // as a version before left it: nearly over
  assert.equal((await post('/api/setup', { invitation: made.invitation })).json.secret, offer.secret);
  later(3600);
  assert.equal((await finish(offer.secret)).status, 200);
  assert.equal((await finish(offer.secret)).status, 404, 'once');

  const last = invite('kira');
  const shown = (await post('/api/setup', { invitation: last.invitation })).json;
  later(72 * 3600 + 1);
  const over = await post('/api/setup/finish', { invitation: last.invitation, password: PASSWORD, code: await new Codes(shown.secret).next() });
  assert.deepEqual([over.status, over.json.error], [404, 'invitation'], 'it ends with its invitation');
});

test('a device that is not on offer any more is called that, and is no wrong guess', async () => {
  const { done } = await enrol('lena');
  const { token } = done.json;
  const offer = async () => (await post('/api/totp', { password: PASSWORD }, token)).json.secret;
  const old = await offer();
  gateway.sql('UPDATE offers SET expires_at = expires_at - 901');
  const codes = new Codes(old);
  for (let i = 0; i < 5; i++) {
    const gone = await post('/api/totp/confirm', { code: codes.wrong() }, token);
    assert.deepEqual([gone.status, gone.json.error], [409, 'offer_gone']);
  }
  assert.equal(gateway.audit('--event', 're-authentication').filter((row) => row.user === 'lena').length, 0);
  const fresh = await offer();
  assert.notEqual(fresh, old);
  const device = new Codes(fresh);
  assert.equal((await post('/api/totp/confirm', { code: await device.next() }, token)).status, 200);

  const { invitation } = invite('lena');
  const shown = (await post('/api/setup', { invitation })).json.secret;
  const again = await gateway.login({ username: 'lena', password: PASSWORD, code: await device.next() });
  await post('/api/totp', { password: PASSWORD }, again.json.token); // takes its place
  const lost = await post('/api/setup/finish', { invitation, password: NEW, code: await new Codes(shown).next() });
  assert.deepEqual([lost.status, lost.json.error], [409, 'offer_gone']);
});

test('who would not be let in is not by an invitation either', async () => {
  const { invitation } = invite('irma');
  const offer = await post('/api/setup', { invitation });
  const codes = new Codes(offer.json.secret);
  const rules = [[['address', 'deny', '127.0.0.0/8'], ['address', 'remove', '127.0.0.0/8']],
    [['address', 'allow', '192.0.2.0/24', '--user', 'irma'], ['address', 'remove', '192.0.2.0/24', '--user', 'irma']],
    [['user', 'limit', 'irma', '--until', '2020-01-01'], ['user', 'limit', 'irma', '--until', 'none']]];
  for (const [set, unset] of rules) {
    gateway.cli(...set);
    for (const answer of [await post('/api/setup', { invitation }),
      await post('/api/setup/finish', { invitation, password: PASSWORD, code: '000000' })]) {
      assert.deepEqual([answer.status, answer.json.error], [403, 'not_let_in']);
    }
    assert.equal(gateway.audit('--event', 'invitation').at(-1).user, 'irma');
    gateway.cli(...unset);
  }
  // Whoever begins next week may set up today.
  gateway.cli('user', 'limit', 'irma', '--from', '2099-01-01');
  assert.equal((await post('/api/setup/finish', { invitation, password: PASSWORD, code: await codes.next() })).status, 200);
});

test('a device on offer is shown to nobody but who asked for it', async () => {
  const { done } = await enrol('jane');
  const { invitation } = invite('jane'); // and somebody else has come to know it
  const own = (await post('/api/totp', { password: PASSWORD }, done.json.token)).json.secret;
  const shown = (await post('/api/setup', { invitation })).json.secret;
  assert.notEqual(shown, own, 'the link does not show what she moves to');
  assert.equal((await post('/api/setup', { invitation })).json.secret, shown);
  const planted = (await post('/api/totp', { password: PASSWORD }, done.json.token)).json.secret;
  assert.notEqual((await post('/api/setup', { invitation })).json.secret, planted, 'nor is the link given what a session planted');
  const next = invite('jane').invitation;
  assert.notEqual((await post('/api/setup', { invitation: next })).json.secret, shown);
  const last = (await post('/api/totp', { password: PASSWORD }, done.json.token)).json.secret;
  const confirmed = await post('/api/totp/confirm', { code: await new Codes(last).next() }, done.json.token);
  assert.equal(confirmed.status, 200);
});

test('a new password needs the old one and a code, and ends the other sessions', async () => {
  const { codes, done } = await enrol('erik');
  const other = await gateway.login({ username: 'erik', password: PASSWORD, code: await codes.next() });
  const change = async (fields) => post('/api/password',
    { password: PASSWORD, new_password: NEW, code: '000000', ...fields }, done.json.token);
  assert.equal((await change({ new_password: 'a' })).json.error, 'weak_password');
  assert.equal((await change({ password: 'not this one, no' })).json.error, 'wrong_password');
  assert.equal((await change({})).json.error, 'wrong_code');
  const changed = await change({ code: await codes.next() });
  assert.equal(changed.status, 200);
  assert.ok(await alive(changed.json.token));
  assert.ok(!await alive(other.json.token));
  assert.ok(!await alive(done.json.token));
  assert.equal((await gateway.login({ username: 'erik', password: NEW, code: await codes.next() })).status, 200);
});

test('a new device needs the password, and is in force when its code came back', async () => {
  const { codes, done } = await enrol('fred');
  const token = done.json.token;
  assert.equal((await post('/api/totp/confirm', { code: '000000' }, token)).json.error, 'offer_gone', 'none offered');
  assert.equal((await post('/api/totp', { password: 'not this one, no' }, token)).json.error, 'wrong_password');
  const offer = await post('/api/totp', { password: PASSWORD }, token);
  assert.equal(offer.status, 200);
  const renewed = await post('/api/totp', { password: PASSWORD }, token);
  assert.notEqual(renewed.json.secret, offer.json.secret);
  assert.equal((await gateway.login({ username: 'fred', password: PASSWORD, code: await codes.next() })).status, 200,
    'the old device works until then');
  const device = new Codes(renewed.json.secret);
  gateway.sql('UPDATE sessions SET factor_at = factor_at - 5000');
  const confirmed = await post('/api/totp/confirm', { code: await device.next() }, token);
  assert.equal(confirmed.status, 200);
  const { factor } = (await gateway.http('GET', '/api/session', { token: confirmed.json.token })).json;
  assert.ok(Date.now() - Date.parse(factor) < 2_000_000, 'the new device\'s code has just been shown');
  assert.notDeepEqual(confirmed.json.recovery_codes, done.json.recovery_codes);
  assert.ok(!await alive(token));
  assert.equal((await gateway.login({ username: 'fred', password: PASSWORD, code: await codes.next() })).status, 401);
  assert.equal((await gateway.login({ username: 'fred', password: PASSWORD, code: done.json.recovery_codes[0] })).status, 401);
  assert.equal((await gateway.login({ username: 'fred', password: PASSWORD, code: await device.next() })).status, 200);
});

test('who has a stolen cookie cannot guess the code of a device on offer', async () => {
  const { done } = await enrol('hana');
  const token = done.json.token;
  assert.equal((await post('/api/totp', { password: PASSWORD }, token)).status, 200);
  const statuses = [];
  for (let i = 0; i < 8; i++) {
    if (i === 3) hold();
    statuses.push((await post('/api/totp/confirm', { code: String(i).repeat(6) }, token)).status);
  }
  assert.ok(statuses.includes(429), statuses.join(' '));
});

test('who has a stolen cookie cannot guess the password', async () => {
  const { done } = await enrol('gina');
  const guess = () => post('/api/totp', { password: 'is it this one?' }, done.json.token);
  const many = await Promise.all(Array.from({ length: 12 }, guess));
  assert.ok(many.filter((one) => one.status === 403).length <= 4, many.map((one) => one.status).join(' '));
  let last;
  for (let i = 0; i < 5; i++) {
    hold();
    last = await guess();
  }
  assert.equal(last.status, 429);
  assert.ok(Number(last.headers['retry-after']) > 0);
});

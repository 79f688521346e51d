// Rules beyond grants: from where, when, how many. Each way in × each rule: refused on all, allowed on
// all; and what lives ends when a rule is narrowed.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Gateway, PASSWORD } from './lib/gateway.mjs';
import { until } from './lib/proc.mjs';
import { TYPE, WebSocketRdg } from './lib/rdg.mjs';
import { echoServer } from './lib/servers.mjs';
import { RawSocket } from './lib/wire.mjs';

let gateway, echo, anna, token;
const open = [];

before(async () => {
  gateway = await Gateway.make();
  echo = await echoServer();
  anna = gateway.addUser('anna');
  gateway.addDesktop('office', echo.port);
  gateway.grant(anna, 'office');
  gateway.cli('group', 'add', 'staff');
  gateway.cli('group', 'join', 'staff', 'anna', { allow: true });
  token = await anna.token();
});
after(async () => {
  for (const end of open) end();
  await echo?.close();
  await gateway?.remove();
});

const headers = () => ({ Host: `localhost:${gateway.port}`, Authorization: `Bearer ${token}` });
const live = () => gateway.json('tunnel', 'list').length;
const none = () => until(() => 'nothing lives', () => live() === 0);

// Each way in, as far as the rule reaches: "allowed" or the gateway's own word for why not.
const ways = {
  tunnel: async () => {
    const wire = await gateway.wire();
    const { ws, answer } = await RawSocket.open(wire, '/tunnel/office', headers());
    open.push(() => wire.end());
    if (!ws) return { told: JSON.parse(answer.body).error };
    return { told: 'allowed', end: () => wire.end(), over: async () => ws.closed(5000) };
  },
  'RD Gateway': async () => {
    // The ticket was made while it was allowed: the use of it is what counts.
    const rdg = await WebSocketRdg.connect(gateway);
    open.push(() => rdg.drop());
    const { status } = await rdg.open(ways.ticket);
    if (status) return { told: status };
    return { told: 'allowed', end: () => rdg.drop(), over: async () => {
      let got;
      do got = await rdg.read(5000); while (got && got.type !== TYPE.CLOSE);
      rdg.drop();
    } };
  },
  'a file': async () => {
    const answer = await gateway.http('GET', '/api/desktops/office/rdp', { token });
    return { told: answer.status === 200 ? 'allowed' : answer.json.error, end() {} };
  },
  'the browser': async () => {
    const answer = await gateway.http('POST', '/api/desktops/office/ticket', { token, body: '{}', headers: { 'Content-Type': 'application/json' } });
    return { told: answer.status === 200 ? 'allowed' : answer.json.error, end() {} };
  },
};
const WAYS = ['tunnel', 'RD Gateway', 'a file', 'the browser'];
const RAP = 0x800759da;

async function freshTicket() {
  const answer = await gateway.http('GET', '/api/desktops/office/rdp', { token });
  ways.ticket = /^gatewayaccesstoken:s:(\S+)\r$/m.exec(answer.body)[1];
}

async function all(expected) {
  for (const name of WAYS) {
    const { told, end } = await ways[name]();
    const due = name === 'RD Gateway' && expected !== 'allowed' ? RAP : expected;
    assert.equal(told, due, name);
    end?.();
    await none();
  }
}

const elsewhere = () => {
  const now = new Date();
  return ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'][(now.getDay() + 3) % 7]; // three days off
};

for (const [what, narrow, widen, told] of [
  ['the gateway denies the address', ['address', 'deny', '127.0.0.0/8'], ['address', 'remove', '127.0.0.0/8'], 'not_from_here'],
  ['the gateway allows other addresses only', ['address', 'allow', '192.0.2.0/24'], ['address', 'remove', '192.0.2.0/24'], 'not_from_here'],
  ['a group of theirs denies it', ['address', 'deny', '127.0.0.1', '--group', 'staff'], ['address', 'remove', '127.0.0.1', '--group', 'staff'], 'not_from_here'],
  ['the person comes from elsewhere', ['address', 'allow', '2001:db8::/32', '--user', 'anna'], ['address', 'remove', '2001:db8::/32', '--user', 'anna'], 'not_from_here'],
  ['other hours', ['grant', 'limit', 'anna', 'office', '--hours', elsewhere()], ['grant', 'limit', 'anna', 'office', '--hours', 'none'], 'not_now'],
  ['the grant is over', ['grant', 'limit', 'anna', 'office', '--until', '2020-01-01'], ['grant', 'limit', 'anna', 'office', '--until', 'none'], 'not_now'],
  ['the account is over', ['user', 'limit', 'anna', '--until', '2020-01-01'], ['user', 'limit', 'anna', '--until', 'none'], 'not_now'],
]) {
  test(`${what}: no way leads in, and what lives ends at once`, async (t) => {
    await freshTicket();
    const living = [await ways.tunnel(), await ways['RD Gateway']()];
    assert.deepEqual(living.map((one) => one.told), ['allowed', 'allowed']);
    await freshTicket(); // one that was made in time, and is not used yet
    const begun = Date.now();
    gateway.cli(...narrow);
    await Promise.all(living.map((one) => one.over()));
    await none();
    t.diagnostic(`the bytes stopped after ${Date.now() - begun} ms, the command's own time included`);
    assert.ok(Date.now() - begun < 3000);
    const row = gateway.audit('--event', 'tunnel-policy').at(-1);
    assert.equal(row.user, 'anna');
    assert.ok(row.detail.length > 10, 'the rule is named');
    const { allowed, rule } = gateway.json('explain', 'anna', 'office', '--from', '127.0.0.1');
    assert.equal(allowed, false);
    assert.equal(row.outcome, rule);
    await all(told);
    gateway.cli(...widen);
    assert.equal(gateway.json('explain', 'anna', 'office', '--from', '127.0.0.1').allowed, true);
    await freshTicket();
    await all('allowed');
  });
}

test('numbers: a person\'s and a desktop\'s connections', async () => {
  gateway.cli('user', 'limit', 'anna', '--tunnels', '1');
  await freshTicket();
  const first = await ways.tunnel();
  assert.equal(first.told, 'allowed');
  assert.equal((await ways.tunnel()).told, 'too_many');
  assert.equal((await ways['RD Gateway']()).told, RAP);
  gateway.cli('user', 'limit', 'anna', '--tunnels', '2');
  const second = await ways.tunnel();
  assert.equal(second.told, 'allowed');
  gateway.cli('user', 'limit', 'anna', '--tunnels', 'none');
  gateway.cli('desktop', 'limit', 'office', '--tunnels', '2');
  assert.equal((await ways.tunnel()).told, 'too_many');
  first.end();
  await until(() => 'one has ended', () => live() === 1);
  const third = await ways.tunnel();
  assert.equal(third.told, 'allowed');
  for (const one of [second, third]) one.end();
  await none();
  // many at one moment: never more than allowed
  const many = await Promise.all(Array.from({ length: 6 }, () => ways.tunnel()));
  assert.equal(many.filter((one) => one.told === 'allowed').length, 2, many.map((one) => one.told).join());
  for (const one of many) one.end?.();
  await none();
  gateway.cli('desktop', 'limit', 'office', '--tunnels', 'none');
});

test('an hour that ends while somebody works', async () => {
  const soon = new Date(Date.now() + 2000);
  gateway.cli('grant', 'limit', 'anna', 'office', '--until', soon.toISOString().slice(0, 19) + 'Z');
  const one = await ways.tunnel();
  assert.equal(one.told, 'allowed');
  await one.over();
  assert.ok(Date.now() - soon.getTime() < 2500);
  gateway.cli('grant', 'limit', 'anna', 'office', '--until', 'none');
});

test('signing in from where one may not: the same answer as to a wrong password', async () => {
  const berta = gateway.addUser('berta');
  gateway.cli('address', 'deny', '127.0.0.1', '--user', 'berta');
  const refused = await berta.signIn();
  const wrong = await gateway.login({ username: 'berta', password: 'not that one at all', code: '000000' });
  assert.equal(refused.status, 401);
  assert.deepEqual([refused.json.error, refused.json.message], [wrong.json.error, wrong.json.message]);
  assert.match(gateway.audit('--event', 'sign-in').filter((row) => row.user === 'berta').map((row) => row.detail).join(), /denied by the list of berta/);
  gateway.cli('address', 'remove', '127.0.0.1', '--user', 'berta');
  assert.equal((await berta.signIn()).status, 200);
  assert.equal(PASSWORD, berta.password);
});

test('the command line: what is wrong, is said', () => {
  const bad = (...args) => gateway.cli(...args, { allow: true });
  for (const [args, words] of [
    [['address', 'deny', '10.0.0.0/33'], /neither a network/],
    [['address', 'deny', '10.0.0.0/8', '--user', 'nobody'], /nobody/],
    [['address', 'remove', '10.0.0.0/8'], /has no 10\.0\.0\.0\/8/],
    [['grant', 'limit', 'anna', 'office', '--hours', 'monday'], /days are mon/],
    [['grant', 'limit', 'anna', 'office', '--until', 'soon'], /write such as/],
    [['grant', 'limit', 'anna', 'office', '--from', '2026-02-01', '--until', '2026-01-01'], /end before it begins/],
    [['grant', 'limit', 'anna'], /say who and which desktop/],
    [['user', 'limit', 'anna', '--tunnels', '-1'], /give a number/],
    [['explain', 'anna'], /usage: deskgate explain PERSON/],
    [['explain', 'anna', 'office', '--from', 'here'], /not an address/],
  ]) {
    const { status, stderr } = bad(...args);
    assert.notEqual(status, 0, args.join(' '));
    assert.match(stderr, words);
  }
  gateway.cli('address', 'deny', '10.1.2.3/8');
  assert.match(bad('address', 'deny', '10.0.0.0/8').stderr, /already/, 'the same network, written otherwise');
  assert.deepEqual(gateway.json('address', 'list'), [{ of: 'gateway', who: '', rule: 'deny', network: '10.0.0.0/8' }]);
  gateway.cli('address', 'remove', '10.0.0.0/8');
  assert.match(gateway.cli('explain', 'anna', 'office', '--from', '192.0.2.9').stdout, /^Allowed: granted to anna as office\.\n$/);
});

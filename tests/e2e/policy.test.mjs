// Rules beyond grants: from where, when, how many. Each way in × each rule: refused on all, allowed on
// all; and what lives ends when a rule is narrowed.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { present, ticketFor, visit } from './lib/cleanpath.mjs';
import { Gateway, PASSWORD } from './lib/gateway.mjs';
import { TYPE, WebSocketRdg, rdgTicket } from './lib/rdg.mjs';
import { echoServer } from './lib/servers.mjs';
import { soon, until } from './lib/wait.mjs';
import { OP, RawSocket } from './lib/wire.mjs';

let gateway, echo, anna, token, browserTicket, fileTicket;
const open = [];

before(async () => {
  gateway = await Gateway.make({ conf: { rdg: { passwords: 'yes' } } });
  echo = await echoServer();
  anna = gateway.addUser('anna');
  gateway.addDesktop('office', echo.port);
  gateway.cli('desktop-group', 'add', 'rooms');
  gateway.cli('desktop-group', 'join', 'rooms', 'office');
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
    return { told: 'allowed', end: () => wire.end(), over: async (ms) => ws.closed(ms) };
  },
  'RD Gateway': async () => {
    // The ticket was made while it was allowed: the use of it is what counts.
    const rdg = await WebSocketRdg.connect(gateway);
    open.push(() => rdg.drop());
    const { status } = await rdg.open(fileTicket);
    if (status) return { told: status };
    return { told: 'allowed', end: () => rdg.drop(), over: async () => {
      let got;
      do got = await rdg.read(); while (got && got.type !== TYPE.CLOSE);
      rdg.drop();
    } };
  },
  'a file': async () => {
    const answer = await gateway.http('GET', '/api/desktops/office/rdp', { token });
    return { told: answer.status === 200 ? 'allowed' : answer.json.error, end() {} };
  },
  'the browser': async () => {
    const answer = await gateway.post('/api/desktops/office/ticket', {}, { token });
    return { told: answer.status === 200 ? 'allowed' : answer.json.error, end() {} };
  },
};
// The same with the page's cookie in place of a bearer's token, which scripts and the tunnel client use.
const cookie = () => ({ Host: `localhost:${gateway.port}`, Origin: `https://localhost:${gateway.port}`, Cookie: `__Host-deskgate=${token}` });
ways['tunnel, by a page'] = async () => {
  const wire = await gateway.wire();
  const { ws, answer } = await RawSocket.open(wire, '/tunnel/office', cookie());
  wire.end();
  return { told: ws ? 'allowed' : JSON.parse(answer.body).error, end() {} };
};
ways['a file, by a page'] = async () => {
  const answer = await gateway.http('GET', '/api/desktops/office/rdp', { headers: cookie() });
  return { told: answer.status === 200 ? 'allowed' : answer.json.error, end() {} };
};
// A ticket of the browser that was made in time: what counts is its use, told at /api/visits.
ways['the browser, with a ticket'] = async () => {
  const { ws, wire } = await present(gateway, token, { destination: 'office', ticket: browserTicket.ticket });
  await ws.closed();
  wire.end();
  const { state, reason } = await visit(gateway, token, browserTicket.visit);
  return { told: state === 'refused' ? reason : 'allowed', end() {} };
};
ways['a gateway password'] = async () => {
  const answer = await gateway.post('/api/desktops/office/password', {}, { token });
  return { told: answer.status === 200 ? 'allowed' : answer.json.error, end() {} };
};
const WAYS = Object.keys(ways);
const RAP = 0x800759da;
const MAX_CONNECTIONS = 0x800759e6;

async function freshTicket() {
  gateway.sql('DELETE FROM tickets WHERE used_at = 0'); // only so many may wait
  browserTicket = await ticketFor(gateway, token, 'office');
  fileTicket = await rdgTicket(gateway, token);
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
    await soon(3000, 'what lives ends', Promise.all(living.map((one) => one.over())));
    await none();
    t.diagnostic(`the bytes stopped after ${Date.now() - begun} ms, the command's own time included`);
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

// What the person has no grant for at all is, to the person, not there.
const GROUPS = ['--group', 'staff', '--desktop-group', 'rooms'];
const byGroups = [['grant', 'add', ...GROUPS], ['grant', 'remove', 'anna', 'office']]; // in place of her own grant
const byHerself = [['grant', 'add', 'anna', 'office'], ['grant', 'remove', ...GROUPS]]; // as before
for (const [what, narrow, widen, restore = []] of [
  ['the grant is taken back', [['grant', 'remove', 'anna', 'office']], [['grant', 'add', 'anna', 'office']]],
  ['the desktop leaves the group that was granted', [...byGroups, ['desktop-group', 'leave', 'rooms', 'office']],
    [['desktop-group', 'join', 'rooms', 'office']], byHerself],
  ['the person leaves the group that was granted', [...byGroups, ['group', 'leave', 'staff', 'anna']],
    [['group', 'join', 'staff', 'anna']], byHerself],
  ['the group is removed with its grants', [...byGroups, ['desktop-group', 'remove', 'rooms']],
    [['grant', 'add', 'anna', 'office']], [['desktop-group', 'add', 'rooms'], ['desktop-group', 'join', 'rooms', 'office']]],
]) {
  test(`${what}: no way leads in`, async (t) => {
    await freshTicket();
    const living = [await ways.tunnel(), await ways['RD Gateway']()];
    assert.deepEqual(living.map((one) => one.told), ['allowed', 'allowed']);
    await freshTicket();
    for (const one of narrow.slice(0, -1)) gateway.cli(...one);
    assert.equal(live(), 2, 'another grant holds still');
    const begun = Date.now();
    gateway.cli(...narrow.at(-1));
    await Promise.all(living.map((one) => one.over()));
    t.diagnostic(`the bytes stopped after ${Date.now() - begun} ms, the command's own time included`);
    await none();
    assert.equal(gateway.json('explain', 'anna', 'office').rule, 'not-granted');
    await all('no_desktop');
    for (const one of widen) gateway.cli(...one);
    await freshTicket();
    await all('allowed');
    for (const one of restore) gateway.cli(...one);
  });
}

test('limits in time: the desktop\'s and the person\'s, also narrowed while somebody works', async () => {
  gateway.cli('user', 'limit', 'anna', '--absolute', '1h');
  const one = await ways.tunnel();
  assert.equal(one.told, 'allowed');
  gateway.cli('desktop', 'limit', 'office', '--absolute', '10s');
  await one.over(30_000);
  await none();
  assert.match(gateway.audit('--event', 'tunnel-close').at(-1).detail, /why=limit/);
  gateway.cli('desktop', 'limit', 'office', '--absolute', 'none', '--idle', '10s');
  const begun = Date.now();
  const idle = await ways.tunnel();
  await until(() => 'it has idled out', () => live() === 0, { ms: 30_000 });
  assert.ok(Date.now() - begun > 9500, 'and not before');
  assert.match(gateway.audit('--event', 'tunnel-close').at(-1).detail, /why=idle/);
  idle.end();
  gateway.cli('desktop', 'limit', 'office', '--idle', 'none');
  gateway.cli('user', 'limit', 'anna', '--absolute', 'none');
});

test('hours are in the time zone of the configuration', async () => {
  const away = await Gateway.make({ serve: false, conf: { policy: { time_zone: 'Pacific/Kiritimati' } } });
  try {
    away.addUser('anna');
    away.addDesktop('office', 3389, '10.0.0.1');
    away.grant('anna', 'office');
    away.cli('grant', 'limit', 'anna', 'office', '--hours', 'wed 08:00-09:00');
    const at = (when) => away.json('explain', 'anna', 'office', '--at', when).allowed; // 14 hours ahead of UTC
    assert.deepEqual(['2026-11-24T17:59Z', '2026-11-24T18:00Z', '2026-11-24T18:59Z', '2026-11-24T19:00Z'].map(at), [false, true, true, false]);
    assert.equal(at('2026-11-25T08:30'), true, 'moments without a zone are there, too');
  } finally {
    await away.remove();
  }
});

test('numbers: a person\'s and a desktop\'s connections', async () => {
  gateway.cli('user', 'limit', 'anna', '--tunnels', '1');
  await freshTicket();
  const first = await ways.tunnel();
  assert.equal(first.told, 'allowed');
  // A ticket may be made; its use counts.
  const told = Object.fromEntries(await Promise.all(WAYS.map(async (name) => [name, (await ways[name]()).told])));
  assert.deepEqual(told, { tunnel: 'too_many', 'RD Gateway': MAX_CONNECTIONS, 'a file': 'allowed', 'the browser': 'allowed', 'tunnel, by a page': 'too_many',
    'a file, by a page': 'allowed', 'the browser, with a ticket': 'too_many', 'a gateway password': 'allowed' });
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

// An administrator's word against bytes that flow: from the moment the command is given.
for (const [what, word] of [
  ['the person is disabled', (name) => ['user', 'disable', name]],
  ['the session is ended', (name) => ['session', 'end', '--user', name]],
  ['the tunnel is ended', () => ['tunnel', 'end', String(gateway.json('tunnel', 'list')[0].id)]],
  ['the person is removed', (name) => ['user', 'remove', name]],
]) {
  test(`${what}: flowing bytes stop`, async (t) => {
    const person = gateway.addUser(`p${word.length}${what.length}`);
    gateway.grant(person, 'office');
    const wire = await gateway.wire();
    const { ws } = await RawSocket.open(wire, '/tunnel/office', { ...headers(), Authorization: `Bearer ${await person.token()}` });
    let last = 0, rounds = 0;
    const flow = (async () => {
      for (;;) {
        ws.send(Buffer.from('ping'));
        const frame = await ws.next();
        if (frame?.opcode !== OP.BINARY) return;
        last = Date.now();
        rounds++;
      }
    })();
    await until(() => 'bytes flow', () => rounds > 100);
    const command = word(person.name);
    const begun = Date.now();
    gateway.cli(...command);
    await soon(2000, 'the bytes stop', flow);
    wire.end();
    t.diagnostic(`the last byte came ${last - begun} ms after the command was given`);
    await none();
  });
}

test('an hour that ends while somebody works', { timeout: 300_000 }, async () => {
  let one, end;
  for (let ahead = 2; one?.told !== 'allowed' && ahead < 60; ahead *= 2) { // as long as it takes to come in
    end = Math.floor(Date.now() / 1000) + ahead;
    gateway.cli('grant', 'limit', 'anna', 'office', '--until', new Date(end * 1000).toISOString().replace('.000', ''));
    one = await ways.tunnel();
  }
  assert.equal(one.told, 'allowed');
  await soon(Math.max(0, end * 1000 - Date.now()) + 2500, 'the end of its hour', one.over(60_000));
  assert.ok(Date.now() >= end * 1000, 'and not before');
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

test('a time from now is one that is to come', () => {
  const user = gateway.addUser('dated');
  gateway.grant(user, 'office');
  const seconds = (text) => Date.parse(text) / 1000 - Date.now() / 1000;
  gateway.cli('grant', 'limit', 'dated', 'office', '--until', '30d');
  const { until: ends } = gateway.json('grant', 'limit', 'dated', 'office');
  assert.ok(Math.abs(seconds(ends) - 30 * 86400) < 600, ends);
  assert.match(gateway.cli('explain', 'dated', 'office').stdout, /^Allowed/);
  gateway.cli('grant', 'limit', 'dated', 'office', '--until', 'none', '--from', '7d');
  assert.match(gateway.cli('explain', 'dated', 'office').stdout, /not valid now/);
  assert.match(gateway.cli('explain', 'dated', 'office', '--at', '8d').stdout, /^Allowed/);
});

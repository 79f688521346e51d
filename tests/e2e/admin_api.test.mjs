// Administration in the browser: every route of the table with every role, and what they do.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Gateway, isRoot } from './lib/gateway.mjs';
import { descriptors, root } from './lib/proc.mjs';
import { sleep, until } from './lib/wait.mjs';

let gateway;
let alice; // an administrator
let bob; // not
let token;

before(async () => {
  gateway = await Gateway.make();
  alice = gateway.addUser('alice');
  bob = gateway.addUser('bob');
  gateway.cli('user', 'role', 'alice', 'administrator');
  gateway.addDesktop('office', 3389, '192.0.2.9');
  token = await alice.token();
});

after(() => gateway?.remove());

const origin = () => `https://localhost:${gateway.port}`;

const get = (path, options = {}) => gateway.http('GET', `/api/admin/${path}`, { token, ...options });

const post = (path, words = [], options = {}, extra = {}) => gateway.http('POST', `/api/admin/${path}`, {
  token, body: JSON.stringify({ words, options }),
  headers: { 'Content-Type': 'application/json', ...extra.headers }, ...('token' in extra ? { token: extra.token } : {}),
});

async function result(answer) {
  const { status, json, body } = await answer;
  assert.equal(status, 200, body);
  return json.result;
}

async function said(answer) {
  const { status, json, body } = await answer;
  assert.equal(status, 200, body);
  return json.said;
}

async function refused(answer, status, words) {
  const { status: given, json } = await answer;
  assert.deepEqual([given, json.error], [status, status < 500 ? 'refused' : 'failed'], json.message);
  assert.match(json.message, words);
  assert.doesNotMatch(json.message, /^deskgate:/);
}

// The second factor of every session was shown so many seconds ago.
function age(seconds) {
  const script = 'import sqlite3, sys\nc = sqlite3.connect(sys.argv[1], timeout=10)\n'
    + 'c.execute("UPDATE sessions SET factor_at = ?", (int(sys.argv[2]),))\nc.commit()';
  const done = spawnSync('python3', ['-c', script, join(gateway.state, 'deskgate.db'),
    String(Math.floor(Date.now() / 1000) - seconds)], { encoding: 'utf8' });
  assert.equal(done.status, 0, done.stderr);
}

// ---- every route ----

const SESSION = 'ROUTE_SESSION';
const KINDS = {
  ROUTE_FILE: 'open', ROUTE_OPEN: 'open', ROUTE_STREAM: 'open',
  'ROUTE_OUR_PAGES | ROUTE_JSON': 'open',
  [SESSION]: 'person', ROUTE_ACT: 'person', 'ROUTE_SESSION | ROUTE_SAME_ORIGIN': 'person',
  ROUTE_ADMIN: 'administrator', ROUTE_ADMIN_ACT: 'administrator',
};

const routes = [...readFileSync(join(root, 'server/gate/route.c'), 'utf8')
  .split('#ifdef DESKGATE_PROBE')[0]
  .matchAll(/\{"([^"]+)", "([^"]+)",\s*([A-Z_| ]+),\s*(\w+),\s*(\w+)\}/g)]
  .map(([, method, path, needs]) => ({
    method: method.split(',')[0], path: path.replace('*', 'nothing'), needs, kind: KINDS[needs],
  }));

const ask = (route, { cookie, foreign, ...rest } = {}) => gateway.http(route.method, route.path, {
  ...(route.method === 'POST' ? { body: '{}' } : {}),
  headers: {
    ...(route.method === 'POST' ? { 'Content-Type': 'application/json' } : {}),
    ...(cookie ? { Cookie: `__Host-deskgate=${cookie}` } : {}),
    ...(foreign ? { Origin: 'https://evil.example' } : {}),
  }, ...rest,
});

test('the table is read whole, and each row names its role', () => {
  assert.ok(routes.length > 55, `${routes.length} routes`);
  for (const { path, needs, kind } of routes) assert.ok(kind, `${path}: ${needs}`);
  for (const { path, kind } of routes) assert.equal(kind === 'administrator', path.startsWith('/api/admin/'), path);
});

test('each route as a stranger', async () => {
  for (const route of routes.filter(({ kind }) => kind !== 'open')) {
    const answer = await ask(route);
    assert.deepEqual([answer.status, answer.json?.error], [401, 'no_session'], route.path);
    // A body is read before the keeper is asked whose session it is.
    const guess = await ask(route, { token: 'A'.repeat(43) });
    assert.ok(guess.status === 401 || (route.kind === 'person' && [400, 404, 426].includes(guess.status)), `${route.path}: ${guess.status}`);
  }
});

test('each administrator\'s route as a person', async () => {
  const own = await bob.token();
  assert.equal((await gateway.http('GET', '/api/session', { token: own })).json.role, 'user');
  // Of what anybody can cause, ten rows are written in a second; in a new one, nobody else has had any yet.
  await sleep(1010 - Date.now() % 1000);
  for (const route of routes.filter(({ kind }) => kind === 'administrator')) {
    const answer = await ask(route, { token: own });
    assert.deepEqual([answer.status, answer.json.error], [403, 'not_administrator'], route.path);
  }
  const rows = gateway.audit('--event', 'admin-denied').filter(({ user }) => user === 'bob');
  assert.ok(rows.length >= 10, `${rows.length} rows`);
  assert.ok(rows.every(({ outcome, address }) => outcome === 'denied' && address === '127.0.0.1'));
  assert.match(rows[0].detail, /^[a-z]+( [a-z-]+)?: no administrator$/);
});

test('each administrator\'s route with a second factor that is too old, and a fresh one', async () => {
  const mine = routes.filter(({ kind }) => kind === 'administrator');
  age(901);
  for (const route of mine) {
    const answer = await ask(route, { token });
    assert.deepEqual([answer.status, answer.json.error], [403, 'factor_stale'], route.path);
  }
  const shown = await gateway.post('/api/factor', { code: await alice.codes.next() }, { token });
  assert.equal(shown.status, 200, shown.body);
  assert.equal((await gateway.http('GET', '/api/session', { token })).json.role, 'administrator');
  for (const route of mine) {
    const answer = await ask(route, { token });
    assert.ok([200, 400, 404].includes(answer.status), `${route.path}: ${answer.status} ${answer.body}`);
    assert.doesNotMatch(answer.body, /cannot be done in the browser/, route.path);
  }
});

test('each act with the cookie, from no page and from another site\'s', async () => {
  for (const route of routes.filter(({ needs }) => needs === 'ROUTE_ADMIN_ACT')) {
    for (const foreign of [false, true]) {
      const answer = await ask(route, { cookie: token, foreign });
      assert.deepEqual([answer.status, answer.json.error], [403, 'foreign_origin'], route.path);
    }
  }
  const answer = await post('group/add', ['cookies'], {},
    { token: undefined, headers: { Cookie: `__Host-deskgate=${token}`, Origin: origin() } });
  assert.equal(answer.status, 200, answer.body);
  gateway.cli('group', 'remove', 'cookies');
});

test('a role that is taken away is gone at once', async () => {
  gateway.cli('user', 'role', 'alice', 'user');
  assert.equal((await get('user/list')).json.error, 'not_administrator');
  gateway.cli('user', 'role', 'alice', 'administrator');
  assert.equal((await get('user/list')).status, 200);
});

// ---- what they do ----

test('lists are the command line\'s', async () => {
  for (const [path, ...args] of [
    ['user/list', 'user', 'list'], ['desktop/list', 'desktop', 'list'], ['group/list', 'group', 'list'],
    ['grant/list', 'grant', 'list'], ['address/list', 'address', 'list'], ['session/list', 'session', 'list'],
    ['alert/rules', 'alert', 'rules'], ['desktop/show?word=office', 'desktop', 'show', 'office'],
    ['user/limit?word=alice', 'user', 'limit', 'alice'],
  ]) assert.deepEqual(await result(get(path)), gateway.json(...args), path);
});

test('a person, a group and a grant from end to end, with who did it in the audit log', async () => {
  const seen = gateway.audit().at(-1).id;
  const invited = await result(post('user/invite', ['carol'], { hours: 2 }));
  assert.match(invited.link, /^https:\/\/.+#/);
  assert.equal(invited.user, 'carol');
  assert.equal((await result(post('group/add', ['staff']))).name, 'staff');
  assert.match(await said(post('group/join', ['staff', 'carol'])), /carol is now in group staff/);
  assert.deepEqual((await result(get('group/members?word=staff'))).map(({ name }) => name), ['carol']);
  const carol = (await result(get('user/list'))).find(({ name }) => name === 'carol');
  assert.deepEqual([carol.groups, carol.tunnels, carol.until], [['staff'], 0, null]);
  assert.ok(Math.abs(Date.parse(carol.invited_until) - Date.now() - 7200_000) < 600_000, carol.invited_until);
  await result(post('grant/add', ['office'], { group: 'staff' }));
  await result(post('grant/limit', ['office'], { group: 'staff', hours: 'mon-fri 08:00-18:00' }));
  const limits = await result(get('grant/limit?word=office&group=staff'));
  assert.match(JSON.stringify(limits), /mon-fri 08:00-18:00/);
  const verdict = await result(get('explain?word=carol&word=office&at=2030-01-06T12%3A00'));
  assert.equal(verdict.allowed, false);
  assert.match(await said(post('user/disable', ['carol'])), /carol is disabled/);
  assert.match(await said(post('user/remove', ['carol'])), /carol removed/);
  const rows = gateway.audit().filter(({ id, by }) => id > seen && by === 'web:alice');
  assert.deepEqual(rows.map(({ event }) => event), ['user-invite', 'group-add', 'group-join', 'grant-add',
    'grant-limit', 'user-disable', 'user-remove']);
  assert.ok(rows.every(({ address, conn }) => address === '127.0.0.1' && /^[0-9a-f]{16}$/.test(conn)));
});

test('nobody locks himself out, by any act', async () => {
  const before = [gateway.json('user', 'list'), gateway.json('address', 'list')];
  for (const [path, words, options] of [
    ['address/allow', ['192.0.2.0/24']], ['address/deny', ['127.0.0.0/8']], ['address/deny', ['127.0.0.1'], { user: 'alice' }],
    ['user/disable', ['alice']], ['user/remove', ['alice']], ['user/role', ['alice', 'user']],
    ['user/limit', ['alice'], { until: '2020-01-01' }],
  ]) await refused(post(path, words, options), 400, /lock you out yourself/);
  assert.deepEqual([gateway.json('user', 'list'), gateway.json('address', 'list')], before);
  await said(post('address/allow', ['127.0.0.0/8'])); // with oneself on the list, it is one's own affair
  await said(post('address/remove', ['127.0.0.0/8']));
});

test('a desktop, with everything a body can hold', async () => {
  const made = await result(post('desktop/add', ['büro'.replace('ü', 'ue')], {
    host: '192.0.2.7', port: 3390, description: 'Über „Räume“ & 1+1=2', 'rdp-setting': ['use multimon:i:1', 'audiomode:i:2'],
  }));
  assert.equal(made.port, 3390);
  assert.equal(made.description, 'Über „Räume“ & 1+1=2');
  assert.deepEqual(made.rdp_settings.length, 2);
  await result(post('desktop/limit', ['buero'], { tunnels: 3, 'step-up': '5m' }));
  await result(post('desktop-group/add', ['halls']));
  await said(post('desktop-group/join', ['halls', 'buero']));
  const shown = await result(get('desktop/show?word=buero'));
  assert.deepEqual([shown.tunnels, shown.step_up_seconds, shown.groups], [3, 300, ['halls']]);
  const set = await result(post('desktop/set', ['buero'], { port: '3391', description: '' }));
  assert.deepEqual([set.port, set.description], [3391, '']);
  const pinned = await post('desktop/trust', ['buero'], { 'first-use': true });
  assert.equal(pinned.json.result.trust, 'first-use', pinned.body);
  const ca = await post('desktop/trust', ['buero'], { ca: true });
  assert.match(ca.json.warning, /^warning: the configuration names no authorities/);
  await said(post('desktop/remove', ['buero']));
});

test('mistakes are told in the command line\'s words', async () => {
  await refused(post('grant/add', ['bob', 'ofice']), 404, /^there is no desktop 'ofice', did you mean 'office'\?/);
  await refused(post('grant/add', ['bob']), 400, /say who and which desktop/);
  await refused(post('group/add', []), 400, /something is missing/);
  await refused(post('group/add', ['a', 'b']), 400, /more than it takes/);
  await refused(post('user/invite', ['dave'], { hours: 'x' }), 400, /--hours 'x'/);
  await refused(post('desktop/add', ['x'], { host: '192.0.2.1', port: ['1', '2'] }), 400, /--port is given twice/);
  await refused(post('desktop/add', ['x'], { host: true }), 400, /--host needs a value/);
});

test('what is not for the browser', async () => {
  for (const path of ['user/passwd', 'user/totp', 'user/add', 'init', 'serve', 'check', 'keeper', 'connect/x', 'user',
    'user/list/x', 'audit', 'alert/test', 'user/list%2fx', 'user%00/list', 'explain/x'])
    for (const method of ['GET', 'POST'])
      assert.equal((await gateway.http(method, `/api/admin/${path}`, {
        token, ...(method === 'POST' ? { body: '{}', headers: { 'Content-Type': 'application/json' } } : {}),
      })).status, 404, `${method} ${path}`);
  // Another method: not by GET what changes, not by POST what does not.
  assert.equal((await get('user/remove?word=bob')).status, 405);
  assert.equal((await post('user/list')).status, 405);
  await refused(get('user/limit?word=bob&until=2020-01-01'), 400, /no option 'until' for this in the browser/);
  await refused(get('audit/list?follow'), 400, /no option 'follow'/);
  await refused(post('group/add', ['x'], { json: true }), 400, /no option 'json'/);
  await refused(post('group/add', ['x'], { state: '/tmp' }), 400, /no option 'state'/);
});

test('words that look like options stay words', async () => {
  const before = await result(get('group/list'));
  for (const word of ['--state=/tmp', '--json', '--', '-h', '--help', '--user', 'ouser=alice'])
    await refused(post('group/add', [word]), 400, /cannot name a group/);
  assert.deepEqual(await result(get('group/list')), before);
  const made = await result(post('desktop/add', ['dashes'], { host: '192.0.2.3', description: '--host=198.51.100.1' }));
  assert.deepEqual([made.host, made.description], ['192.0.2.3', '--host=198.51.100.1']);
  gateway.cli('desktop', 'remove', 'dashes');
});

test('bodies and queries that are no arguments', async () => {
  const raw = (body) => gateway.http('POST', '/api/admin/group/add', { token, body, headers: { 'Content-Type': 'application/json' } });
  for (const body of ['', '[]', '{', '{"words": "x"}', '{"words": [1]}', '{"words": [["x"]]}', '{"words": ["a\\u0000b"]}',
    '{"options": []}', '{"options": {"a": null}}', '{"options": {"a": {}}}', '{"options": {"a=b": "c"}}',
    '{"options": {"": "c"}}', '{"options": {"-a": "c"}}', '{"options": {"A": "c"}}', '{"options": {"a": ["b", 1]}}',
    '{"options": {"a": 1.5}}', '{"words": ["a"], "words": ["b"]}', '{"words": ["a"], "more": 1}',
    JSON.stringify({ words: ['x'.repeat(5000)] }), JSON.stringify({ words: Array(3000).fill('') }),
    JSON.stringify({ options: { ['a'.repeat(40)]: 'x' } })]) {
    const answer = await raw(body);
    assert.deepEqual([answer.status, answer.json.error], [400, 'bad_request'], body.slice(0, 60));
  }
  await refused(post('session/end', Array(70).fill('1')), 400, /at most 64 words/);
  for (const query of ['word=%', 'word=%0', 'word=%zz', 'word=a%00b', 'word', 'Word=a', '-a=b', 'a%3db=c', `word=${'x'.repeat(4090)}`])
    assert.deepEqual([query.slice(0, 20), (await get(`desktop/show?${query}`)).json.error], [query.slice(0, 20), 'bad_request']);
  await refused(get('desktop/show?word=%ff%fe'), 400, /not UTF-8/);
  await refused(get('desktop/show?word=a+b%2Bc'), 404, /no desktop 'a b\+c'/);
});

test('the audit log is given in bounded pieces', async () => {
  assert.ok((await result(get('audit/list'))).length <= 200);
  assert.equal((await result(get('audit/list?last=3'))).length, 3);
  assert.ok((await result(get('audit/list?event=sign-in&user=bob'))).every(({ user }) => user === 'bob'));
  await refused(get('audit/list?last=1001'), 400, /from 1 to 1000/);
});

test('settings, with where they come from', async () => {
  const all = await get('settings');
  assert.equal(all.json.warning, undefined, all.body);
  assert.deepEqual(all.json.result, gateway.json('settings').map((row) =>
    (row.key === 'public_port' ? { ...row, value: all.json.result.find(({ key }) => key === row.key).value } : row)));
  const find = (key) => all.json.result.find((row) => row.key === key);
  assert.equal(find('factor_seconds').source, 'default');
  assert.match(find('allow').source, /^deskgate\.conf line \d+$/);
  assert.equal(find('allow').value, 'private, loopback');
  gateway.configure({ tunnel: { ping_seconds: 31 } });
  assert.match((await get('settings')).json.warning, /was changed after the gateway began/);
});

test('ending somebody\'s session ends it at once', async () => {
  const own = await bob.token();
  const { id } = (await result(get('session/list?user=bob'))).at(-1);
  assert.match(await said(post('session/end', [String(id)])), /1 session ended/);
  assert.equal((await gateway.http('GET', '/api/session', { token: own })).status, 401);
});

test('many at once: each is answered, and sign-ins go on', async () => {
  const names = Array.from({ length: 24 }, (_, i) => `many-${i}`);
  const answers = await Promise.all([...names.map((name) => post('group/add', [name])), ...names.map(() => get('user/list'))]);
  for (const { status, body } of answers) assert.ok([200, 503].includes(status), `${status} ${body}`);
  const made = new Set((await result(get('group/list'))).map(({ name }) => name));
  names.forEach((name, i) => assert.equal(made.has(name), answers[i].status === 200, name));
});

test('a client that goes before its answer leaves nothing behind', { skip: !isRoot && 'only root may look at the gate' }, async () => {
  const open = () => descriptors(gateway.part('gate'));
  const first = open();
  for (let i = 0; i < 40; i++) {
    const wire = await gateway.wire();
    wire.socket.write(`GET /api/admin/audit/list HTTP/1.1\r\nHost: localhost:${gateway.port}\r\nAuthorization: Bearer ${token}\r\n\r\n`);
    wire.socket.destroy();
  }
  await until(() => `the gate has closed them: ${first}, ${open()}`, () => open() <= first + 2, { ms: 30_000 });
  assert.equal((await get('user/list')).status, 200);
});

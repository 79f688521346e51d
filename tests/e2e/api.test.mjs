// Every route of the API: what is refused, by whom and with which answer, and the good way through
// each. The table is the whole of server/gate/route.c but for the files.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Gateway, PASSWORD } from './lib/gateway.mjs';
import { root } from './lib/proc.mjs';
import { deadPort, echoServer } from './lib/servers.mjs';
import { Codes } from './lib/totp.mjs';
import { until } from './lib/wait.mjs';

const INVITATION = randomBytes(32).toString('base64url'); // of nobody
const NEW_PASSWORD = 'another horse battery staple';

// needs: session; ours (a session, and with the cookie our Origin); page (no session, but no
// foreign Origin); nothing. A body is what the route asks for.
const ROUTES = [
  { method: 'GET', path: '/', needs: 'nothing' },
  { method: 'GET', path: '/desktop/echo', needs: 'nothing' },
  { method: 'GET', path: '/admin', needs: 'nothing' },
  { method: 'GET', path: '/healthz', needs: 'nothing' },
  { method: 'POST', path: '/api/setup', needs: 'page', body: { invitation: INVITATION } },
  { method: 'POST', path: '/api/setup/finish', needs: 'page', body: { invitation: INVITATION, password: NEW_PASSWORD, code: '123456' } },
  { method: 'POST', path: '/api/login', needs: 'page', body: { username: 'nobody', password: 'x', code: '123456' } },
  { method: 'POST', path: '/api/logout', needs: 'ours' },
  { method: 'GET', path: '/api/session', needs: 'session' },
  { method: 'GET', path: '/api/sessions', needs: 'session' },
  { method: 'POST', path: '/api/sessions/end', needs: 'ours', body: {} },
  { method: 'POST', path: '/api/password', needs: 'ours', body: { password: PASSWORD, new_password: NEW_PASSWORD, code: '123456' } },
  { method: 'POST', path: '/api/totp', needs: 'ours', body: { password: PASSWORD } },
  { method: 'POST', path: '/api/totp/confirm', needs: 'ours', body: { code: '123456' } },
  { method: 'POST', path: '/api/factor', needs: 'ours', body: { code: '123456' } },
  { method: 'GET', path: '/api/desktops', needs: 'session' },
  { method: 'GET', path: '/api/desktops/echo/state', needs: 'session' },
  { method: 'GET', path: '/api/desktops/echo/rdp', needs: 'session' },
  { method: 'POST', path: '/api/desktops/echo/ticket', needs: 'ours', body: {} },
  { method: 'POST', path: '/api/desktops/echo/password', needs: 'ours', body: {} },
  { method: 'GET', path: '/api/visits/1', needs: 'session' },
  { method: 'GET', path: '/tunnel/echo', needs: 'ours', upgrade: true },
  { method: 'GET', path: '/rdcleanpath', needs: 'ours', upgrade: true },
  { method: 'RDG_OUT_DATA, RDG_IN_DATA', path: '/remoteDesktopGateway/', needs: 'nothing' },
];
const withSession = ROUTES.filter((route) => ['session', 'ours'].includes(route.needs));
const withBody = ROUTES.filter((route) => route.body);
const UPGRADE = {
  Upgrade: 'websocket', Connection: 'Upgrade', 'Sec-WebSocket-Version': '13', 'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
};

let gateway;
let echo;
let anna;
let token;
let origin;

before(async () => {
  gateway = await Gateway.make({ conf: { login: { user_failures: 1000, address_failures: 100_000 }, rdg: { passwords: 'yes' } } });
  origin = `https://localhost:${gateway.port}`;
  echo = await echoServer();
  anna = gateway.addUser('anna');
  gateway.addDesktop('echo', echo.port);
  gateway.addDesktop('secret', echo.port);
  gateway.addDesktop('nothing', await deadPort());
  gateway.addDesktop('forbidden', echo.port, '169.254.1.1');
  gateway.addDesktop('nameless', 3389, 'no-such-host.invalid');
  for (const name of ['echo', 'nothing', 'forbidden', 'nameless']) gateway.grant(anna, name);
  token = await anna.token();
});
after(async () => {
  await gateway?.remove();
  await echo?.close();
});

const each = (name, run) => test(name, { timeout: 120_000 }, run);

// As a client should send it, but for what the test changes. A fresh connection each: a refusal
// may end it.
function send(route, { method = route.method, headers = {}, body, ...options } = {}) {
  const json = body ?? (route.body && JSON.stringify(route.body));
  const all = {
    ...(route.body ? { 'Content-Type': 'application/json' } : {}),
    ...(json !== undefined ? { 'Content-Length': Buffer.byteLength(json) } : {}),
    ...(route.upgrade ? UPGRADE : {}), ...headers,
  };
  return gateway.http(method, route.path, { body: json, headers: all, fresh: true, ...options });
}

const cookie = (value, from = origin) => ({ Cookie: `__Host-deskgate=${value}`, ...(from ? { Origin: from } : {}) });

function isError(answer, status, code, what = '') {
  assert.equal(answer.status, status, `${what}: ${answer.status} ${answer.body}`);
  assert.equal(answer.json?.error, code, what);
  assert.match(answer.json.id, /^[0-9a-f]{16}$/);
  assert.ok(answer.json.message.length > 10, what);
  assert.equal(answer.headers['cache-control'], 'no-store', what);
  assert.equal(answer.headers['set-cookie'], undefined, what);
}

// ---- refusals ----

test('the table is the whole of the gate\'s', () => {
  const text = readFileSync(join(root, 'server/gate/route.c'), 'utf8');
  const table = text.slice(text.indexOf('routes[] = {'), text.indexOf('plain_routes[]'));
  const theirs = [...table.matchAll(/^ {4}\{"([\w, ]+)", "([^"]+)"/gm)].map(([, method, path]) => `${method} ${path}`)
    .filter((line) => line !== 'GET /probe' && !/ \/api\/admin\//.test(line)); // those: admin_api.test.mjs
  const ours = ROUTES.map(({ method, path }) => `${method} ${path
    .replace(/^(\/api\/desktops|\/desktop|\/tunnel|\/api\/visits)\/[^/]+/, '$1/*')}`);
  assert.deepEqual(ours.sort(), theirs.sort());
});

each('no session, or one that never was', async () => {
  const never = randomBytes(32).toString('base64url');
  for (const route of withSession) {
    const what = `${route.method} ${route.path}`;
    isError(await send(route), 401, 'no_session', what);
    isError(await send(route, { headers: { Origin: origin } }), 401, 'no_session', what);
    for (const bad of [never, 'short', `${never}A`, '']) {
      isError(await send(route, { token: bad, headers: { Authorization: `Bearer ${bad}` } }), 401, 'no_session', what);
      isError(await send(route, { headers: cookie(bad) }), 401, 'no_session', what);
    }
  }
});

each('a session that has ended', async () => {
  const berta = gateway.addUser('berta');
  const over = await berta.token();
  assert.equal((await gateway.http('POST', '/api/logout', { token: over })).status, 200);
  for (const route of withSession) {
    isError(await send(route, { token: over }), 401, 'no_session', `${route.method} ${route.path}`);
    isError(await send(route, { headers: cookie(over) }), 401, 'no_session', `${route.method} ${route.path}`);
  }
});

const FOREIGN = () => ['https://evil.example', 'null', `http://localhost:${gateway.port}`, 'https://localhost',
  `${origin}.evil.example`, `${origin}/`];

each('a page of another site, with the cookie', async () => {
  for (const route of ROUTES.filter(({ needs }) => needs === 'ours')) {
    for (const foreign of [...FOREIGN(), null]) {
      isError(await send(route, { headers: cookie(token, foreign) }), 403, 'foreign_origin',
        `${route.method} ${route.path} from ${foreign}`);
    }
  }
  for (const route of ROUTES.filter(({ needs }) => needs === 'page')) {
    for (const foreign of FOREIGN()) {
      isError(await send(route, { headers: { Origin: foreign } }), 403, 'foreign_origin',
        `${route.method} ${route.path} from ${foreign}`);
    }
  }
  assert.equal((await gateway.http('GET', '/api/session', { token })).status, 200, 'the session lives on');
  await until('it is on record', () => gateway.audit('--event', 'foreign-origin').length > 0);
});

each('another method', async () => {
  for (const route of ROUTES) {
    for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS']) {
      if (method === route.method || (method === 'HEAD' && route.method === 'GET')) continue;
      const what = `${method} ${route.path}`;
      const answer = await send({ path: route.path }, { method, headers: cookie(token) });
      assert.equal(answer.status, 405, what);
      assert.equal(answer.headers.allow, route.method === 'GET' ? 'GET, HEAD' : route.method, what);
      if (method !== 'HEAD') isError(answer, 405, 'method_not_allowed', what);
    }
  }
});

each('a body of another kind', async () => {
  for (const route of withBody) {
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data', 'application/jsonp', undefined]) {
      const answer = await send({ ...route, body: undefined }, {
        token, body: JSON.stringify(route.body), headers: type ? { 'Content-Type': type } : {},
      });
      isError(answer, 415, 'not_json', `${route.path} as ${type}`);
    }
  }
});

each('a body that is too large', async () => {
  for (const route of withBody) {
    const answer = await send(route, { token, body: `{"x":"${'x'.repeat(16_384)}"}` });
    isError(answer, 413, 'too_large', route.path);
  }
});

each('a body that is not what the route asks for', async () => {
  for (const route of withBody) {
    const keys = Object.keys(route.body);
    const bad = ['', '[]', 'null', '{', '"{}"', JSON.stringify({ ...route.body, more: '' }), `${JSON.stringify(route.body)}x`];
    for (const key of keys) {
      bad.push(JSON.stringify({ ...route.body, [key]: undefined }), JSON.stringify({ ...route.body, [key]: 123456 }),
        JSON.stringify({ ...route.body, [key]: null }), JSON.stringify({ ...route.body, [key]: [route.body[key]] }),
        JSON.stringify({ ...route.body, [key]: 'a\0b' }), JSON.stringify(route.body).replace('{', `{"${key}":"",`));
      if (key !== 'code') bad.push(JSON.stringify({ ...route.body, [key]: 'x'.repeat(2000) })); // which is wrong then
    }
    for (const body of bad) {
      const answer = await send(route, { token, body });
      isError(answer, 400, 'bad_request', `${route.path} ${body.slice(0, 80)}`);
      for (const key of keys) assert.ok(answer.json.message.includes(key), `${route.path} names ${key}`);
    }
  }
  assert.equal((await gateway.http('GET', '/api/session', { token })).status, 200, 'the session lives on');
});

each('a WebSocket\'s address without a WebSocket', async () => {
  for (const route of ROUTES.filter(({ upgrade }) => upgrade)) {
    isError(await send({ ...route, upgrade: false }, { token }), 426, 'not_a_tunnel_request', route.path);
    isError(await send(route, { token, headers: { 'Sec-WebSocket-Key': 'short' } }), 400, 'not_a_tunnel_request', route.path);
  }
});

each('names that are no desktop of mine', async () => {
  for (const tail of ['state', 'rdp', 'ticket', 'password']) {
    const route = ROUTES.find(({ path }) => path === `/api/desktops/echo/${tail}`);
    for (const name of ['secret', 'no-such-desktop', '..', '%2e%2e', '-x', 'a%22b', '%c3%a9', 'x'.repeat(65), '*']) {
      isError(await send({ ...route, path: `/api/desktops/${name}/${tail}` }, { token }), 404, 'no_desktop', `${name} ${tail}`);
    }
    for (const name of ['', 'a%2fb', 'a/b', '%00', '%zz', 'a%0', '%0d%0aX:y', 'x'.repeat(500)]) {
      isError(await send({ ...route, path: `/api/desktops/${name}/${tail}` }, { token }), 404, 'not_found', `${name} ${tail}`);
    }
  }
  for (const visit of ['0', '999999', '-1', '1x', '%31x', '9223372036854775808', '99999999999999999999', 'x']) {
    isError(await send({ method: 'GET', path: `/api/visits/${visit}` }, { token }), 404, 'not_found', visit);
  }
});

// ---- the good way through ----

const STAMP = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;
const RECOVERY = /^[a-z2-7]{4}(-[a-z2-7]{4}){3}$/;

const post = (path, body, options = {}) => send({ method: 'POST', path, body }, options);
const get = (path, options = {}) => send({ method: 'GET', path }, options);

function good(answer) {
  assert.equal(answer.status, 200, `${answer.status} ${answer.body}`);
  assert.equal(answer.headers['cache-control'], 'no-store');
  return answer.json;
}

// A new session: its token, which the cookie holds as well.
async function welcome(answer, username) {
  const json = good(answer);
  assert.equal(json.username, username);
  assert.match(json.token, /^[\w-]{43}$/);
  assert.match(json.expires, STAMP);
  assert.deepEqual(answer.headers['set-cookie'],
    [`__Host-deskgate=${json.token}; Secure; HttpOnly; SameSite=Strict; Path=/`]);
  assert.equal(good(await get('/api/session', { headers: cookie(json.token) })).username, username);
  return json;
}

function isOffer(json, username) {
  assert.deepEqual(Object.keys(json).sort(), ['otpauth', 'qr', 'secret', 'username']);
  assert.equal(json.username, username);
  assert.match(json.secret, /^[A-Z2-7]{32}$/);
  const uri = new URL(json.otpauth);
  assert.equal(uri.protocol, 'otpauth:');
  assert.equal(uri.searchParams.get('secret'), json.secret);
  assert.ok(json.qr.length >= 21 && json.qr.length % 4 === 1, 'a width that QR codes have');
  for (const row of json.qr) assert.match(row, new RegExp(`^[01]{${json.qr.length}}$`));
  for (const [row, from] of [[0, 0], [0, -7], [json.qr.length - 7, 0]]) {
    const finder = json.qr.slice(row, row + 7).map((text) => text.slice(from, from + 7 || undefined));
    assert.deepEqual(finder, ['1111111', '1000001', '1011101', '1011101', '1011101', '1000001', '1111111']);
  }
}

each('the first sign-in: an invitation, a password, a device, recovery codes', async () => {
  const { stdout } = gateway.cli('user', 'invite', 'carla');
  const [, invitation] = stdout.match(/#setup=([\w-]{43})\b/);
  for (const bad of [INVITATION, invitation.slice(1), `${invitation}A`, 'x', '', '?'.repeat(43)]) {
    if (bad.length > 43) isError(await post('/api/setup', { invitation: bad }), 400, 'bad_request');
    else isError(await post('/api/setup', { invitation: bad }), 404, 'invitation', bad);
  }
  const offer = good(await post('/api/setup', { invitation }));
  isOffer(offer, 'carla');
  assert.deepEqual(good(await post('/api/setup', { invitation }, { headers: { Origin: origin } })), offer, 'again the same');

  const codes = new Codes(offer.secret);
  const finish = async (extra) => post('/api/setup/finish',
    { invitation, password: NEW_PASSWORD, ...extra, code: extra.code ?? await codes.next() });
  const weak = await post('/api/setup/finish', { invitation, password: 'short', code: codes.wrong() });
  isError(weak, 400, 'weak_password');
  isError(await finish({ code: codes.wrong() }), 403, 'wrong_code');
  isError(await finish({ invitation: INVITATION, code: '123456' }), 404, 'invitation');
  const session = await welcome(await finish({}), 'carla');
  assert.equal(session.recovery_codes.length, 10);
  assert.equal(new Set(session.recovery_codes).size, 10);
  for (const code of session.recovery_codes) assert.match(code, RECOVERY);
  assert.equal(good(await get('/api/session', { token: session.token })).recovery_codes_left, 10);
  isError(await post('/api/setup', { invitation }), 404, 'invitation');
  isError(await finish({ code: '123456' }), 404, 'invitation');

  const [first, second] = session.recovery_codes;
  const typed = first.toUpperCase().replaceAll('-', ' ');
  const login = (code) => post('/api/login', { username: 'carla', password: NEW_PASSWORD, code });
  const again = await welcome(await login(typed), 'carla');
  assert.equal(good(await get('/api/session', { token: again.token })).recovery_codes_left, 9);
  isError(await login(first), 401, 'sign_in_refused');
  await welcome(await login(second.replaceAll('-', '')), 'carla');
});

each('a new device', async () => {
  const doris = gateway.addUser('doris');
  const [old, other] = [await doris.token(), await doris.token()];
  isError(await post('/api/totp', { password: 'wrong' }, { token: old }), 403, 'wrong_password');
  isError(await post('/api/totp/confirm', { code: '123456' }, { token: old }), 409, 'offer_gone');
  const offer = good(await post('/api/totp', { password: PASSWORD }, { headers: cookie(old) }));
  isOffer(offer, 'doris');
  assert.notEqual(offer.secret, doris.secret);
  const codes = new Codes(offer.secret);
  isError(await post('/api/totp/confirm', { code: codes.wrong() }, { token: old }), 403, 'wrong_code');
  const session = await welcome(await post('/api/totp/confirm', { code: await codes.next() }, { headers: cookie(old) }), 'doris');
  assert.equal(session.recovery_codes.length, 10);
  for (const over of [old, other]) isError(await get('/api/session', { token: over }), 401, 'no_session');
  const login = (code) => post('/api/login', { username: 'doris', password: PASSWORD, code });
  isError(await login(await doris.codes.next()), 401, 'sign_in_refused');
  await welcome(await login(await codes.next()), 'doris');
});

each('another password', async () => {
  const edith = gateway.addUser('edith');
  const [old, other] = [await edith.token(), await edith.token()];
  const change = (extra) => post('/api/password', { password: PASSWORD, new_password: NEW_PASSWORD, code: edith.codes.wrong(), ...extra },
    { headers: cookie(old) });
  isError(await change({ password: 'wrong' }), 403, 'wrong_password');
  isError(await change({}), 403, 'wrong_code');
  const code = await edith.codes.next();
  const weak = await change({ new_password: 'short', code });
  isError(weak, 400, 'weak_password');
  const session = await welcome(await change({ code }), 'edith'); // which a weak password did not use up
  assert.equal(session.recovery_codes, undefined);
  for (const over of [old, other]) isError(await get('/api/session', { token: over }), 401, 'no_session');
  isError(await edith.signIn({ code: '123456' }), 401, 'sign_in_refused');
  await welcome(await edith.signIn({ password: NEW_PASSWORD }), 'edith');
});

each('my sessions, and the end of them all', async () => {
  const frida = gateway.addUser('frida');
  gateway.grant(frida, 'echo');
  const [one, two] = [await frida.token(), await frida.token()];
  const agent = 'Mozilla/5.0 (\xfcber "x" <b>)';
  const login = await post('/api/login', { username: 'frida', password: PASSWORD, code: await frida.codes.next() },
    { headers: { 'User-Agent': agent } });
  const three = good(login).token;
  const { ws } = await gateway.tunnel('echo', two);
  const { sessions } = good(await get('/api/sessions', { token: one }));
  assert.equal(sessions.length, 3, 'hers alone');
  assert.deepEqual(sessions.map(({ current }) => current).sort(), [false, false, true]);
  for (const session of sessions) {
    assert.deepEqual(Object.keys(session).sort(), ['address', 'agent', 'created', 'current', 'desktops', 'expires', 'used']);
    for (const key of ['created', 'used', 'expires']) assert.match(session[key], STAMP);
    assert.equal(session.address, '127.0.0.1');
  }
  assert.deepEqual(sessions.map(({ desktops }) => desktops.join()).sort(), ['', '', 'echo']);
  const shown = sessions.map((session) => session.agent.replace(/\?+/, '?'));
  assert.ok(shown.includes(agent.replace('\xfc', '?')), JSON.stringify(sessions));

  const end = await post('/api/sessions/end', {}, { headers: cookie(one) });
  assert.deepEqual(good(end), { status: 'signed_out' });
  assert.deepEqual(end.headers['set-cookie'], ['__Host-deskgate=; Secure; HttpOnly; SameSite=Strict; Path=/; Max-Age=0']);
  for (const over of [one, two, three]) isError(await get('/api/session', { token: over }), 401, 'no_session');
  assert.equal((await ws.closed(5_000)).code, 4001);
  assert.equal((await get('/api/session', { token })).status, 200, 'anna\'s lives on');
});

each('my desktops and their state', async () => {
  const gerda = gateway.addUser('gerda');
  for (const name of ['echo', 'nothing', 'forbidden', 'nameless']) gateway.grant(gerda, name);
  const hers = await gerda.token();
  const list = async () => good(await get('/api/desktops', { token: hers })).desktops;
  const before = await list();
  assert.deepEqual(before.map(({ name }) => name), ['echo', 'forbidden', 'nameless', 'nothing']);
  for (const desktop of before) {
    assert.deepEqual({ ...desktop, name: '', description: '' },
      { name: '', description: '', last_used: null, in_use: false, same_credentials: false });
  }
  const { ws } = await gateway.tunnel('echo', hers);
  const [during] = await list();
  assert.equal(during.in_use, true);
  assert.match(during.last_used, STAMP);
  ws.wire.end();
  for (const [name, state] of Object.entries({ echo: 'reachable', ECHO: 'reachable', nothing: 'refused', nameless: 'unknown_host', forbidden: 'forbidden' })) {
    assert.deepEqual(good(await get(`/api/desktops/${name}/state`, { token: hers })), { state }, name);
  }
});

each('a ticket and its visit', async () => {
  const hanna = gateway.addUser('hanna');
  gateway.grant(hanna, 'echo');
  const hers = await hanna.token();
  const ticket = good(await post('/api/desktops/ECHO/ticket', {}, { headers: cookie(hers) }));
  assert.deepEqual(Object.keys(ticket).sort(), ['clipboard', 'desktop', 'expires_seconds', 'same_credentials', 'ticket', 'visit']);
  assert.match(ticket.ticket, /^[\w-]{43}$/);
  assert.ok(Number.isSafeInteger(ticket.visit) && ticket.visit > 0);
  assert.ok(ticket.expires_seconds >= 30 && ticket.expires_seconds <= 60);
  assert.equal(ticket.desktop, 'echo', 'as the administrator spells it');
  assert.equal(ticket.same_credentials, false);
  assert.equal(ticket.clipboard, true);
  for (const [forbid, clipboard] of [['drives,clipboard', false], ['drives', true], ['none', true]]) {
    gateway.cli('desktop', 'set', 'echo', '--forbid', forbid);
    assert.equal(good(await post('/api/desktops/echo/ticket', {}, { token: hers })).clipboard, clipboard, forbid);
  }
  const visit = `/api/visits/${ticket.visit}`;
  assert.deepEqual(good(await get(visit, { token: hers })), { state: 'waiting', reason: '', message: '' });
  isError(await get(visit, { token }), 404, 'not_found', 'somebody else\'s');
  const all = await Promise.all(Array.from({ length: 20 }, () => post('/api/desktops/echo/ticket', {}, { token: hers })));
  const made = all.filter(({ status }) => status === 200);
  assert.ok(made.length >= 5 && made.length < 20, `${made.length} tickets of 20`);
  for (const answer of all) if (answer.status !== 200) isError(answer, 503, 'busy');
  for (const replaces of ['', '-1', 'x', '9223372036854775808', 1, null]) {
    isError(await post('/api/desktops/echo/ticket', { replaces }, { token: hers }), 400, 'bad_request', String(replaces));
  }
});

each('an .rdp file', async () => {
  const answer = await get('/api/desktops/ECHO/rdp', { headers: cookie(token, null) });
  assert.equal(answer.status, 200, answer.body);
  assert.equal(answer.headers['content-type'], 'application/x-rdp');
  assert.equal(answer.headers['content-disposition'], 'attachment; filename="echo.rdp"');
  assert.equal(answer.headers['cache-control'], 'no-store');
  const lines = answer.body.split('\r\n');
  assert.ok(lines.includes('full address:s:echo'));
  assert.ok(lines.includes(`gatewayhostname:s:localhost:${gateway.port}`));
  assert.ok(lines.some((line) => /^gatewayaccesstoken:s:[\w-]{43}$/.test(line)));
  assert.ok(!answer.body.includes(token), 'the session stays out of it');
  assert.equal((await get('/api/desktops/echo/rdp', { token, method: 'HEAD' })).body, '');
});

test('no secret stands in a log', () => {
  for (const secret of [PASSWORD, NEW_PASSWORD, token, anna.secret]) assert.ok(!gateway.log.includes(secret));
  assert.doesNotMatch(gateway.log, /Sanitizer|runtime error/);
});

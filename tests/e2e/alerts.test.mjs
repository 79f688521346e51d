// Alerts, the whole way: from what happens at the gateway to the log, a command and a webhook.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chmodSync, existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { CONFIRM_TLS, present, rdpServer, selfSigned, ticketFor } from './lib/cleanpath.mjs';
import { Gateway } from './lib/gateway.mjs';
import { alive, run } from './lib/proc.mjs';
import { scrape, value } from './lib/prometheus.mjs';
import { sleep, until } from './lib/wait.mjs';

const RULES = ['user_failures', 'address_failures', 'new_network', 'success_after_failures',
  'certificate_changed', 'audit_broken', 'certificate_expiry', 'gate_dropped'];
let gateway, anna, hook;

// An HTTPS server that notes what is posted; .answer(body) says with which status it answers.
async function webhook() {
  const pair = selfSignedFor('localhost');
  const server = createServer(pair, (request, answer) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text) => { body += text; });
    request.on('end', () => {
      const status = state.answer();
      state.posts.push({ method: request.method, path: request.url, type: request.headers['content-type'], json: JSON.parse(body), status });
      answer.writeHead(status, { Location: 'https://localhost:1/' }).end('x'.repeat(10_000));
    });
  });
  const state = { pair, posts: [], answer: () => 204 };
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return Object.assign(state, { port: server.address().port, close: () => { server.closeAllConnections(); server.close(); } });
}

function selfSignedFor(name) {
  const made = run('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes',
    '-keyout', '-', '-days', '2', '-subj', `/CN=${name}`, '-addext', `subjectAltName=DNS:${name}`]).stdout;
  return { key: made.slice(made.indexOf('-----BEGIN PRIVATE'), made.indexOf('-----BEGIN CERT')), cert: made.slice(made.indexOf('-----BEGIN CERT')) };
}

const file = (name) => join(gateway.folder, name);
const alerts = () => gateway.json('alert', 'list');
// A file for each alert, whole from its first moment: several commands run at a time.
const TAKE = (folder) => `new=$(mktemp '${folder}/new.XXXXXX') && cat >"$new" && mv "$new" '${folder}/alert.'"\${new##*.}"`;
const lines = () => readdirSync(file('out')).filter((name) => name.startsWith('alert.')).map((name) => JSON.parse(readFileSync(file(`out/${name}`), 'utf8')));

function command(text) {
  writeFileSync(file('command'), `#!/bin/sh\n${text}\n`);
  chmodSync(file('command'), 0o755);
}

// Each test has its own: most of them change what alerts are sent to.
beforeEach(async () => {
  hook = await webhook();
  gateway = await Gateway.make({ serve: false });
  run('install', ['-d', '-m', '777', file('out')]);
  writeFileSync(file('hook.pem'), hook.pair.cert, { mode: 0o644 });
  command(`ls -l /proc/self/fd >'${file('out/fds')}'.$$ && mv '${file('out/fds')}'.$$ '${file('out/fds')}'; ${TAKE(file('out'))}`);
  gateway.configure({
    alerts: { command: file('command'), webhook: `https://localhost:${hook.port}/secret-token`, authorities: file('hook.pem'), user_failures: 3, address_failures: 100 },
    metrics: { listen: '127.0.0.1:0' },
    login: { user_failures: 100 },
  });
  anna = gateway.addUser('anna');
  await gateway.serve();
});

afterEach(async () => {
  await gateway?.remove();
  hook?.close();
});

test('failed sign-ins reach the log, the command and the webhook, once', async () => {
  for (let i = 0; i < 5; i++) await anna.signIn({ password: 'not this one', code: '000000' });
  await until('the webhook has it', () => hook.posts.length > 0);
  await until('the command has it', () => lines().length > 0);
  await sleep(1200);
  assert.equal(hook.posts.length, 1);
  const [{ json, method, path, type }] = hook.posts;
  assert.deepEqual([method, path, type], ['POST', '/secret-token', 'application/json']);
  assert.deepEqual(lines(), [json]);
  assert.equal(json.rule, 'user_failures');
  assert.equal(json.user, 'anna');
  assert.equal(json.address, '127.0.0.1');
  assert.equal(json.test, false);
  assert.match(json.message, /^3 failed attempts to sign in as anna within 900 s/);
  assert.ok(json.text.includes(json.message), 'what chat services show');
  await gateway.said(/alert: 3 failed attempts to sign in as anna/);
  await until('the gateway knows that it was delivered', () => alerts().every(({ sent }) => sent));
  assert.deepEqual(alerts().map(({ rule, sent, test: marked }) => [rule, sent, marked]), [['user_failures', true, false]]);
  assert.equal(gateway.audit('--event', 'alert').length, 1);
  assert.equal(value(await scrape(gateway.plainPort), 'deskgate_alerts_total', { rule: 'user_failures' }), 1);
});

test('a good sign-in after failed ones', async () => {
  gateway.configure({ alerts: { after_failures: 3 } });
  await gateway.restart();
  for (let i = 0; i < 3; i++) await anna.signIn({ password: 'not this one', code: '000000' });
  await until('the failures are told', () => alerts().some(({ rule, sent }) => rule === 'user_failures' && sent));
  await gateway.restart();
  await anna.token();
  await until('it is raised', () => alerts().some(({ rule }) => rule === 'success_after_failures'));
  await until('and posted', () => hook.posts.some(({ json }) => json.rule === 'success_after_failures'));
  assert.equal(alerts().filter(({ rule }) => rule === 'user_failures').length, 1, 'a restart repeats nothing');
});

test('the command gets a clean process', async () => {
  gateway.cli('alert', 'test', 'new_network');
  await until('the command has it', () => existsSync(file('out/fds')));
  const descriptors = readFileSync(file('out/fds'), 'utf8').trim().split('\n').slice(1).map((line) => line.replace(/^.* (\d+ -> )/, '$1'));
  // Input, output, errors, and ls's own look at the folder; nothing of the gateway's.
  assert.ok(descriptors.every((line) => /^[012] -> |^\d+ -> \/proc\//.test(line)), descriptors.join('\n'));
});

test('every rule can be tried out, and a test is marked', async () => {
  assert.deepEqual(gateway.json('alert', 'rules').map(({ rule, on }) => [rule, on]), RULES.map((rule) => [rule, true]));
  for (const rule of RULES) assert.match(gateway.cli('alert', 'test', rule).stdout, /delivers it/);
  for (const rule of RULES) {
    await until(`the test of ${rule} is posted`, () => hook.posts.some(({ json }) => json.rule === rule && json.test));
    await until(`the command has the test of ${rule}`, () => lines().some((json) => json.rule === rule && json.test));
  }
  assert.throws(() => gateway.cli('alert', 'test', 'nonsense'), /there is no rule 'nonsense'/);
});

test('a webhook that fails is tried again; one that refuses is not', async () => {
  let left = 1;
  hook.answer = () => (left-- > 0 ? 503 : 200);
  gateway.cli('alert', 'test', 'new_network');
  await until('there is a second try', () => hook.posts.length === 2);
  assert.deepEqual(hook.posts.map(({ status }) => status), [503, 200]);
  for (const status of [404, 302]) { // a redirect is not followed
    const posts = hook.posts.length;
    const failed = (gateway.log.match(/an alert was not delivered by=webhook/g) ?? []).length;
    hook.answer = () => status;
    gateway.cli('alert', 'test', 'new_network');
    await until(`${status} is logged`, () => (gateway.log.match(/an alert was not delivered by=webhook/g) ?? []).length > failed);
    assert.equal(hook.posts.length, posts + 1);
  }
  assert.ok(!gateway.log.includes('secret-token'), 'the address is in no log');
});

test('the address is in no argument, and not in gate or keeper', async () => {
  gateway.cli('alert', 'test', 'new_network');
  await until('it was used', () => hook.posts.length > 0);
  for (const part of ['gate', 'keeper', 'supervisor']) {
    const pid = part === 'supervisor' ? gateway.pid : gateway.part(part);
    assert.ok(!readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('secret-token'));
    const found = run('python3', ['-c', `
import re, sys
pid, needle = sys.argv[1], b'secret-' + b'token'
mem = open(f'/proc/{pid}/mem', 'rb', 0)
for line in open(f'/proc/{pid}/maps'):
    begin, end, mode = re.match(r'([0-9a-f]+)-([0-9a-f]+) (\\S+)', line).groups()
    if mode[0] == 'r' and '[v' not in line:
        mem.seek(int(begin, 16))
        try:
            if needle in mem.read(int(end, 16) - int(begin, 16)): print(line)
        except OSError: pass
`, String(pid)], { allow: true });
    // The supervisor shows that what is looked for can be found. Reading takes root.
    if (found.status === 0) assert.equal(found.stdout !== '', part === 'supervisor', part);
  }
});

test('a command that hangs is ended with all its children, and holds nothing up', { timeout: 180_000 }, async () => {
  command(`sleep 300 & echo $! >>'${file('out/pids')}'; echo $$ >>'${file('out/pids')}'; wait`);
  for (let i = 0; i < 3; i++) gateway.cli('alert', 'test', 'new_network');
  const pids = () => (existsSync(file('out/pids')) ? readFileSync(file('out/pids'), 'utf8').trim().split('\n').map(Number) : []);
  await until('it hangs', () => pids().length >= 2);
  assert.equal((await gateway.http('GET', '/healthz')).status, 200);
  const first = pids().slice(0, 2);
  await until('they have been ended', () => first.every((pid) => !alive(pid)), { ms: 90_000 });
  await until('it is logged', () => /an alert was not delivered by=command/.test(gateway.log));
  const begun = Date.now();
  await gateway.stop();
  assert.ok(Date.now() - begun < 15_000, 'stopping does not wait for it'); // it would take 30 s
  await until('none is left', () => pids().every((pid) => !alive(pid)));
});

test('a desktop with another certificate', async () => {
  const desktop = await rdpServer({ confirm: CONFIRM_TLS });
  try {
    gateway.addDesktop('office', desktop.port);
    gateway.grant(anna, 'office');
    const token = await anna.token();
    for (let i = 0; i < 2; i++) {
      const made = await ticketFor(gateway, token, 'office');
      const { wire } = await present(gateway, token, { destination: 'office', ticket: made.ticket });
      wire.end();
      desktop.pair = selfSigned();
    }
    await until('it is raised', () => lines().some(({ rule, desktop: name, test: marked }) => rule === 'certificate_changed' && name === 'office' && !marked));
  } finally {
    await desktop.close();
  }
});

test('the gateway\'s own certificate ends soon', async () => {
  gateway.configure({ alerts: { certificate_days: 365 } });
  run('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', join(gateway.state, 'tls/key.pem'),
    '-out', join(gateway.state, 'tls/cert.pem'), '-days', '5', '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost']);
  await gateway.restart();
  await until('it is raised', () => lines().some(({ rule, message, test: marked }) => rule === 'certificate_expiry' && /in [45] days/.test(message) && !marked));
});

test('a webhook whose certificate nobody vouches for is not told', async () => {
  gateway.configure({ alerts: { authorities: '' } });
  await gateway.restart();
  gateway.cli('alert', 'test', 'audit_broken');
  await until('it is logged', () => /the webhook could not be reached error="[^"]*certificate/.test(gateway.log));
  assert.equal(hook.posts.length, 0);
});

test('the address can come from a file; what cannot be used is said at start', async () => {
  writeFileSync(file('hook-url'), `https://localhost:${hook.port}/from-a-file\n`, { mode: 0o644 });
  gateway.configure({ alerts: { webhook: file('hook-url'), authorities: file('hook.pem'), command: '/nonexistent/command' } });
  await gateway.restart();
  await gateway.said(/the command for alerts cannot be run/);
  gateway.cli('alert', 'test', 'new_network');
  await until('it is posted', () => hook.posts.some(({ path }) => path === '/from-a-file'));
  await until('the command fails', () => /an alert was not delivered by=command signal=none code=69/.test(gateway.log));
  writeFileSync(file('hook-url'), 'http://localhost/plain\n');
  await gateway.restart();
  await gateway.said(/alerts are not posted.*does not begin with https/);
});

test('codes that are guessed within a session are failures, too', async () => {
  const token = await anna.token();
  for (let i = 0; i < 3; i++) await gateway.post('/api/factor', { code: anna.codes.wrong() }, { token });
  await until('it is raised', () => alerts().some(({ rule, user, test: marked }) => rule === 'user_failures' && user === 'anna' && !marked));
});

test('an alert that cannot be called sent is told once', async () => {
  gateway.sql("CREATE TRIGGER no_room BEFORE UPDATE OF sent ON alerts BEGIN SELECT RAISE(FAIL, 'no room'); END");
  gateway.cli('alert', 'test', 'new_network');
  await until('it is told', () => hook.posts.length > 0);
  await sleep(2500); // five looks of the keeper's
  gateway.sql('DROP TRIGGER no_room');
  await until('it is written down', () => alerts().every(({ sent }) => sent));
  assert.equal(hook.posts.length, 1);
  assert.equal(lines().length, 1);
});

// What is in the memory of the gateway's processes, and what becomes of it: nothing that was typed
// or handed out is there once it has been used, no process writes a core file, and none is swapped
// out.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { present, rdpServer, ticketFor } from './lib/cleanpath.mjs';
import { binary, Gateway, isRoot, sanitized } from './lib/gateway.mjs';
import { nowhereIn, searchGateway, typed } from './lib/memory.mjs';
import { environment, run, start, status, stop } from './lib/proc.mjs';
import { LegacyRdg, TYPE, WebSocketRdg, close, rdgTicket } from './lib/rdg.mjs';
import { echoServer } from './lib/servers.mjs';
import { Codes, decode32 } from './lib/totp.mjs';
import { until } from './lib/wait.mjs';

const PASSWORD = 'zebra quilt magnet harbour 71';
const NEW = 'lantern violin gravel otter 38';
const root = { skip: isRoot ? sanitized && 'a sanitizer keeps what was freed' : 'only root may look' };
let gateway, echo, office, folder;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'deskgate-cores-'));
  chmodSync(folder, 0o777);
  gateway = await Gateway.make({ conf: { rdg: { passwords: 'yes' } } });
  echo = await echoServer();
  office = await rdpServer();
  gateway.addDesktop('echo', echo.port);
  gateway.addDesktop('office', office.port);
});
after(async () => {
  await gateway?.remove();
  await echo?.close();
  await office?.close();
  if (folder) rmSync(folder, { recursive: true, force: true });
});

const post = (path, body, token) => gateway.post(path, body, { token });

// ---- secrets ----

const code = (name, text) => ({ [name]: Buffer.from(`"${text}"`), [`${name}, as text`]: Buffer.from(`${text}\0`), [`${name}, UTF-16`]: Buffer.from(text, 'utf16le') });
const reference = (name, text) => ({ ...typed(name, text), [`${name}, raw`]: Buffer.from(text, 'base64url') });
const seed = (name, text) => ({ ...typed(name, text), [`${name}, raw`]: decode32(text) });
const search = (needles) => searchGateway(gateway, needles);
const nowhere = (needles) => nowhereIn(gateway, needles);

test('a password on its way is found; once it was judged, nothing of the sign-in is', { ...root, timeout: 180_000 }, async () => {
  const anna = gateway.addUser('anna', PASSWORD);
  const once = await anna.codes.lasting(); // the search takes its time
  const body = JSON.stringify({ username: 'anna', password: PASSWORD, code: once });
  const wire = await gateway.wire();
  wire.send(`POST /api/login HTTP/1.1\r\nHost: localhost:${gateway.port}\r\nContent-Type: application/json\r\n` +
    `Content-Length: ${body.length}\r\n\r\n${body.slice(0, -2)}`);
  await until('the search finds what is there', () => search(typed('password', PASSWORD)).some((what) => /^gate: password at/.test(what)));
  assert.ok(search({ name: Buffer.from(gateway.state) }).length, 'as it finds what is no secret');
  wire.send(body.slice(-2));
  const head = (await wire.readTo('\r\n\r\n')).toString();
  assert.match(head, /^HTTP\/1.1 200/);
  const { token } = JSON.parse(await wire.read(Number(/Content-Length: (\d+)/i.exec(head)[1])));
  // The connection is still open: nothing waits for its end.
  await nowhere({ ...typed('password', PASSWORD), ...code('code', once), ...seed('seed', anna.secret), ...reference('token', token) });
  wire.end();

  const wrong = await gateway.login({ username: 'anna', password: `${PASSWORD}!`, code: '135790' });
  assert.equal(wrong.status, 401);
  await nowhere({ ...typed('password', PASSWORD), ...code('code', '135790') });
});

test('a session, its tunnels and its end leave nothing', { ...root, timeout: 180_000 }, async () => {
  const bert = gateway.addUser('bert', PASSWORD);
  for (const name of ['echo', 'office']) gateway.grant(bert, name);
  const token = await bert.token();
  const ticket = await rdgTicket(gateway, token, 'echo');
  const { password } = (await post('/api/desktops/echo/password', {}, token)).json;
  const needles = { ...typed('password', PASSWORD), ...seed('seed', bert.secret), ...reference('token', token), ...reference('ticket', ticket),
    ...typed('gateway password', password), 'gateway password, for Basic': Buffer.from(Buffer.from(`bert:${password}`).toString('base64')) };

  const { ws } = await gateway.tunnel('echo', token);
  ws.send(Buffer.from('hi'));
  await ws.read(2);
  const made = await ticketFor(gateway, token, 'office');
  const viewer = await present(gateway, token, { destination: 'office', ticket: made.ticket });
  assert.equal(viewer.answer.error, undefined);
  Object.assign(needles, reference('ticket of the browser', made.ticket));
  for (const Way of [WebSocketRdg, LegacyRdg]) {
    const rdg = await Way.connect(gateway);
    assert.equal((await rdg.open(ticket, ['echo'])).status, 0);
    await nowhere(needles); // while all of them live
    rdg.drop();
    await until('it has ended', () => gateway.json('tunnel', 'list').every(({ way }) => way !== 'rdg'));
  }
  const basic = await WebSocketRdg.connect(gateway, { 'RDG-Auth-Scheme': undefined, Authorization: `Basic ${Buffer.from(`bert:${password}`).toString('base64')}` });
  assert.equal((await basic.open(undefined, ['echo'], { auth: 0 })).status, 0);
  await nowhere(needles);
  basic.send(close());
  await basic.expect(TYPE.CLOSE_RESPONSE);
  assert.equal((await post('/api/logout', {}, token)).status, 200);
  await nowhere(needles);
});

test('an invitation, a new seed, recovery codes and a new password leave nothing', { ...root, timeout: 180_000 }, async () => {
  const { invitation } = gateway.json('user', 'invite', 'carla');
  const { json: offer } = await post('/api/setup', { invitation });
  const needles = { ...reference('invitation', invitation), ...seed('seed', offer.secret), ...typed('password', NEW) };
  const codes = new Codes(offer.secret);
  const first = await codes.next();
  const { json: done } = await post('/api/setup/finish', { invitation, password: NEW, code: first });
  done.recovery_codes.forEach((text, i) => Object.assign(needles, typed(`recovery code ${i}`, text),
    typed(`recovery code ${i}, bare`, text.replaceAll('-', ''))));
  await nowhere({ ...needles, ...code('code', first), ...reference('token', done.token) });
  const signedIn = await gateway.login({ username: 'carla', password: NEW, code: done.recovery_codes[0] });
  assert.equal(signedIn.status, 200);
  await nowhere({ ...needles, ...reference('token', signedIn.json.token) });
});

// ---- core files ----

const cores = () => readdirSync(folder).filter((name) => /core/.test(name));

// With every right to dump, as far as limits go.
const willing = (program, args, options) => start('sh', ['-c', 'ulimit -c unlimited; exec "$@"', 'sh', program, ...args], { cwd: folder, ...options });

// A program of nobody in particular.
async function control() {
  const child = spawn('sh', ['-c', 'ulimit -c unlimited && kill -SEGV $$'], { cwd: folder, stdio: 'ignore', env: environment() });
  await once(child, 'close');
  const written = cores();
  for (const name of written) rmSync(join(folder, name));
  return written.length > 0;
}

// What the kernel looks at, wherever core_pattern sends them: the files in /proc of a process that
// may not be dumped are root's.
const noCore = (pid) => /Max core file size +0 /.test(readFileSync(`/proc/${pid}/limits`, 'utf8'));
const undumpable = (pid) => statSync(`/proc/${pid}/environ`).uid === 0 && noCore(pid);

// Not the shell before it any more, which may have no limit yet, or soon none.
const begun = (pid) => readFileSync(`/proc/${pid}/comm`, 'utf8') === 'deskgate\n' && noCore(pid);

test('no process of the gateway writes a core file', { timeout: 180_000, skip: sanitized && 'a sanitizer looks at the process' }, async (t) => {
  const writes = await control();
  t.diagnostic(writes ? 'cores of others are written here' : 'core_pattern writes no file here: the flag is looked at alone');
  for (const [part, signal] of [['keeper', 'SIGSEGV'], ['gate', 'SIGABRT'], ['gate', 'SIGSEGV']]) {
    const pid = await until(`there is a ${part}`, () => gateway.part(part));
    assert.ok(undumpable(pid), part);
    process.kill(pid, signal);
    await until('another one', () => gateway.part(part) && gateway.part(part) !== pid);
    await gateway.healthy();
  }
  assert.ok(undumpable(gateway.pid), 'supervisor');

  const other = await Gateway.make({ serve: false });
  t.after(() => other.remove());
  const serving = willing(binary, ['--state', other.state, 'serve']);
  t.after(() => stop(serving, { signal: 'SIGKILL' }));
  await until(() => `it serves: ${serving.err}`, () => /ready: serving/.test(serving.err));
  other.process = serving;
  for (const [part, signal] of [['gate', 'SIGSEGV'], ['keeper', 'SIGABRT']]) {
    const pid = await until(`there is a ${part}`, () => other.part(part));
    process.kill(pid, signal);
    await until(() => `${part} ${pid} ended: ${serving.err}`, () => new RegExp(`child=${part} pid=${pid} signal=`).test(serving.err));
  }
  serving.child.kill('SIGQUIT');
  assert.equal((await serving.ended).signal, 'SIGQUIT');
  other.process = undefined;
  assert.deepEqual(cores(), []);
});

test('neither the client nor a verb that is given a password writes one', { timeout: 180_000, skip: sanitized && 'a sanitizer looks at the process' }, async (t) => {
  await control();
  gateway.addUser('dora');
  const stdio = ['pipe', 'pipe', 'pipe'];
  const waiting = {
    connect: willing(binary, ['connect', '--credentials-fd', '0', `https://localhost:${gateway.port}`, 'echo'], { stdio }),
    'user passwd': willing(binary, ['--state', gateway.state, 'user', 'passwd', 'dora', '--password-stdin'], { stdio }),
    backup: willing(binary, ['--state', gateway.state, 'backup', '--passphrase', join(folder, 'kept')], { stdio }),
  };
  t.after(() => Promise.all(Object.values(waiting).map((one) => stop(one))));
  for (const [verb, one] of Object.entries(waiting)) {
    await until(`${verb} has begun`, () => !one.running() || begun(one.child.pid));
    if (!one.running()) assert.fail(`${verb}: ${one.err}`);
    one.child.kill('SIGSEGV');
    assert.equal((await one.ended).signal, 'SIGSEGV', verb);
  }
  assert.deepEqual(cores(), []);
});

// ---- swap ----

// Root may mostly raise the limit; where it may not, it still locks what stays root's.
const raises = isRoot && run('prlimit', ['--memlock=unlimited:unlimited', 'true'], { allow: true }).status === 0;

test('keeper, gate and supervisor are locked in memory', { skip: root.skip }, async (t) => {
  let one = gateway;
  if (!raises) {
    one = await Gateway.make({ conf: { server: { user: 'root' } } });
    t.after(() => one.remove());
  }
  for (const [part, pid] of Object.entries({ supervisor: one.pid, gate: one.part('gate'), keeper: one.part('keeper') })) {
    const [size, locked] = ['VmSize', 'VmLck'].map((field) => status(pid, field));
    t.diagnostic(`${part}: ${locked} of ${size} KB of addresses, ${status(pid, 'VmRSS')} KB present`);
    assert.ok(locked > size / 2, part);
  }
  assert.doesNotMatch(one.log, /memory\.lock/);
});

test('where it may not lock it says so, and serves', { skip: root.skip, timeout: 180_000 }, async (t) => {
  const other = await Gateway.make({ serve: false });
  t.after(() => other.remove());
  const limited = ['--memlock=65536:65536', 'setpriv', '--bounding-set', '-sys_resource,-ipc_lock', binary, '--state', other.state];
  const process = start('prlimit', [...limited, 'serve']);
  t.after(() => stop(process));
  await until(() => `it serves: ${process.err}`, () => /ready: serving/.test(process.err));
  assert.match(process.err, /keeper warning memory\.lock: memory cannot be locked, .*LimitMEMLOCK=infinity/);
  assert.equal(process.err.match(/memory\.lock/g).length, 1, 'once, not by each process');
});

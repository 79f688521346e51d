// What deskgate gives to the programs around it on a server: systemd's units, certbot's hook,
// fail2ban's filter. scripts/package --test tries the units under a real systemd.
import assert from 'node:assert/strict';
import { chmodSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { binary, Gateway, PASSWORD } from './lib/gateway.mjs';
import { root, run } from './lib/proc.mjs';
import { until } from './lib/wait.mjs';

const scripts = join(root, 'scripts');
const folder = mkdtempSync(join(tmpdir(), 'deskgate-system-'));
const lineage = join(folder, 'lineage');
let gateway;
before(async () => {
  chmodSync(folder, 0o755); // the gateway's user may look, as in /etc
  gateway = await Gateway.make();
  // What certbot has: another certificate for the gateway's name.
  run(binary, ['--state', join(folder, 'other'), 'init', '--name', 'localhost']);
  mkdirSync(lineage);
  for (const [from, to] of [['cert.pem', 'fullchain.pem'], ['key.pem', 'privkey.pem']]) copyFileSync(join(folder, 'other/tls', from), join(lineage, to));
});
after(async () => {
  rmSync(folder, { recursive: true, force: true });
  await gateway?.remove();
});

// ---- systemd ----

test('the units are without fault, and the service is little exposed', () => {
  for (const unit of ['deskgate.service', 'deskgate.socket', 'deskgate-http.socket']) {
    writeFileSync(join(folder, unit), readFileSync(join(scripts, 'systemd', unit), 'utf8')
      .replace('@bindir@/deskgate', binary));
  }
  const verified = run('systemd-analyze', ['verify', '--man=no', ...['deskgate.service', 'deskgate.socket', 'deskgate-http.socket']
    .map((unit) => join(folder, unit))], { allow: true });
  const faults = (verified.stdout + verified.stderr).split('\n').filter((line) => /deskgate/.test(line));
  assert.deepEqual(faults, []);
  const score = run('systemd-analyze', ['security', '--offline=true', '--no-pager', '--threshold=20', join(folder, 'deskgate.service')]);
  assert.match(score.stdout, /Overall exposure level for deskgate\.service: [01]\.\d/);
});

test('the unit allows what the program asks of the kernel for itself', () => {
  const unit = readFileSync(join(scripts, 'systemd/deskgate.service'), 'utf8');
  const [, allowed] = /^SystemCallFilter=(\w.*)$/m.exec(unit);
  const sources = run('grep', ['-rhoE', 'SYS_[a-z_0-9]+', join(root, 'server')]).stdout.split('\n').filter(Boolean).map((name) => name.slice(4));
  const privileged = run('systemd-analyze', ['syscall-filter', '--no-pager', '@resources', '@privileged']).stdout.split('\n').map((line) => line.trim());
  const asked = [...new Set(sources)].filter((name) => privileged.includes(name));
  assert.ok(asked.includes('sched_setattr'), asked.join(' '));
  for (const name of asked) assert.ok(allowed.split(' ').includes(name), `${name} is not allowed`);
});

test('the packaging builds what the unit and the script name', () => {
  const control = readFileSync(join(scripts, 'debian/control'), 'utf8');
  for (const line of readFileSync(join(scripts, 'lib/packages'), 'utf8').split('\n')) {
    const [, packages] = /^build +(lib\S+-dev|nettle-dev)\b/.exec(line) ?? [];
    if (packages && packages !== 'libc6-dev') assert.match(control, new RegExp(`^ ${packages}( |,|$)`, 'm'), `${packages} is not in debian/control`);
  }
});

// ---- certbot ----

function renew(domains) {
  return run(join(scripts, 'certbot-deploy'), [], { allow: true, env: {
    DESKGATE_STATE: gateway.state, RENEWED_LINEAGE: lineage, RENEWED_DOMAINS: domains,
    PATH: `${dirname(binary)}:${process.env.PATH}` } });
}

test("certbot's hook puts the gateway's certificate in its place, and leaves others alone", async () => {
  const [certificate, key] = ['fullchain.pem', 'privkey.pem'].map((file) => readFileSync(join(lineage, file)));
  const [oldCertificate, oldKey] = ['cert.pem', 'key.pem'].map((file) => join(gateway.state, 'tls', file));
  const kept = readFileSync(oldCertificate);

  const others = renew('www.example.com not-localhost');
  assert.deepEqual([others.status, others.stderr], [0, '']);
  assert.deepEqual(readFileSync(oldCertificate), kept);
  const done = renew('www.example.com localhost');
  assert.equal(done.status, 0, done.stderr);
  assert.match(done.stderr, /cert\.pem is new, but no deskgate\.service runs .* SIGHUP/, 'who has to tell it is told');
  assert.deepEqual(readFileSync(oldCertificate), certificate);
  assert.deepEqual(readFileSync(oldKey), key);
  for (const file of [oldCertificate, oldKey]) {
    assert.equal(statSync(file).mode & 0o777, 0o600);
    assert.equal(statSync(file).uid, statSync(gateway.state).uid);
    assert.ok(!existsSync(`${file}.new`));
  }
  gateway.process.child.kill('SIGHUP'); // as systemd's reload
  await until('the new certificate is in use', () => /tls\.reload: new certificates are in use/.test(gateway.log));
  gateway.ca = certificate;
  await gateway.healthy();
});

test("certbot's hook, run by root, writes where the gateway's user could, and no further", { skip: process.getuid() !== 0 && 'not root' }, () => {
  const tls = join(gateway.state, 'tls');
  const foreign = join(folder, 'foreign');
  mkdirSync(foreign, { mode: 0o755 });
  renameSync(tls, `${tls}.kept`);
  symlinkSync(foreign, tls); // as somebody who has taken over the gateway's user would
  try {
    assert.notEqual(renew('localhost').status, 0);
    assert.deepEqual(readdirSync(foreign), []);
  } finally {
    rmSync(tls);
    renameSync(`${tls}.kept`, tls);
  }
});

test("certbot's hook heeds the folder and not a link to it, and no gateway that is gone", { skip: process.getuid() !== 0 && 'not root' }, () => {
  const link = join(folder, 'link');
  symlinkSync(gateway.state, link);
  const hook = (path) => run(join(scripts, 'certbot-deploy'), [], { allow: true, env: {
    DESKGATE_STATE: link, RENEWED_LINEAGE: lineage, RENEWED_DOMAINS: 'localhost', PATH: path } });
  const file = join(gateway.state, 'tls/cert.pem');
  rmSync(file);
  const removed = hook('/usr/bin:/bin');
  assert.deepEqual([removed.status, removed.stderr, existsSync(file)], [0, '', false]);
  const done = hook(`${dirname(binary)}:${process.env.PATH}`);
  assert.equal(done.status, 0, done.stderr);
  assert.equal(statSync(file).uid, statSync(gateway.state).uid);
});

test("certbot's hook says so where it may not write", () => {
  gateway.configure({ tls: { certificate: '/etc/ssl/certs/gateway.pem', key: '/etc/ssl/private/gateway.pem' } });
  const done = renew('localhost');
  gateway.configure({ tls: { certificate: 'tls/cert.pem', key: 'tls/key.pem' } });
  assert.notEqual(done.status, 0);
  assert.match(done.stderr, /\[tls\] certificate is '\/etc\/ssl\/certs\/gateway\.pem': put the certificate for localhost there yourself/);
});

// ---- fail2ban ----

// How many of these lines the filter takes for failures, and of which addresses.
function found(lines) {
  const log = join(folder, 'log');
  mkdirSync(join(folder, 'filter.d'), { recursive: true });
  writeFileSync(join(folder, 'filter.d/common.conf'), readFileSync('/etc/fail2ban/filter.d/common.conf'));
  writeFileSync(join(folder, 'filter.d/deskgate.conf'), readFileSync(join(scripts, 'fail2ban/filter.conf')));
  writeFileSync(log, `${lines.join('\n')}\n`);
  const out = run('fail2ban-regex', ['--out', 'ip', log, join(folder, 'filter.d/deskgate.conf')]).stdout;
  return out.split('\n').filter(Boolean);
}

// As the journal shows a line that the program would have written to standard error.
const inJournal = (line) => line.replace(/^\S+ keeper info /, 'Nov 29 10:00:00 gw deskgate[4711]: ');

test("fail2ban's filter finds failed sign-ins in what the gateway writes", async () => {
  const anna = gateway.addUser('anna');
  const from = gateway.log.length;
  const hostile = ['x address=198.51.100.7', 'x" address=198.51.100.7 ', 'a\n2026-01-01 sign-in: denied conn=1 who=b address=198.51.100.7', ''];
  assert.equal((await anna.signIn()).status, 200);
  assert.equal((await gateway.login({ username: 'anna', password: PASSWORD, code: '000000' })).status, 401);
  for (const username of hostile) await gateway.login({ username, password: PASSWORD, code: '000000' });
  await gateway.http('GET', '/healthz');
  const failures = () => gateway.log.slice(from).split('\n').filter((line) => /keeper info sign-in: (denied|throttled)/.test(line));
  await until('the failures are logged', () => failures().length >= 2);
  const lines = gateway.log.slice(from).split('\n').filter(Boolean);
  assert.ok(lines.some((line) => /sign-in: ok/.test(line)));
  assert.deepEqual(found(lines), failures().map(() => '127.0.0.1'));
  assert.deepEqual(found(lines.map(inJournal)), failures().map(() => '127.0.0.1'));
});

test("fail2ban's filter takes IPv6 addresses, and nothing that a name pretends", () => {
  const line = (words) => `Nov 29 10:00:00 gw deskgate[4711]: ${words}`;
  assert.deepEqual(found([
    line('sign-in: denied conn=1f82c078e866149e who=anna address=2001:db8::7 desktop="" detail=""'),
    line('sign-in: throttled conn=1f82c078e866149e who="" address=203.0.113.9 desktop="" detail=""'),
    line('invitation: denied conn=1f82c078e866149e who="" address=203.0.113.10 desktop="" detail=""'),
    line('gateway-password: denied conn=1f82c078e866149e who=anna address=203.0.113.11 desktop="" detail=""'),
    line('sign-in: ok conn=1f82c078e866149e who=anna address=203.0.113.12 desktop="" detail=""'),
    line('sign-in: busy conn=1f82c078e866149e who=anna address=203.0.113.13 desktop="" detail=""'),
    line('sign-in: denied conn=1f82c078e866149e who="a address=198.51.100.1 b=\\"" address=203.0.113.14 desktop="" detail=""'),
    line('user-add: ok conn="" who="sign-in: denied conn=1 who=a address=198.51.100.2" address="" desktop="" detail=""'),
  ]), ['2001:db8::7', '203.0.113.9', '203.0.113.10', '203.0.113.11', '203.0.113.14']);
});

// A gateway of this name, in lower case or not, and certbot's answer to `domains` for it: {status, stderr, placed}.
async function renewAs(name, domains, { broken = false } = {}) {
  const own = await Gateway.make({ serve: false, conf: { server: { name } } });
  try {
    const lineage = join(own.folder, 'lineage');
    mkdirSync(lineage);
    run(binary, ['--state', join(own.folder, 'other'), 'init', '--name', 'localhost']);
    const theirs = (file) => readFileSync(join(own.folder, 'other/tls', file));
    writeFileSync(join(lineage, 'fullchain.pem'), theirs('cert.pem'));
    writeFileSync(join(lineage, 'privkey.pem'), theirs('key.pem'));
    if (broken) writeFileSync(join(own.state, 'deskgate.conf'), '[server]\nthreads = many\n');
    const done = run(join(scripts, 'certbot-deploy'), [], { allow: true, env: {
      DESKGATE_STATE: own.state, RENEWED_LINEAGE: lineage, RENEWED_DOMAINS: domains, PATH: `${dirname(binary)}:${process.env.PATH}` } });
    return { ...done, placed: readFileSync(join(own.state, 'tls/cert.pem')).equals(theirs('cert.pem')) };
  } finally {
    await own.remove();
  }
}

test("certbot's hook takes a wildcard's certificate, and names however they are written", async () => {
  for (const [name, domains, taken] of [
    ['gateway.example.com', '*.example.com example.com', true],
    ['Gateway.Example.COM', 'www.example.com gateway.example.com', true],
    ['gateway.example.com', 'GATEWAY.example.com', true],
    ['gateway.example.com', '*.com example.com', false],
    ['gateway.a.example.com', '*.example.com', false],
    ['example.com', '*.example.com', false],
    ['gateway', '*.gateway', false],
  ]) {
    const done = await renewAs(name, domains);
    assert.equal(done.status, 0, done.stderr);
    assert.equal(done.placed, taken, `${name}: ${domains}`);
  }
});

test("certbot's hook fails where the configuration cannot be read, so that certbot says so", async () => {
  const done = await renewAs('localhost', 'localhost', { broken: true });
  assert.notEqual(done.status, 0);
  assert.match(done.stderr, /line 2: threads/);
  assert.equal(done.placed, false);
});

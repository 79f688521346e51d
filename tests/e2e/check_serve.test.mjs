// check beside serve: what keeps the gateway from starting, or from doing what it is configured for, is a
// problem for check, too; and what check cannot know it does not say.
import assert from 'node:assert/strict';
import { chmodSync, chownSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { binary, Gateway, isRoot } from './lib/gateway.mjs';
import { run, start, stop } from './lib/proc.mjs';
import { deadPort, tcpServer } from './lib/servers.mjs';
import { until } from './lib/wait.mjs';

let gateway;
let good; // deskgate.conf
before(async () => {
  gateway = await Gateway.make({ serve: false });
  gateway.configure({ server: { listen: `127.0.0.1:${await deadPort()}` } });
  good = readFileSync(join(gateway.state, 'deskgate.conf'));
});
after(() => gateway?.remove());
beforeEach(() => writeFileSync(join(gateway.state, 'deskgate.conf'), good));

// What it says of `item`; of all without.
function check(item, of = gateway) {
  const said = of.cli('check', '--json', { allow: true });
  assert.ok(said.stdout, said.stderr);
  return JSON.parse(said.stdout).items.filter((found) => !item || found.item === item);
}

const serve = () => run(binary, ['--state', gateway.state, 'serve'], { allow: true });

// A file beside the state folder, where the gateway's user may read.
function file(name, text, mode = 0o644) {
  const path = join(gateway.folder, name);
  writeFileSync(path, text);
  chmodSync(path, mode);
  return path;
}

test('what the configuration names and the gateway cannot use is a problem', () => {
  const pipe = join(gateway.folder, 'pipe');
  run('mkfifo', ['-m', '644', pipe]);
  const insecure = file('http', 'http://127.0.0.1/\n', 0o600);
  if (isRoot) chownSync(insecure, statSync(gateway.state).uid, 0);
  const bad = [
    [{ desktops: { authorities: '/nope2' } }, /^\[desktops\] authorities: \/nope2: No such file/],
    [{ desktops: { authorities: file('rubbish.pem', 'rubbish') } }, /rubbish\.pem: /],
    [{ desktops: { authorities: pipe } }, /it is no file/],
    [{ alerts: { command: '/nope' } }, /^\[alerts\] command: \/nope: No such file/],
    [{ alerts: { command: file('plain', '#!/bin/sh\n') } }, /may not be executed/],
    [{ alerts: { command: gateway.folder } }, /it is no file/],
    [{ alerts: { webhook: 'nope' } }, /^\[alerts\] webhook: .*nope: No such file/],
    [{ alerts: { webhook: insecure } }, /begins with https/],
    [{ alerts: { authorities: '/nope' } }, /^\[alerts\] authorities/],
    [{ audit: { authorities: '/nope' } }, /^\[audit\] authorities/],
    [{ server: { acme_folder: '/nope/.well-known/acme-challenge' } }, /^\[server\] acme_folder: \/nope: No such file/],
    [{ server: { acme_folder: '/nope' } }, /^\[server\] acme_folder: \/nope: No such file/],
  ];
  if (isRoot) bad.push([{ desktops: { authorities: file('secret.pem', readFileSync(join(gateway.state, 'tls/cert.pem')), 0o600) } }, /it may not be used by the gateway's user/]);
  for (const [conf, words] of bad) {
    writeFileSync(join(gateway.state, 'deskgate.conf'), good);
    gateway.configure(conf);
    const found = check('configured path');
    assert.deepEqual(found.map(({ level }) => level), ['problem'], JSON.stringify([conf, found]));
    assert.match(found[0].message, words);
    assert.notEqual(found[0].mend, '');
    if (conf.desktops) assert.equal(serve().status, 78, 'nor does it start');
  }
});

test('what can be used is no problem, not even before certbot has made its folder', () => {
  mkdirSync(join(gateway.folder, 'webroot'), { mode: 0o755 });
  gateway.configure({
    desktops: { authorities: file('authorities.pem', readFileSync(join(gateway.state, 'tls/cert.pem'))) },
    alerts: { command: '/bin/true' },
    server: { acme_folder: join(gateway.folder, 'webroot/.well-known/acme-challenge') },
  });
  assert.deepEqual(check('configured path').map(({ level }) => level), ['ok']);
});

test('a port for numbers or plain HTTP that another program has is a problem, and its key is named', async () => {
  for (const [section, key] of [['metrics', 'listen'], ['server', 'http_listen']]) {
    const taken = await tcpServer((socket) => socket.end('HTTP/1.1 200 OK\r\n\r\nhello\n'));
    try {
      writeFileSync(join(gateway.state, 'deskgate.conf'), good);
      gateway.configure({ [section]: { [key]: `127.0.0.1:${taken.port}` } });
      const found = check('port').find(({ message }) => message.includes(`:${taken.port}`));
      assert.equal(found.level, 'problem', found.message);
      assert.match(found.mend, new RegExp(`change \\[${section}\\] ${key}$`));
      const started = serve();
      assert.equal(started.status, 69);
      assert.match(started.stderr, new RegExp(`\\[${section}\\] ${key}`));
      assert.doesNotMatch(started.stderr, /\[server\] listen/);
    } finally {
      await taken.close();
    }
  }
});

test('a program that talks without end on a port does not keep check waiting', async (t) => {
  const own = await Gateway.make({ serve: false });
  const talks = await tcpServer((socket) => {
    const timer = setInterval(() => socket.write('x'), 300);
    socket.on('close', () => clearInterval(timer)).on('error', () => {});
  });
  t.after(async () => {
    await talks.close();
    await own.remove();
  });
  own.configure({ server: { listen: `127.0.0.1:${await deadPort()}`, http_listen: `127.0.0.1:${talks.port}` } });
  const running = start(binary, ['--state', own.state, 'check', '--json']);
  t.after(() => stop(running));
  await until('it has ended', () => !running.running(), { ms: 30_000 }); // it would go on for twenty minutes
  assert.match(running.out, /is in use, and not by this gateway/);
});

test('a port where TLS is spoken, but nobody let in, is no other program\'s for sure', async () => {
  const alert = Buffer.from('15030300020228', 'hex'); // fatal, handshake_failure
  const refuses = await tcpServer((socket) => socket.once('data', () => socket.end(alert)).on('error', () => {}));
  try {
    gateway.configure({ server: { listen: `127.0.0.1:${refuses.port}` } });
    const running = start(binary, ['--state', gateway.state, 'check', '--json']);
    await until('it has ended', () => !running.running());
    const found = JSON.parse(running.out).items.find(({ item }) => item === 'port');
    assert.equal(found.level, 'problem');
    assert.match(found.message, /speaks TLS, but refuses to go on: nobody can connect/);
    assert.match(found.mend, /certificate/);
  } finally {
    await refuses.close();
  }
});

for (const [where, server] of [['', {}], [', behind a balancer on this machine', { proxy_protocol: '127.0.0.1' }]])
  test(`the ports of the gateway itself are no problem while it runs${where}`, () => ownPorts(server));

async function ownPorts(server) {
  const running = await Gateway.make({ serve: false });
  try {
    running.configure({ server });
    running.configure({ server: { listen: `127.0.0.1:${await deadPort()}`, http_listen: `127.0.0.1:${await deadPort()}` },
      metrics: { listen: `127.0.0.1:${await deadPort()}` } });
    await running.serve();
    assert.deepEqual(check('port', running).map(({ level, message }) => [level, message.replace(/\d+\.[\d.:]+/, '')]), [
      ['ok', 'this gateway answers at '], ['ok', ' is in use, as it is when the gateway runs'], ['ok', ' is in use, as it is when the gateway runs']]);
  } finally {
    await running.remove();
  }
}

test('a name and addresses that were changed, and are not taken up yet, are called that', async () => {
  const running = await Gateway.make({ serve: false });
  try {
    running.configure({ server: { listen: `127.0.0.1:${await deadPort()}`, http_listen: `127.0.0.1:${await deadPort()}` } });
    await running.serve();
    running.configure({ server: { name: 'new.example' } });
    await running.reload(/takes effect with 'deskgate upgrade'/);
    const plain = () => check('port', running).find(({ message }) => message.includes(`:${running.plainPort}`));
    assert.deepEqual([plain().level, /sends to another name/.test(plain().message), /deskgate upgrade/.test(plain().mend)], ['warning', true, true]);
    running.configure({ server: { listen: `127.0.0.1:${await deadPort()}` } });
    const [moved] = check('port', running);
    assert.deepEqual([moved.level, /is free, though the gateway runs/.test(moved.message), /^restart the gateway/.test(moved.mend)], ['warning', true, true]);
    await running.stop();
    assert.deepEqual(check('port', running).map(({ level }) => level), ['ok', 'ok']);
  } finally {
    await running.remove();
  }
});

test('who may not look is told that, and nothing that is not so', { skip: !isRoot && 'only root can be another user' }, () => {
  const by = (...who) => run('setpriv', [...who, '--clear-groups', binary, '--state', gateway.state, 'check'], { allow: true });
  const stranger = ['--reuid', '4242', '--regid', '4242'];
  const refused = () => {
    const said = by(...stranger);
    assert.equal(said.status, 77, said.stdout);
    assert.equal(said.stdout, '');
    assert.match(said.stderr, /run 'deskgate check' as root or as the gateway's user/);
  };
  refused();
  chmodSync(gateway.state, 0o755);
  try {
    refused(); // the folder may be looked into, its files may not be read
  } finally {
    chmodSync(gateway.state, 0o700);
  }
  const { uid, gid } = statSync(gateway.state);
  const own = by('--reuid', String(uid), '--regid', String(gid));
  assert.notEqual(own.status, 77, own.stderr);
  assert.match(own.stdout, /^ok +secret key/m);
});

test('a configuration that does not load says nothing about the user', { skip: !isRoot && 'only root becomes another' }, () => {
  writeFileSync(join(gateway.state, 'deskgate.conf'), '[server]\nuser = nobody\nthreads = many\n');
  assert.equal(check('configuration')[0].level, 'problem');
  assert.deepEqual(check('user'), []);
  assert.deepEqual(check('secret key').map(({ level }) => level), ['ok']);
});

// What check finds in a state folder on a file system of its own, of so many MiB, after these commands ($STATE is the
// folder, $DISK the file system).
function onDisk(mib, commands) {
  const disk = join(gateway.folder, 'disk');
  mkdirSync(disk, { recursive: true });
  const script = `mount -t tmpfs -o size=${mib}m,mode=755 tmpfs "$DISK"
    "$BINARY" --state "$STATE" init --name localhost --listen 127.0.0.1:0 --user nobody >/dev/null
    ${commands}
    "$BINARY" --state "$STATE" check --json || :`;
  const said = run('unshare', ['--mount', 'sh', '-ec', script], { env: { BINARY: binary, DISK: disk, STATE: join(disk, 'state') } });
  return JSON.parse(said.stdout).items.filter(({ level }) => level !== 'ok').filter(({ item }) => !['clock', 'cage', 'memory', 'certificate chain'].includes(item));
}
const noMounts = !isRoot && 'only root can mount';

test('a disk that is full, or nearly so, is found, with numbers', { skip: noMounts }, () => {
  const [full, ...more] = onDisk(64, 'head -c 80m /dev/zero >"$DISK/filler" 2>/dev/null || :');
  assert.equal(full.item, 'disk');
  assert.equal(full.level, 'problem');
  assert.match(full.message, /^0 of 64 MiB are free/);
  for (const { mend } of more) assert.doesNotMatch(mend, /backup|chown/);
  const little = onDisk(64, '');
  assert.deepEqual(little.map(({ item, level }) => [item, level]), [['disk', 'warning']]);
  assert.match(little[0].message, /^6\d of 64 MiB are free/);
  assert.deepEqual(onDisk(200, ''), []);
});

test('a disk that is read-only is that, and nobody else is at fault', { skip: noMounts }, () => {
  const found = onDisk(200, 'mount -o remount,ro "$DISK"');
  assert.deepEqual(found.map(({ item, level }) => [item, level]), [['disk', 'problem']], JSON.stringify(found));
  assert.match(found[0].message, /read-only/);
});

test('an encrypted key is called that', () => {
  const [certificate, key] = ['cert.pem', 'key.pem'].map((name) => join(gateway.state, 'tls', name));
  const locked = file('locked.key', '', 0o600);
  run('openssl', ['pkey', '-in', key, '-aes256', '-passout', 'pass:secret', '-out', locked]);
  gateway.configure({ tls: { certificate, key: locked } });
  const found = check('certificate').find(({ level }) => level === 'problem');
  assert.match(found.message, /is not usable with the key .*locked\.key: it is encrypted/);
  assert.match(found.mend, /openssl pkey/);
});

test('a configuration that may not be read is a missing permission', { skip: !isRoot && 'only root can be another user' }, () => {
  for (const verb of ['serve', 'upgrade']) {
    const said = run('setpriv', ['--reuid', '4242', '--regid', '4242', '--clear-groups', binary, '--state', gateway.state, verb], { allow: true });
    assert.equal(said.status, 77, said.stderr);
    assert.match(said.stderr, /Permission denied/);
  }
});

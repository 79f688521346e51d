// The supervisor: what it starts, what it gives up, what it does when a part dies, when files change
// and when it is told to stop; and check, which tells beforehand.
import assert from 'node:assert/strict';
import { chmodSync, copyFileSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { connect } from 'node:tls';
import { Gateway, binary } from './lib/gateway.mjs';
import { alive, run, start, status, stop } from './lib/proc.mjs';
import { sleep, until } from './lib/wait.mjs';

const isRoot = process.getuid() === 0;
let gateway;

before(async () => { gateway = await Gateway.make(); });
after(async () => { await gateway.remove(); });

// The SHA-256 of the certificate that is shown, upper case with colons.
function shown(port) {
  return new Promise((fulfil, fail) => {
    const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false, ALPNProtocols: ['http/1.1'] }, () => {
      fulfil(socket.getPeerCertificate().fingerprint256);
      socket.destroy();
    });
    socket.on('error', fail);
  });
}

const parts = () => [gateway.part('keeper'), gateway.part('gate')];
const partsRun = () => until('both parts run', () => parts().every(Boolean));

async function replaced(name, old) {
  await until(`a new ${name}`, () => gateway.part(name) !== undefined && gateway.part(name) !== old);
  await gateway.healthy();
}

// A configuration that cannot be served: exit code and what was said.
function refused(state, ...more) {
  const result = run(binary, ['--state', state, 'serve', ...more], { allow: true });
  assert.equal(result.signal, null);
  return result;
}

test('three processes without privileges', async () => {
  await partsRun();
  for (const pid of [gateway.pid, ...parts()]) {
    assert.equal(status(pid, 'CapEff'), '0000000000000000');
    assert.equal(status(pid, 'NoNewPrivs'), '1');
    if (isRoot) assert.match(status(pid, 'Uid'), /^(\d+)\t\1\t\1\t\1$/);
    if (isRoot) assert.doesNotMatch(status(pid, 'Uid'), /^0\t/);
    assert.match(readFileSync(`/proc/${pid}/limits`, 'utf8'), /Max core file size +0 +0/);
  }
});

test('a gate that dies is started again alone', async () => {
  const [keeper, gate] = parts();
  process.kill(gate, 'SIGKILL');
  await replaced('gate', gate);
  assert.equal(gateway.part('keeper'), keeper);
});

test('a keeper that dies takes the gate with it', async () => {
  const [keeper, gate] = parts();
  process.kill(keeper, 'SIGKILL');
  await replaced('keeper', keeper);
  assert.notEqual(gateway.part('gate'), gate);
});

test('a gate that keeps dying is started again, with pauses, for good', async () => {
  for (let round = 0; round < 6; round++) {
    const gate = await until('a gate', () => gateway.part('gate'));
    process.kill(gate, 'SIGKILL');
    await until('its end', () => !alive(gate));
  }
  await gateway.healthy();
});

test('SIGHUP: new certificates are shown, unusable ones are not', async () => {
  const tls = join(gateway.state, 'tls');
  const other = await Gateway.make({ serve: false });
  try {
    const old = await shown(gateway.port);
    writeFileSync(join(tls, 'cert.pem'), 'rubbish');
    await gateway.reload(/tls\.reload: .*old ones stay/);
    const gate = gateway.part('gate');
    process.kill(gate, 'SIGKILL'); // the next one cannot get the rubbish either
    await replaced('gate', gate);
    assert.equal(await shown(gateway.port), old);

    for (const name of ['cert.pem', 'key.pem']) {
      copyFileSync(join(other.state, 'tls', name), join(tls, `${name}.new`));
      if (isRoot) run('chown', ['nobody', join(tls, `${name}.new`)]);
      renameSync(join(tls, `${name}.new`), join(tls, name));
    }
    const wanted = other.json('init').fingerprint;
    process.kill(gateway.pid, 'SIGHUP');
    await until('the new certificate', async () => await shown(gateway.port) === wanted);
    gateway.ca = readFileSync(join(tls, 'cert.pem'));
    assert.equal(gateway.part('gate') !== undefined, true);
  } finally {
    await other.remove();
  }
});

test('SIGTERM ends all in order', async () => {
  const pids = parts();
  const at = gateway.log.length;
  assert.deepEqual(await gateway.stop(), { code: 0, signal: null });
  assert.deepEqual(pids.map(alive), [false, false]);
  assert.match(gateway.log.slice(at), /supervisor info stopped/);
  await gateway.serve();
});

test('a second signal ends all at once', async () => {
  await partsRun();
  const pids = parts();
  const at = gateway.log.length;
  process.kill(gateway.part('gate'), 'SIGSTOP'); // would hold up the orderly way
  process.kill(gateway.pid, 'SIGTERM');
  await until('the first signal is taken', () => /stopping in an orderly way/.test(gateway.log.slice(at)));
  await sleep(50);
  const { code } = await gateway.stop({ signal: 'SIGINT' });
  assert.notEqual(code, 0);
  assert.deepEqual(pids.map(alive), [false, false]);
  await gateway.serve();
});

test('nothing is left when the supervisor is killed', async () => {
  await partsRun();
  const pids = parts();
  await gateway.stop({ signal: 'SIGKILL' });
  await until('the parts end, too', () => pids.every((pid) => !alive(pid)));
  await gateway.serve();
});

test('sockets from systemd', async (t) => {
  const own = await Gateway.make({ serve: false });
  t.after(() => own.remove());
  const script = `
import os, socket, sys
https, http = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
ports = [str(s.getsockname()[1]) for s in (https, http)]
for number, s in ((30, https), (31, http)): os.dup2(s.fileno(), number)
for number in (3, 4): os.dup2(number + 27, number, inheritable=True)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="2", LISTEN_FDNAMES="https:http")
print(*ports, flush=True)
os.execv(sys.argv[1], sys.argv[1:])`;
  const served = start('python3', ['-c', script, binary, '--state', own.state, 'serve']);
  try {
    await until(() => `it serves: ${served.err}`, () => /info ready/.test(served.err));
    const [https, http] = served.out.trim().split(' ').map(Number);
    assert.equal(await shown(https), own.json('init').fingerprint);
    const answer = await fetch(`http://127.0.0.1:${http}/x`, { redirect: 'manual' });
    assert.equal(answer.status, 301);
    assert.match(answer.headers.get('location'), new RegExp(`^https://localhost:${https}/`));
  } finally {
    assert.deepEqual(await stop(served), { code: 0, signal: null });
  }
});

// What a client is shown that asks for `servername`, with one version of TLS and perhaps one kind of key.
function name(port, servername, more = {}) {
  return new Promise((fulfil, fail) => {
    const socket = connect({ host: '127.0.0.1', port, ...(servername ? { servername } : {}), rejectUnauthorized: false, ALPNProtocols: ['http/1.1'], ...more }, () => {
      const { subject, asn1Curve } = socket.getPeerCertificate();
      fulfil(`${subject.CN} ${asn1Curve ? 'ECDSA' : 'RSA'}`);
      socket.destroy();
    });
    socket.on('error', fail);
  });
}

test('several certificates: by the name that is asked for, and then by what the client can verify', async () => {
  const own = await Gateway.make({ serve: false });
  try {
    const make = (file, names, ...key) => run('openssl', ['req', '-x509', '-newkey', ...key, '-nodes', '-subj', `/CN=${names[0]}`, '-days', '2',
      '-addext', `subjectAltName=${names.map((one) => `DNS:${one}`).join()}`, '-keyout', join(own.state, `tls/${file}.key`), '-out', join(own.state, `tls/${file}.pem`)]);
    const ec = ['ec', '-pkeyopt', 'ec_paramgen_curve:P-256'];
    make('gate-ec', ['gate.example'], ...ec);
    make('gate-rsa', ['gate.example', 'old.example'], 'rsa:2048');
    make('wild', ['*.wild.example'], 'rsa:2048');
    make('other', ['other.example'], ...ec);
    const files = ['gate-ec', 'gate-rsa', 'wild', 'other'];
    for (const one of files) run('chown', ['--reference', join(own.state, 'tls/key.pem'), join(own.state, `tls/${one}.key`)]);
    own.configure({ tls: { certificate: files.map((one) => `tls/${one}.pem`).join(', '), key: files.map((one) => `tls/${one}.key`).join(', ') } });
    await own.serve();
    const old = { maxVersion: 'TLSv1.2' }, rsa = { ...old, ciphers: 'ECDHE-RSA-AES128-GCM-SHA256' };
    for (const [asked, how, shown] of [
      ['gate.example', {}, 'gate.example ECDSA'], ['gate.example', old, 'gate.example ECDSA'], ['gate.example', rsa, 'gate.example RSA'],
      ['gate.example', { sigalgs: 'rsa_pss_rsae_sha256' }, 'gate.example RSA'],
      ['old.example', {}, 'gate.example RSA'], ['old.example', old, 'gate.example RSA'],
      ['a.wild.example', {}, '*.wild.example RSA'], ['a.wild.example', old, '*.wild.example RSA'], ['a.wild.example', rsa, '*.wild.example RSA'],
      ['OTHER.example', {}, 'other.example ECDSA'], ['other.example', old, 'other.example ECDSA'],
      ['nobody.example', {}, 'gate.example ECDSA'], ['nobody.example', old, 'gate.example ECDSA'], [undefined, {}, 'gate.example ECDSA'],
      [undefined, rsa, 'gate.example RSA'],
    ]) assert.equal(await name(own.port, asked, how), shown, `${asked} ${JSON.stringify(how)}`);
  } finally {
    await own.remove();
  }
});

test('what cannot be served is refused with words', async () => {
  const other = await Gateway.make({ serve: false });
  const taken = createServer().listen(0, '127.0.0.1');
  try {
    await until('it listens', () => taken.listening);
    other.configure({ server: { listen: `127.0.0.1:${taken.address().port}` } });
    let result = refused(other.state);
    assert.equal(result.status, 69);
    assert.match(result.stderr, /another program listens there/);
    other.configure({ server: { listen: '127.0.0.1:0' } });

    writeFileSync(join(other.state, 'secret.key'), 'short');
    result = refused(other.state);
    assert.equal(result.status, 78);
    assert.match(result.stderr, /secret\.key/);

    other.configure({ server: { threads: 'many' } });
    result = refused(other.state);
    assert.equal(result.status, 78);
    assert.match(result.stderr, /deskgate\.conf line \d+: threads: 'many'/);

    assert.equal(refused(join(other.folder, 'nowhere')).status, 78);
    assert.equal(refused(other.state, '--ready-fd', '99').status, 64);
    for (const verb of ['gate', 'keeper'])
      assert.equal(run(binary, [verb, '1', '2', '3', 'tls:4'], { allow: true }).status, 64);
  } finally {
    taken.close();
    await other.remove();
  }
});

test('init makes what is missing and leaves what is there', async () => {
  const other = await Gateway.make({ serve: false });
  try {
    const key = readFileSync(join(other.state, 'secret.key'));
    const again = other.json('init');
    assert.deepEqual(again.made, []);
    assert.deepEqual(readFileSync(join(other.state, 'secret.key')), key);
    mkdirSync(join(other.state, 'old'));
    for (const name of ['cert.pem', 'key.pem'])
      renameSync(join(other.state, 'tls', name), join(other.state, 'old', name));
    const third = other.json('init');
    assert.equal(third.made.length, 2);
    assert.notEqual(third.fingerprint, again.fingerprint);
    renameSync(join(other.state, 'old', 'key.pem'), join(other.state, 'tls', 'key.pem'));
    renameSync(join(other.state, 'tls', 'cert.pem'), join(other.state, 'old', 'third.pem'));
    const half = run(binary, ['--state', other.state, 'init'], { allow: true });
    assert.equal(half.status, 78);
    assert.match(half.stderr, /key\.pem is there, but .*cert\.pem is not/);
  } finally {
    await other.remove();
  }
});

test('check: what is well, and what is not and how to mend it', async () => {
  const other = await Gateway.make();
  const look = () => {
    const result = run(binary, ['--state', other.state, 'check', '--json'], { allow: true });
    const { result: verdict, items } = JSON.parse(result.stdout);
    return { code: result.status, verdict, of: (name) => items.filter(({ item }) => item === name) };
  };
  try {
    other.configure({ server: { listen: `127.0.0.1:${other.port}` } });
    other.addDesktop('listens', other.port);
    other.addDesktop('refuses', 1);
    other.addDesktop('forbidden', 3389, '192.0.2.1');
    let found = look();
    assert.equal(found.code, 69);
    assert.match(found.of('port')[0].message, /this gateway answers/);
    assert.deepEqual(found.of('desktop').map(({ level, message }) => [message.split(' ')[0], level]).sort(),
      [['forbidden', 'problem'], ['listens', 'ok'], ['refuses', 'warning']]);

    other.cli('desktop', 'remove', 'forbidden');
    found = look();
    assert.equal(found.code, 0);
    assert.equal(found.verdict, 'warning');

    chmodSync(join(other.state, 'secret.key'), 0o644);
    writeFileSync(join(other.state, 'tls/cert.pem'), 'rubbish');
    found = look();
    assert.equal(found.code, 69);
    assert.match(found.of('secret key')[0].mend, /^chmod 600 /);
    assert.equal(found.of('certificate')[0].level, 'problem');

    other.configure({ server: { cage: 'maybe' } });
    found = look();
    assert.match(found.of('configuration')[0].message, /line \d+: cage: 'maybe'/);
  } finally {
    await other.remove();
  }
});

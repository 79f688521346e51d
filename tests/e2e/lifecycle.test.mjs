// Beginnings and ends: who may no longer be connected is not, within a second and with a reason; the
// gateway stops and takes new certificates without a jolt; the plain port redirects and serves ACME.
import assert from 'node:assert/strict';
import { chmodSync, copyFileSync, mkdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Gateway } from './lib/gateway.mjs';
import { descriptors, run } from './lib/proc.mjs';
import { echoServer, tcpServer } from './lib/servers.mjs';
import { inTime, sleep, until } from './lib/wait.mjs';
import { OP, Wire } from './lib/wire.mjs';

const isRoot = process.getuid() === 0;
let gateway;
let echo;
let people = 0;

before(async () => {
  gateway = await Gateway.make({ serve: false });
  gateway.configure({
    server: { listen: '127.0.0.1:0, [::1]:0', http_listen: '127.0.0.1:0', acme_folder: 'acme' },
  });
  mkdirSync(join(gateway.state, 'acme'));
  writeFileSync(join(gateway.state, 'acme/token-1_A'), 'token-1_A.thumbprint');
  writeFileSync(join(gateway.state, 'acme/too-long'), 'x'.repeat(4096));
  symlinkSync(join(gateway.state, 'secret.key'), join(gateway.state, 'acme/link'));
  if (isRoot) run('chown', ['-R', 'nobody', join(gateway.state, 'acme')]);
  await gateway.serve();
  echo = await echoServer();
  gateway.addDesktop('echo', echo.port);
});
after(async () => {
  await gateway?.remove();
  await echo?.close();
});

// A new person with a live tunnel to a desktop of the test's own.
async function connected(on = gateway) {
  const name = `user${people++}`;
  const user = on.addUser(name);
  on.addDesktop(`desk-${name}`, echo.port);
  on.grant(user, `desk-${name}`);
  const token = await user.token();
  const { ws } = await on.tunnel(`desk-${name}`, token);
  ws.send(Buffer.from('hi'));
  assert.equal(String(await ws.read(2)), 'hi');
  return { user, name, desktop: `desk-${name}`, token, ws };
}

// ---- who may no longer be connected ----

const ENDS = {
  'the user is disabled': [4004, 'your account was disabled', ({ name }) => gateway.cli('user', 'disable', name)],
  'the user is removed': [4004, 'your account was disabled', ({ name }) => gateway.cli('user', 'remove', name)],
  'the grant is removed': [4005, 'you may no longer use this desktop', ({ name, desktop }) => gateway.cli('grant', 'remove', name, desktop)],
  'the desktop is removed': [4005, 'you may no longer use this desktop', ({ desktop }) => gateway.cli('desktop', 'remove', desktop)],
  'the session is ended': [4002, 'your session was ended', ({ name }) => {
    const { id } = gateway.json('session', 'list').find((one) => one.user === name);
    gateway.cli('session', 'end', String(id));
  }],
  'the tunnel is ended': [4003, 'an administrator ended this connection', ({ name }) => {
    const { id } = gateway.json('tunnel', 'list').find((one) => one.user === name);
    gateway.cli('tunnel', 'end', String(id));
  }],
  'the person signs out': [4001, 'you signed out', ({ token }) => gateway.http('POST', '/api/logout', { token })],
};

for (const [what, [code, words, act]] of Object.entries(ENDS)) {
  test(`${what}: the tunnel closes within a second`, { timeout: 120_000 }, async () => {
    const bystander = await connected();
    await inTime(1_000, async () => {
      const person = await connected();
      await act(person);
      const begun = Date.now();
      const { code: got, reason } = await person.ws.closed();
      const took = Date.now() - begun;
      assert.deepEqual([got, reason], [code, words]);
      await until('the audit log tells', () => gateway.audit('--event', 'tunnel-close', '--last', '100')
        .some((row) => row.desktop === person.desktop));
      return took;
    });
    bystander.ws.send(Buffer.from('still'));
    assert.equal(String(await bystander.ws.read(5)), 'still');
    bystander.ws.wire.end();
  });
}

test('a group\'s member who leaves it', { timeout: 120_000 }, async () => {
  const user = gateway.addUser('member');
  gateway.cli('group', 'add', 'sales');
  gateway.cli('group', 'join', 'sales', 'member');
  gateway.cli('grant', 'add', '--group', 'sales', 'echo');
  const token = await user.token();
  await inTime(1_000, async () => {
    const { ws } = await gateway.tunnel('echo', token);
    assert.ok(ws);
    gateway.cli('group', 'leave', 'sales', 'member');
    const begun = Date.now();
    assert.equal((await ws.closed()).code, 4005);
    const took = Date.now() - begun;
    gateway.cli('group', 'join', 'sales', 'member');
    return took;
  });
});

test('who is let in again comes in again; a disabled user does not', { timeout: 120_000 }, async () => {
  const { user, name, ws, token, desktop } = await connected();
  gateway.cli('user', 'disable', name);
  await ws.closed();
  assert.equal((await gateway.http('GET', '/api/session', { token })).status, 401);
  assert.equal((await user.signIn()).status, 401);
  gateway.cli('user', 'enable', name);
  assert.equal((await gateway.http('GET', '/api/session', { token })).status, 401, 'the old session stays ended');
  const again = await user.signIn();
  assert.equal(again.status, 200);
  const { ws: fresh } = await gateway.tunnel(desktop, again.json.token);
  assert.ok(fresh);
  fresh.wire.end();
});

// ---- limits ----

test('an idle tunnel, and one that is used', { timeout: 120_000 }, async () => {
  const own = await Gateway.make({ conf: { tunnel: { idle_seconds: 4, ping_seconds: 1 } } });
  let beat;
  try {
    const idle = await connected(own);
    const busy = await connected(own);
    beat = setInterval(() => busy.ws.send(Buffer.from('x')), 100);
    const closed = await idle.ws.stay(); // its answers to pings are no use
    assert.equal(closed.code, 4006, closed.reason);
    await busy.ws.read(1);
    clearInterval(beat);
    busy.ws.send(Buffer.from('y'));
    let last;
    do last = String(await busy.ws.read(1)); while (last === 'x');
    assert.equal(last, 'y', 'the busy one lives');
  } finally {
    clearInterval(beat);
    await own.remove();
  }
});

test('the gateway pings a quiet client, and drops one that is gone', { timeout: 120_000 }, async (t) => {
  const own = await Gateway.make({ conf: { tunnel: { ping_seconds: 1 } } });
  t.after(() => own.remove());
  await inTime(8_000, async () => {
    const { ws, name } = await connected(own);
    const ping = await ws.next();
    assert.equal(ping.opcode, OP.PING);
    ws.send(ping.payload, { opcode: OP.PONG });
    assert.equal((await ws.next()).opcode, OP.PING, 'and goes on');
    const begun = Date.now();
    await until('the silent one is dropped', () => !own.json('tunnel', 'list').some((one) => one.user === name), { every: 100 });
    return Date.now() - begun;
  });
});

// ---- stopping and reloading ----

test('SIGTERM: tunnels are told, what was sent arrives, nobody is let in any more', { timeout: 120_000 }, async () => {
  const own = await Gateway.make();
  let heard = 0;
  const sink = await tcpServer((socket) => socket.on('data', (piece) => { heard += piece.length; }));
  try {
    const person = await connected(own);
    own.addDesktop('sink', sink.port);
    own.grant(person.user, 'sink');
    const { ws } = await own.tunnel('sink', person.token);
    for (let i = 0; i < 64; i++) ws.send(Buffer.alloc(16_384));
    await until('the bytes arrive', () => heard === 64 * 16_384);
    process.kill(own.pid, 'SIGTERM');
    for (const one of [ws, person.ws]) {
      const { code, reason } = await one.closed();
      assert.deepEqual([code, reason], [1001, 'the gateway is stopping']);
    }
    assert.deepEqual(await own.process.ended, { code: 0, signal: null });
    await assert.rejects(own.wire());
    const ends = own.audit('--event', 'tunnel-close');
    assert.equal(ends.length, 2);
    assert.ok(ends.every((row) => /why=stopping/.test(row.detail)), JSON.stringify(ends));
    assert.match(ends.map((row) => row.detail).join(), new RegExp(`up=${64 * 16_384}`));
    await own.serve();
    assert.equal((await own.http('GET', '/api/session', { token: person.token })).status, 200, 'the session lives on');
    assert.deepEqual(own.json('tunnel', 'list'), []);
  } finally {
    await own.remove();
    await sink.close();
  }
});

test('SIGHUP: a new certificate under a live tunnel', { timeout: 120_000 }, async () => {
  const person = await connected();
  const shown = async () => {
    const wire = await gateway.wire({ rejectUnauthorized: false });
    const { fingerprint256 } = wire.socket.getPeerCertificate();
    wire.end();
    return fingerprint256;
  };
  const old = await shown();
  const made = await Gateway.make({ serve: false });
  try {
    for (const name of ['cert.pem', 'key.pem']) {
      const fresh = join(gateway.state, 'tls', `${name}.new`);
      copyFileSync(join(made.state, 'tls', name), fresh);
      chmodSync(fresh, 0o600);
      if (isRoot) run('chown', ['nobody', fresh]);
      renameSync(fresh, join(gateway.state, 'tls', name));
    }
  } finally {
    await made.remove();
  }
  process.kill(gateway.pid, 'SIGHUP');
  await until('the new certificate is shown', async () => await shown() !== old);
  person.ws.send(Buffer.from('the tunnel lives'));
  assert.equal(String(await person.ws.read(16)), 'the tunnel lives');
  person.ws.wire.end();
  gateway.ca = readFileSync(join(gateway.state, 'tls/cert.pem'));
});

test('ECDSA and RSA certificates side by side', { timeout: 120_000 }, async () => {
  const own = await Gateway.make({ serve: false });
  try {
    const [cert, key] = ['rsa.pem', 'rsa.key'].map((name) => join(own.state, 'tls', name));
    run('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=localhost', '-days', '2',
      '-addext', 'subjectAltName=DNS:localhost', '-keyout', key, '-out', cert]);
    chmodSync(key, 0o600);
    if (isRoot) run('chown', ['nobody', cert, key]);
    own.configure({ tls: { certificate: 'tls/cert.pem, tls/rsa.pem', key: 'tls/key.pem, tls/rsa.key' } });
    await own.serve();
    const kinds = {
      EC: { sigalgs: 'ECDSA+SHA256' },
      RSA: { sigalgs: 'RSA-PSS+SHA256:RSA+SHA256' },
    };
    for (const [kind, options] of Object.entries(kinds)) {
      for (const maxVersion of ['TLSv1.2', 'TLSv1.3']) {
        const wire = await own.wire({ ...options, maxVersion, rejectUnauthorized: false });
        const certificate = wire.socket.getPeerCertificate();
        assert.equal(certificate.modulus ? 'RSA' : 'EC', kind, maxVersion);
        wire.end();
      }
    }
  } finally {
    await own.remove();
  }
});

test('a TLS session is resumed by its ticket', { timeout: 120_000 }, async () => {
  const first = await gateway.wire({ maxVersion: 'TLSv1.3' });
  let session;
  first.socket.on('session', (ticket) => { session = ticket; });
  first.send('GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n');
  assert.equal((await first.answer()).status, 200);
  await until('a ticket', () => session !== undefined);
  first.end();
  const second = await gateway.wire({ maxVersion: 'TLSv1.3', session });
  assert.ok(second.socket.isSessionReused());
  second.send('GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n');
  assert.equal((await second.answer()).status, 200);
  second.end();
});

test('IPv6 beside IPv4', { timeout: 120_000 }, async () => {
  const port = Number(gateway.addresses.match(/\[::1\]:(\d+)/)[1]);
  const wire = await Wire.tls(port, { ...gateway.tlsOptions(), host: '::1' });
  wire.send('GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n');
  assert.equal((await wire.answer()).status, 200);
  wire.end();
});

// ---- the plain port ----

function plain(path, { method = 'GET', host = 'evil.example' } = {}) {
  const port = Number(gateway.addresses.split(/\s+/).at(-1).match(/:(\d+)$/)[1]);
  return new Promise((fulfil, fail) => {
    const sent = request({ host: '127.0.0.1', port, path, method, headers: { Host: host }, agent: false }, (answer) => {
      let body = '';
      answer.setEncoding('utf8').on('data', (text) => { body += text; });
      answer.on('end', () => fulfil({ status: answer.statusCode, headers: answer.headers, body }));
    });
    sent.on('error', fail);
    sent.end();
  });
}

test('the plain port redirects to the canonical name, whatever Host says', { timeout: 120_000 }, async () => {
  const home = `https://localhost:${gateway.port}/`;
  for (const path of ['/', '/api/session', '/%0d%0aX:%20y', '//evil.example/', '/tunnel/echo', '/healthz']) {
    const answer = await plain(path);
    assert.equal(answer.status, 301, path);
    assert.equal(answer.headers.location, home, path);
    assert.equal(answer.headers['strict-transport-security'], undefined);
    assert.doesNotMatch(JSON.stringify(answer), /evil/);
  }
  assert.ok([301, 405].includes((await plain('/api/login', { method: 'POST' })).status));
});

test('ACME challenges come from their folder, and nothing else does', { timeout: 120_000 }, async () => {
  const challenge = (name) => plain(`/.well-known/acme-challenge/${name}`);
  const good = await challenge('token-1_A');
  assert.deepEqual([good.status, good.body], [200, 'token-1_A.thumbprint']);
  for (const name of ['missing', 'link', 'too-long', '..', '%2e%2e%2fsecret.key', '..%2fdeskgate.conf', '.', 'a'.repeat(300), '%00']) {
    const answer = await challenge(name);
    assert.ok([301, 404].includes(answer.status), `${name}: ${answer.status}`);
    assert.doesNotMatch(answer.body, /thumbprint/);
  }
});

test('the loop of opening and closing leaves nothing behind', { timeout: 120_000 }, async () => {
  const person = await connected();
  const gate = gateway.part('gate');
  const count = () => descriptors(gate);
  person.ws.wire.end();
  const round = async () => {
    const opened = await gateway.tunnels(person.desktop, person.token, 24);
    for (const [i, { ws, wire, answer }] of opened.entries()) {
      assert.ok(ws, String(answer?.body));
      if (i % 3 === 0) wire.end();
      else ws.send(Buffer.from([3, 232]), { opcode: OP.CLOSE });
    }
    await Promise.all(opened.map(({ wire }) => wire.rest()));
    await until('all are closed', () => gateway.json('tunnel', 'list').length === 0);
  };
  await round();
  await sleep(300);
  const before = count();
  for (let i = 0; i < 4; i++) await round();
  await until(() => `${count()} descriptors, ${before} before`, () => count() <= before + 4);
});

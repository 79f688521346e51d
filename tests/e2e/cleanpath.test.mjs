// A browser's way in, at the level of its protocol: the ticket, the desktop's X.224 and TLS, the
// certificate, and every refusal.
import assert from 'node:assert/strict';
import { randomBytes, X509Certificate } from 'node:crypto';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { CONFIRM_REFUSED, CONFIRM_TLS, X224, openCleanpath, present, rdpServer, requestPdu, selfSigned, ticketFor, visit, visitOver, WINDOWS } from './lib/cleanpath.mjs';
import { Gateway } from './lib/gateway.mjs';
import { run } from './lib/proc.mjs';
import { deadPort, tcpServer } from './lib/servers.mjs';
import { until } from './lib/wait.mjs';

let gateway;
let anna;
let token;
let desktop;
const servers = [];

async function add(name, server) {
  servers.push(server);
  gateway.addDesktop(name, server.port);
  gateway.grant('anna', name);
  return server;
}

before(async () => {
  gateway = await Gateway.make();
  anna = gateway.addUser('anna');
  token = await anna.token();
  desktop = await add('office', await rdpServer());
});
after(async () => {
  await gateway?.remove();
  for (const server of servers) await server.close();
});

async function enter(name = 'office', options) {
  const made = await ticketFor(gateway, token, name);
  return { made, ...await present(gateway, token, { destination: name, ticket: made.ticket }, options) };
}

// The refusal that the browser is told, and what the API says of it.
async function refused(name, options) {
  const { made, ws, wire, answer } = await enter(name, options);
  await ws.closed();
  wire.end();
  return { error: answer.error, x224: answer.x224, said: await visitOver(gateway, token, made.visit) };
}

test('a browser reaches the desktop, and bytes pass unchanged', async () => {
  const { made, ws, wire, answer } = await enter();
  assert.equal(answer.error, undefined);
  assert.equal(answer.version, 3390);
  assert.deepEqual(answer.x224, CONFIRM_TLS);
  assert.deepEqual(desktop.requests.at(-1), X224);
  assert.equal(answer.address, '127.0.0.1');
  assert.deepEqual(answer.chain, [new X509Certificate(desktop.pair.cert).raw]);
  assert.deepEqual(await visit(gateway, token, made.visit), { state: 'open', reason: '', message: '' });
  for (const size of [1, 100, 70_000, 1 << 20]) {
    const data = randomBytes(size);
    ws.send(data);
    assert.deepEqual(await ws.read(size), data);
  }
  ws.send(Buffer.from([3, 232]), { opcode: 8 });
  assert.equal((await ws.closed()).code, 1000);
  wire.end();
  assert.equal((await visitOver(gateway, token, made.visit)).reason, 'client');
  const opened = gateway.audit('--event', 'tunnel-open').at(-1);
  assert.equal(opened.outcome, 'ok');
  assert.equal(opened.detail, 'cleanpath');
});

test('the request may come in any number of pieces', async () => {
  const made = await ticketFor(gateway, token, 'office');
  const pdu = requestPdu({ destination: 'office', ticket: made.ticket });
  const every = Array.from({ length: pdu.length - 1 }, (_, at) => at + 1);
  const { ws, wire, answer } = await present(gateway, token, pdu, { cuts: every });
  assert.equal(answer.error, undefined);
  const data = randomBytes(1000);
  ws.send(data);
  assert.deepEqual(await ws.read(data.length), data);
  wire.end();
});

test('the preconnection blob and foreign fields are ignored; the name is compared without case', async () => {
  const made = await ticketFor(gateway, token, 'office');
  const more = [Buffer.from('a4030c0178', 'hex'), Buffer.from('a5030c0179', 'hex')];
  const { wire, answer } = await present(gateway, token, { destination: 'OFFICE', ticket: made.ticket, more });
  assert.equal(answer.error, undefined);
  wire.end();
});

test('a ticket opens one desktop once, for its own session', async () => {
  const other = gateway.addUser('boris');
  gateway.grant('boris', 'office');
  const theirs = await other.token();
  await add('second', await rdpServer());
  const outcome = async (session, fields) => {
    const { ws, wire, answer } = await present(gateway, session, fields);
    if (answer.error) await ws.closed();
    wire.end();
    return answer.error;
  };
  const no = { code: 1, http: 403 };
  const used = await ticketFor(gateway, token, 'office');
  assert.equal(await outcome(token, { destination: 'office', ticket: used.ticket }), undefined);
  assert.deepEqual(await outcome(token, { destination: 'office', ticket: used.ticket }), no);
  const first = await ticketFor(gateway, token, 'office');
  assert.deepEqual(await outcome(theirs, { destination: 'office', ticket: first.ticket }), no);
  const second = await ticketFor(gateway, token, 'office');
  assert.deepEqual(await outcome(token, { destination: 'second', ticket: second.ticket }), no);
  assert.deepEqual(await outcome(token, { destination: 'office', ticket: randomBytes(32).toString('base64url') }), no);
  const details = gateway.audit('--event', 'ticket-refused').map((row) => row.detail).join('\n');
  for (const word of [/used/, /session/, /desktop/, /unknown/]) assert.match(details, word);
});

test('two at once with one ticket: one comes in', async () => {
  const made = await ticketFor(gateway, token, 'office');
  const all = await Promise.all(Array.from({ length: 6 }, () =>
    present(gateway, token, { destination: 'office', ticket: made.ticket })));
  assert.equal(all.filter(({ answer }) => !answer.error).length, 1);
  for (const { wire } of all) wire.end();
});

test('a ticket dies with its session', async () => {
  const session = await anna.token();
  const made = await ticketFor(gateway, session, 'office');
  const { ws, wire } = await openCleanpath(gateway, session);
  const out = await gateway.http('POST', '/api/logout', { token: session });
  assert.equal(out.status, 200);
  ws.send(requestPdu({ destination: 'office', ticket: made.ticket }));
  const frame = await ws.next();
  assert.ok(frame.payload.length < 100, 'an error, not an answer');
  await ws.closed();
  wire.end();
  assert.equal((await openCleanpath(gateway, session)).answer.status, 401);
});

test('without a session of this site nothing is upgraded', async () => {
  const status = async (headers) => {
    const { answer, wire } = await openCleanpath(gateway, token, headers);
    wire.end();
    return answer.status;
  };
  assert.equal(await status({ Cookie: null }), 401);
  assert.equal(await status({ Cookie: `__Host-deskgate=${randomBytes(32).toString('base64url')}` }), 401);
  assert.equal(await status({ Origin: 'https://evil.example' }), 403);
  assert.equal(await status({ Origin: null }), 403);
  assert.equal(await status({ Upgrade: null }), 426);
  const other = `127.0.0.1:${gateway.port}`; // another name of the same gateway
  assert.equal(await status({ Host: other, Origin: `https://${other}` }), 101);
  assert.equal(await status({ Host: other, Origin: `http://${other}` }), 403);
  await until(() => 'the foreign page is on record', () => gateway.audit('--event', 'foreign-origin').length > 0);
});

test('requests that are not proper ones are refused', async () => {
  const made = await ticketFor(gateway, token, 'office');
  const good = { destination: 'office', ticket: made.ticket };
  const pdu = requestPdu(good);
  const cases = {
    'another version': requestPdu({ ...good, version: 3389 }),
    'no destination': requestPdu({ ...good, destination: null }),
    'no ticket': requestPdu({ ...good, ticket: null }),
    'a short ticket': requestPdu({ ...good, ticket: 'abc' }),
    'no X.224': requestPdu({ ...good, x224: null }),
    'X.224 of another kind': requestPdu({ ...good, x224: CONFIRM_TLS }),
    'X.224 with a tail': requestPdu({ ...good, x224: Buffer.concat([X224, Buffer.from('GET / HTTP/1.1\r\n')]) }),
    'a host in the place of a name': requestPdu({ ...good, destination: '127.0.0.1:22/..' }),
    'a tail': Buffer.concat([pdu, Buffer.from([0])]),
    'an indefinite length': Buffer.from('3080020100', 'hex'),
    'no DER at all': Buffer.from('GET / HTTP/1.1\r\n\r\n'),
    'a length beyond the bound': Buffer.from('308400010000', 'hex'),
  };
  for (const [name, bytes] of Object.entries(cases)) {
    const { ws, wire, answer } = await present(gateway, token, bytes);
    assert.deepEqual(answer?.error, { code: 1, http: 400 }, name);
    await ws.closed();
    wire.end();
  }
  const { ws, wire } = await openCleanpath(gateway, token);
  ws.send(Buffer.from('text'), { opcode: 1 });
  assert.equal((await ws.closed()).code, 1003);
  wire.end();
  // None of them has used the ticket up.
  const { wire: last, answer } = await present(gateway, token, good);
  assert.equal(answer.error, undefined);
  last.end();
});

// The line in the gateway's log about the last refusal.
async function logged(pattern) {
  const last = () => gateway.log.split('\n').filter((line) => line.includes('cleanpath.refused')).at(-1) ?? '';
  await until(() => `${pattern} in “${last()}”`, () => pattern.test(last()));
}

test('each trouble with a desktop has its own words', async () => {
  gateway.addDesktop('dead', await deadPort());
  gateway.grant('anna', 'dead');
  assert.deepEqual(await refused('dead'), {
    error: { code: 1, wsa: 10061 }, x224: undefined,
    said: { state: 'refused', reason: 'desktop_refused', message: (await visitWords('desktop_refused')) },
  });
  await add('strict', await rdpServer({ confirm: CONFIRM_REFUSED }));
  const strict = await refused('strict');
  assert.deepEqual(strict.error, { code: 2 });
  assert.deepEqual(strict.x224, CONFIRM_REFUSED);
  assert.equal(strict.said.reason, 'negotiation');
  await logged(/ failure=5\b/);
  await add('ancient', await rdpServer({ confirm: (socket) => socket.write(Buffer.from('0300000b06d00000123400', 'hex')) }));
  assert.equal((await refused('ancient')).said.reason, 'negotiation');
  await logged(/ failure=0\b/);
  await add('closes', await rdpServer({ confirm: (socket) => socket.end() }));
  const closes = await refused('closes');
  assert.deepEqual(closes.error, { code: 1, wsa: 10054 });
  assert.equal(closes.said.reason, 'desktop-lost');
  await add('foreign', await rdpServer({ confirm: (socket) => socket.write('SSH-2.0-OpenSSH\r\n') }));
  const foreign = await refused('foreign');
  assert.deepEqual(foreign.error, { code: 1, wsa: 10054 });
  assert.equal(foreign.said.reason, 'negotiation');
  await add('no-tls', await rdpServer({ confirm: (socket) => {
    socket.write(CONFIRM_TLS);
    socket.once('data', () => socket.end(Buffer.from('15030300020228', 'hex'))); // handshake_failure
  } }));
  const noTls = await refused('no-tls');
  assert.deepEqual(noTls.error, { code: 1, alert: 40 });
  assert.equal(noTls.said.reason, 'desktop-tls');
  await logged(/ tls=GNUTLS_E_FATAL_ALERT_RECEIVED alert=40\b/);
});

// The sentence comes from the API; here it only must be one.
async function visitWords(reason) {
  const { said } = await refused('dead');
  assert.equal(said.reason, reason);
  assert.match(said.message, /^[A-Z].*[.?]$/);
  return said.message;
}

test('another certificate than before is refused, told and on record', async () => {
  const server = await add('renewed', await rdpServer());
  (await enter('renewed')).wire.end();
  server.pair = selfSigned('another');
  const changed = await refused('renewed');
  assert.deepEqual(changed.error, { code: 1, alert: 46 });
  assert.equal(changed.said.reason, 'certificate-changed');
  const row = gateway.audit('--event', 'desktop-certificate').at(-1);
  assert.equal(row.outcome, 'changed');
  assert.equal(row.desktop, 'renewed');
  gateway.cli('desktop', 'trust', 'renewed', '--renew');
  const again = await enter('renewed');
  assert.equal(again.answer.error, undefined);
  again.wire.end();
});

for (const version of ['TLSv1.2', 'TLSv1.3']) {
  test(`a certificate as Windows makes its own, by ${version}`, async () => {
    const name = `windows-${version.at(-1)}`;
    await add(name, await rdpServer({ pair: selfSigned('WIN-1', WINDOWS), versions: { minVersion: version, maxVersion: version } }));
    const { answer, wire } = await enter(name);
    assert.equal(answer.error, undefined);
    wire.end();
  });
}

test('ciphers as Windows before 2016 has with a certificate of RSA: CBC, where there is nothing better', async () => {
  const pair = selfSigned('WIN-2012', WINDOWS);
  const cbc = ['ECDHE-RSA-AES256-SHA384', 'ECDHE-RSA-AES128-SHA256', 'ECDHE-RSA-AES256-SHA', 'ECDHE-RSA-AES128-SHA'];
  for (const [i, ciphers] of [...cbc, [...cbc, 'ECDHE-RSA-AES256-GCM-SHA384'].join(':')].entries()) {
    const server = await add(`cbc-${i}`, await rdpServer({ pair, versions: { maxVersion: 'TLSv1.2', ciphers, honorCipherOrder: false } }));
    const { ws, wire, answer } = await enter(`cbc-${i}`);
    assert.equal(answer.error, undefined, ciphers);
    const data = randomBytes(100_000);
    ws.send(data);
    assert.deepEqual(await ws.read(data.length), data);
    assert.equal(server.secured.getCipher().name, ciphers.split(':').at(-1), 'the better one goes first');
    wire.end();
  }
});

test('a pinned certificate is the only one', async () => {
  const server = await add('pinned', await rdpServer());
  const print = new X509Certificate(server.pair.cert).fingerprint256;
  gateway.cli('desktop', 'trust', 'pinned', '--pin', print);
  const good = await enter('pinned');
  assert.equal(good.answer.error, undefined);
  good.wire.end();
  server.pair = selfSigned();
  assert.deepEqual((await refused('pinned')).error, { code: 1, alert: 46 });
});

test('with trust by authority a self-signed certificate is refused', async () => {
  await add('official', await rdpServer());
  gateway.cli('desktop', 'trust', 'official', '--ca');
  const answer = await refused('official');
  assert.deepEqual(answer.error, { code: 1, alert: 48 });
  assert.equal(answer.said.reason, 'certificate-untrusted');
});

test('with trust by authority its signature counts, for the right host only', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'deskgate-authority-'));
  const openssl = (...args) => run('openssl', args, { cwd: folder });
  const at = (name) => join(folder, name);
  openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', at('ca.key'), '-out', at('ca.pem'), '-days', '2', '-subj', '/CN=The house', '-addext', 'basicConstraints=critical,CA:TRUE');
  openssl('req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', at('key.pem'), '-out', at('csr.pem'), '-subj', '/CN=desk');
  const signed = (...more) => {
    writeFileSync(at('names'), ['subjectAltName=DNS:localhost', ...more, ''].join('\n'));
    openssl('x509', '-req', '-in', at('csr.pem'), '-CA', at('ca.pem'), '-CAkey', at('ca.key'), '-CAcreateserial', '-days', '2', '-extfile', at('names'), '-out', at('cert.pem'));
    return { key: readFileSync(at('key.pem'), 'utf8'), cert: readFileSync(at('cert.pem'), 'utf8') };
  };
  chmodSync(folder, 0o755);
  chmodSync(at('ca.pem'), 0o644);
  const server = await rdpServer({ pair: signed() });
  const house = await Gateway.make({ conf: { desktops: { authorities: at('ca.pem') } } });
  try {
    const user = house.addUser('anna');
    const session = await user.token();
    for (const [name, host] of [['named', 'localhost'], ['numbered', '127.0.0.1']]) {
      house.addDesktop(name, server.port, host);
      house.grant('anna', name);
      house.cli('desktop', 'trust', name, '--ca');
    }
    const open = async (name) => {
      const made = await ticketFor(house, session, name);
      const { wire, answer } = await present(house, session, { destination: name, ticket: made.ticket });
      wire.end();
      return answer.error;
    };
    assert.equal(await open('named'), undefined);
    assert.deepEqual(await open('numbered'), { code: 1, alert: 48 }, 'the certificate does not name that address');
    server.pair = signed('extendedKeyUsage=1.3.6.1.4.1.311.54.1.2');
    assert.equal(await open('named'), undefined, 'made for RDP alone');
    assert.deepEqual(await open('numbered'), { code: 1, alert: 48 });
    server.pair = signed('extendedKeyUsage=clientAuth');
    assert.deepEqual(await open('named'), { code: 1, alert: 48 }, 'made for something else');
    server.pair = selfSigned('localhost');
    assert.deepEqual(await open('named'), { code: 1, alert: 48 });
  } finally {
    await house.remove();
    await server.close();
    rmSync(folder, { recursive: true, force: true });
  }
});

test('an administrator ends it: the API says so', async () => {
  const { made, ws, wire } = await enter();
  const [live] = gateway.json('tunnel', 'list').filter((row) => row.desktop === 'office').slice(-1);
  gateway.cli('tunnel', 'end', String(live.id));
  assert.deepEqual(await ws.closed(), { code: 4003, reason: 'an administrator ended this connection' });
  wire.end();
  assert.equal((await visitOver(gateway, token, made.visit)).reason, 'tunnel-ended');
});

test('a desktop that goes silent does not hold the browser', async () => {
  await add('silent', await tcpServer(() => {}));
  await add('no-hello', await rdpServer({ confirm: (socket) => socket.write(CONFIRM_TLS) }));
  const [silent, noHello] = await Promise.all([refused('silent'), refused('no-hello')]);
  assert.deepEqual(silent.error, { code: 1, wsa: 10060 });
  assert.equal(silent.said.reason, 'setup');
  assert.deepEqual(noHello.error, { code: 1, wsa: 10060 });
  assert.equal(noHello.said.reason, 'desktop-tls');
});

test('a desktop that hangs up at our TLS hello, as Windows does when it cannot read its own key, has trouble with TLS', async () => {
  for (const end of ['end', 'resetAndDestroy']) {
    await add(`hangs-up-${end.length}`, await rdpServer({ confirm: (socket) => {
      socket.write(CONFIRM_TLS);
      socket.once('data', () => socket[end]());
    } }));
    const { error, said } = await refused(`hangs-up-${end.length}`);
    assert.deepEqual(error, { code: 1, wsa: 10054 });
    assert.equal(said.reason, 'desktop-tls');
  }
});

test('a page that is back takes the place of its visit, which the gateway still takes for alive', async () => {
  const house = await Gateway.make();
  const server = await rdpServer();
  try {
    const hers = await house.addUser('anna').token();
    house.addDesktop('office', server.port);
    house.grant('anna', 'office');
    house.cli('user', 'limit', 'anna', '--tunnels', '1');
    const ticket = async (body) => (await house.post('/api/desktops/office/ticket', body, { token: hers })).json;
    const enters = (made) => present(house, hers, { destination: 'office', ticket: made.ticket });
    const made = await ticket({});
    const lost = await enters(made);
    assert.equal(lost.answer.error, undefined);
    const second = await ticket({});
    await enters(second);
    assert.equal((await visitOver(house, hers, second.visit)).reason, 'too_many');
    const back = await enters(await ticket({ replaces: String(made.visit) }));
    assert.equal(back.answer.error, undefined);
    back.ws.send(Buffer.from('it works'));
    assert.equal(String(await back.ws.read(8)), 'it works');
    lost.wire.end();
    assert.equal((await visitOver(house, hers, made.visit)).reason, 'client-lost');
    back.wire.end();
  } finally {
    await house.remove();
    await server.close();
  }
});

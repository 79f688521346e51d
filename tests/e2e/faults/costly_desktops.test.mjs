// Desktops with whose keys the gate would compute for seconds, in the thread that relays everybody's
// bytes: refused before anything is computed. Ordinary ones, and large ones, go on.
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { createSecureContext, TLSSocket } from 'node:tls';
import { once } from 'node:events';
import { CONFIRM_TLS, rdpServer, selfSigned, visitOver } from '../lib/cleanpath.mjs';
import { House } from '../lib/fault_house.mjs';
import { dhe, ecdhe, flight12, flight13, hostileDesktop, oddNumber, ownRsa, rsaCertificate } from '../lib/hostile_tls.mjs';
import { run } from '../lib/proc.mjs';
import { tcpServer } from '../lib/servers.mjs';
import { patience } from '../lib/wait.mjs';

const F4 = Buffer.from([1, 0, 1]);
const TICKS_MOST = 50; // 10 ms each, of the gate's processors, for a desktop that is refused

let house, gateway, token;

before(async () => {
  house = await House.open({ conf: { dial: { allow: 'private, loopback' } } });
  ({ gateway, token } = house);
});
after(() => house?.close());

function ticks() {
  const fields = readFileSync(`/proc/${gateway.part('gate')}/stat`, 'utf8').split(') ')[1].split(' ');
  return Number(fields[11]) + Number(fields[12]);
}

// It is refused, for little, and nobody else has waited.
async function refuses(name, flight, alert) {
  await house.desktop(name, hostileDesktop(flight));
  const before = ticks();
  const { answer, ws, number } = await house.browse(name);
  const spent = ticks() - before;
  assert.ok(answer?.error, `${name}: it is refused`);
  await ws.stay();
  ws.wire.end();
  assert.ok(spent <= TICKS_MOST * patience, `${name}: ${spent * 10} ms of the gate's time`);
  assert.equal((await visitOver(gateway, token, number)).reason, 'desktop-tls', name);
  assert.equal(answer.error.alert, alert, name);
  await house.canary.heard();
}

async function takes(name, making) {
  await house.desktop(name, making);
  const { answer, ws } = await house.browse(name);
  ws.wire.end();
  assert.ok(answer?.chain?.length, `${name}: ${JSON.stringify(answer?.error)}`);
}

const BAD_CERTIFICATE = 42;
const INSUFFICIENT_SECURITY = 71;

test('a giant RSA key', { timeout: 180_000 }, async () => {
  const giant = rsaCertificate(oddNumber(32768), oddNumber(32768));
  await refuses('giant-12', (hello) => flight12(hello, [giant], ecdhe(4096)), BAD_CERTIFICATE);
  await refuses('giant-13', (hello) => flight13(hello, [giant], 4096), BAD_CERTIFICATE);
});

test('an RSA key of a usual size, whose exponent is giant', { timeout: 180_000 }, async () => {
  const odd = rsaCertificate(oddNumber(16384), oddNumber(16384));
  await refuses('exponent-12', (hello) => flight12(hello, [odd], ecdhe(2048)), BAD_CERTIFICATE);
  await refuses('exponent-13', (hello) => flight13(hello, [odd], 2048), BAD_CERTIFICATE);
});

test('a giant prime for Diffie-Hellman', { timeout: 180_000 }, async () => {
  const { key, certificate } = ownRsa(generateKeyPairSync('rsa', { modulusLength: 2048, privateKeyEncoding: { type: 'pkcs8', format: 'pem' } }).privateKey);
  await refuses('prime', (hello) => flight12(hello, [certificate], dhe(16368, key)), INSUFFICIENT_SECURITY);
});

test('more certificates than anybody has', { timeout: 180_000 }, async () => {
  const pair = selfSigned();
  const crowd = { key: pair.key, cert: pair.cert.repeat(150) };
  const desktop = await house.desktop('crowd', rdpServer({ pair: crowd }));
  const { answer, ws } = await house.browse('crowd');
  ws.wire.end();
  assert.ok(answer?.error, 'it is refused');
  desktop.pair = { key: pair.key, cert: pair.cert.repeat(8) };
  const again = await house.browse('crowd');
  again.ws.wire.end();
  assert.equal(again.answer?.chain?.length, 8);
});

// Speaks TLS 1.2, and one suite only.
const dheServer = (pair) => tcpServer(async (socket) => {
  const [request] = await once(socket, 'data').catch(() => []);
  if (!request) return;
  socket.write(CONFIRM_TLS);
  const secure = new TLSSocket(socket, {
    isServer: true,
    secureContext: createSecureContext({ ...pair, dhparam: 'auto', ciphers: 'DHE-RSA-AES128-GCM-SHA256', maxVersion: 'TLSv1.2' }),
  });
  secure.on('error', () => {});
});

function rsaPair(bits) {
  const made = run('openssl', ['req', '-x509', '-newkey', `rsa:${bits}`, '-nodes', '-keyout', '-', '-days', '2', '-subj', '/CN=desktop']).stdout;
  const at = made.indexOf('-----BEGIN CERT');
  return { key: made.slice(made.indexOf('-----BEGIN PRIVATE'), at), cert: made.slice(at) };
}

test('what desktops have goes on: RSA, in both versions, and DHE', { timeout: 180_000 }, async () => {
  const pair = rsaPair(4096);
  await takes('rsa-13', rdpServer({ pair }));
  await takes('rsa-12', rdpServer({ pair: { ...pair, maxVersion: 'TLSv1.2' } }));
  await takes('dhe', dheServer(rsaPair(2048)));
});

// Its signature is none, so it fails in the end, but not for its size.
test('a large RSA key is looked at', { timeout: 180_000 }, async () => {
  const large = rsaCertificate(oddNumber(16384), F4);
  await refuses('large-12', (hello) => flight12(hello, [large], ecdhe(2048)), 51);
  await refuses('large-13', (hello) => flight13(hello, [large], 2048), 51);
});

// .rdp files from the portal's API: given unchanged to a real client, signed, and with what the
// administrator says about the desktop.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { freerdp, samePicture } from './lib/clients.mjs';
import { screen, shadowDesktop } from './lib/desktop.mjs';
import { Gateway, binary, isRoot } from './lib/gateway.mjs';
import { start, stop } from './lib/proc.mjs';
import { until } from './lib/wait.mjs';

let folder, gateway, desktop, user, token;
const running = [];

// A certificate of its own for signing, below an authority that is not the system's.
function makeSigner(kind) {
  const at = (name) => join(folder, `${kind}-${name}`);
  const openssl = (...args) => execFileSync('openssl', args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const key = kind === 'rsa' ? ['-newkey', 'rsa:2048'] : ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'];
  openssl('req', '-x509', ...key, '-nodes', '-keyout', at('ca.key'), '-out', at('ca.pem'), '-days', '2', '-subj', '/CN=Test authority');
  openssl('req', ...key, '-nodes', '-keyout', at('key.pem'), '-out', at('csr.pem'), '-subj', '/CN=gate.example.com');
  openssl('x509', '-req', '-in', at('csr.pem'), '-CA', at('ca.pem'), '-CAkey', at('ca.key'), '-CAcreateserial', '-out', at('leaf.pem'), '-days', '1');
  writeFileSync(at('cert.pem'), readFileSync(at('leaf.pem'), 'utf8') + readFileSync(at('ca.pem'), 'utf8'));
  return { certificate: at('cert.pem'), key: at('key.pem'), authority: at('ca.pem') };
}

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'deskgate-rdp-'));
  if (isRoot) execFileSync('chmod', ['711', folder]);
  gateway = await Gateway.make();
  desktop = await shadowDesktop();
  gateway.addDesktop('office', desktop.port);
  user = gateway.addUser('anna');
  gateway.grant(user, 'office');
  token = await user.token();
});

after(async () => {
  for (const thing of running.reverse()) await thing.stop();
  await desktop?.stop();
  await gateway?.remove();
  if (folder) rmSync(folder, { recursive: true, force: true });
});

// The gateway signs by it, until the test is over.
async function sign(t, { certificate, key }) {
  const by = async (rdp) => {
    await gateway.stop();
    gateway.configure({ rdp });
    await gateway.serve();
  };
  t.after(() => by({ certificate: '', key: '' }));
  await by({ certificate, key });
}

async function file(from = gateway, of = token) {
  const answer = await from.http('GET', '/api/desktops/office/rdp', { token: of });
  assert.equal(answer.status, 200, answer.body);
  return answer.body;
}

// Opens the file as it is; everything else a person would type: name, password, "yes" to
// certificates.
async function opens(text, name = 'office.rdp') {
  const path = join(folder, name);
  writeFileSync(path, text);
  const view = await screen();
  const process = start(freerdp.command, [path, '/cert:ignore', '/u:demo', '/p:demo', '/sec:tls', '/size:1024x768'], { env: { DISPLAY: view.display, HOME: folder } });
  const client = { view, process, said: () => process.out + process.err, stop: async () => {
    await stop(process);
    await view.stop();
  } };
  running.push(client);
  await samePicture(client, desktop);
  await client.stop();
  await until(() => 'the tunnel has ended', () => gateway.json('tunnel', 'list').length === 0);
}

test('the downloaded file, unchanged, opens the desktop', async () => {
  await opens(await file());
});

test('… also as UTF-16, as Windows saves it', async () => {
  await opens(Buffer.from(`\ufeff${await file()}`, 'utf16le'));
});

test('only GET makes a ticket', async () => {
  const answer = await gateway.http('HEAD', '/api/desktops/office/rdp', { token });
  assert.equal(answer.status, 405);
  assert.equal(answer.headers.allow, 'GET');
});

test('what a desktop forbids stands in its file, and what it adds', async () => {
  gateway.cli('desktop', 'set', 'office', '--forbid', 'clipboard,drives', '--rdp-setting', 'use multimon:i:1', '--rdp-setting', 'remoteapplicationname:s:Büro');
  const answer = await gateway.http('GET', '/api/desktops/office/rdp', { token });
  const bytes = answer.bytes;
  assert.deepEqual([...bytes.subarray(0, 2)], [0xff, 0xfe], 'a letter beyond ASCII: UTF-16 with its mark');
  const text = bytes.subarray(2).toString('utf16le');
  assert.match(text, /\r\ndrivestoredirect:s:\r\nredirectclipboard:i:0\r\nuse multimon:i:1\r\nremoteapplicationname:s:Büro\r\n$/);
  gateway.cli('desktop', 'set', 'office', '--forbid', 'none', '--rdp-setting', 'none');
  assert.doesNotMatch(await file(), /redirect|multimon/);
});

for (const kind of ['rsa', 'ec']) {
  test(`signed with a certificate (${kind}), verified over the text as rdpsign composes it`, async (t) => {
    const signer = makeSigner(kind);
    if (isRoot) execFileSync('chmod', ['644', signer.key]);
    await sign(t, signer);
    const text = await file();
    const lines = text.split('\r\n');
    const scope = lines.find((line) => line.startsWith('signscope:s:'));
    const names = scope.slice('signscope:s:'.length).split(',');
    for (const name of ['Full Address', 'Alternate Full Address', 'GatewayHostname', 'GatewayUsageMethod', 'GatewayCredentialsSource']) assert.ok(names.includes(name), name);
    const signed = names.map((name) => lines.find((line) => line.toLowerCase().startsWith(`${name.toLowerCase()}:`)));
    assert.ok(signed.every(Boolean), 'each name is a line');
    const message = Buffer.from(`${[...signed, scope].join('\r\n')}\r\n\0`, 'utf16le');
    const blob = Buffer.from(lines.find((line) => line.startsWith('signature:s:')).slice('signature:s:'.length).replaceAll(' ', ''), 'base64');
    assert.deepEqual([blob.readUInt32LE(0), blob.readUInt32LE(4), blob.readUInt32LE(8)], [0x00010001, 1, blob.length - 12]);
    const at = (name) => join(folder, `${kind}-${name}`);
    writeFileSync(at('message'), message);
    writeFileSync(at('signature'), blob.subarray(12));
    const verify = () => execFileSync('openssl', ['cms', '-verify', '-binary', '-inform', 'DER', '-in', at('signature'), '-content', at('message'), '-CAfile', signer.authority, '-purpose', 'any', '-out', at('out')], { stdio: ['ignore', 'pipe', 'pipe'] });
    verify();
    message[30] ^= 1;
    writeFileSync(at('message'), message);
    assert.throws(verify, 'a changed address is noticed');
    const text2 = execFileSync('openssl', ['pkcs7', '-inform', 'DER', '-in', at('signature'), '-print_certs', '-noout'], { encoding: 'utf8' });
    assert.match(text2, /gate\.example\.com[^]*Test authority/, 'the chain is in it');
    await opens(text, `${kind}.rdp`);
  });
}

test('a certificate that is not usable: at a reload the old one stays', async (t) => {
  const signer = makeSigner('rsa');
  const other = makeSigner('ec');
  if (isRoot) execFileSync('chmod', ['644', signer.key, other.key]);
  await sign(t, signer);
  writeFileSync(signer.key, readFileSync(other.key));
  await gateway.reload(/is not the key of/);
  assert.match(await file(), /\r\nsignature:s:/);
  const check = gateway.cli('check', { allow: true });
  assert.match(check.stdout + check.stderr, /not usable with the key .*rsa-key\.pem/);
});

// Good for TLS, all of them: the first file would have been too late to say so.
for (const [what, args, count, words] of [
  ['an Ed25519 key', ['-newkey', 'ed25519'], 1, /only RSA and ECDSA keys/],
  ['an RSA-PSS key', ['-newkey', 'rsa-pss', '-pkeyopt', 'rsa_keygen_bits:2048'], 1, /only RSA and ECDSA keys/],
  ['a chain without end', ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'], 9, /more than 8 certificates/],
]) {
  test(`${what} cannot sign: said by check, at start, and at a reload`, async (t) => {
    const signer = makeSigner('ec');
    const bad = { certificate: join(folder, 'bad.pem'), key: join(folder, 'bad.key') };
    execFileSync('openssl', ['req', '-x509', ...args, '-nodes', '-keyout', bad.key, '-out', bad.certificate, '-days', '2', '-subj', '/CN=bad'], { stdio: 'ignore' });
    writeFileSync(bad.certificate, readFileSync(bad.certificate, 'utf8').repeat(count));
    if (isRoot) execFileSync('chmod', ['644', signer.key, bad.key]);
    await sign(t, signer);
    for (const name of ['certificate', 'key']) writeFileSync(signer[name], readFileSync(bad[name]));
    await gateway.reload(words);
    assert.match(await file(), /\r\nsignature:s:/, 'the old one signs on');
    const check = gateway.cli('check', { allow: true });
    assert.match(check.stdout + check.stderr, words);
    await gateway.stop();
    const refused = gateway.cli('serve', { allow: true });
    assert.equal(refused.status, 78, refused.stderr);
    assert.match(refused.stderr, words);
  });
}

test('a setting that is no UTF-8 is refused: nothing could show it', () => {
  const script = String.raw`exec "$0" --state "$1" desktop set office --rdp-setting "$(printf 'remoteapplicationname:s:a\377')"`;
  assert.throws(() => execFileSync('sh', ['-c', script, binary, gateway.state], { stdio: 'pipe' }), /no UTF-8/);
  gateway.json('desktop', 'show', 'office');
});

// check: each finding, with what it finds made really wrong in a state folder of the test's own.
import assert from 'node:assert/strict';
import { chmodSync, openSync, readFileSync, rmSync, utimesSync, writeFileSync, writeSync, closeSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { binary, Gateway, isRoot } from './lib/gateway.mjs';
import { run } from './lib/proc.mjs';
import { deadPort, tcpServer } from './lib/servers.mjs';

let gateway;
let good; // deskgate.conf
const path = (name) => join(gateway.state, name);

beforeEach(async () => {
  gateway = await Gateway.make({ serve: false });
  gateway.configure({ server: { listen: `127.0.0.1:${await deadPort()}` } });
  good = readFileSync(path('deskgate.conf'));
});
afterEach(() => gateway?.remove());

// Items that are not ok: [{item, level, message, mend}]. `before` goes in front of the command.
function findings(before = []) {
  const [program, ...args] = [...before, binary, '--state', gateway.state, 'check', '--json'];
  const result = run(program, args, { allow: true });
  assert.ok(result.stdout, result.stderr);
  const { result: verdict, items } = JSON.parse(result.stdout);
  assert.equal(result.status, verdict === 'problem' ? 69 : 0);
  return items.filter(({ level }) => level !== 'ok');
}

function finds(item, level, message, before) {
  const all = findings(before);
  const found = all.find((one) => one.item === item && message.test(one.message));
  assert.ok(found, `${item} ${message} in ${JSON.stringify(all, null, 1)}`);
  assert.equal(found.level, level, found.message);
  assert.notEqual(found.mend, '');
  return found;
}

const openssl = (...args) => run('openssl', args);

// A certificate for localhost, as the gateway's; `signer` {cert, key} signs it, else itself.
function certify(name, { days = 30, key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'], subject = 'localhost', ca = false, signer, digest = '-sha256', more = '', names = `subjectAltName=DNS:${subject}` } = {}) {
  const files = { cert: join(gateway.folder, `${name}.pem`), key: join(gateway.folder, `${name}.key`), request: join(gateway.folder, `${name}.csr`) };
  const extensions = join(gateway.folder, `${name}.ext`);
  writeFileSync(extensions, `${names}\nbasicConstraints=critical,CA:${ca ? 'TRUE' : 'FALSE'}\n${more}\n`);
  openssl('req', '-new', '-nodes', ...key, '-keyout', files.key, '-out', files.request, '-subj', `/CN=${names ? name : subject}`);
  openssl('x509', '-req', '-in', files.request, '-out', files.cert, '-days', String(days), ...(digest ? [digest] : []), '-extfile', extensions,
    ...(signer ? ['-CA', signer.cert, '-CAkey', signer.key, '-CAcreateserial'] : ['-signkey', files.key]));
  return { ...files, pem: readFileSync(files.cert, 'latin1'), keyPem: readFileSync(files.key, 'latin1') };
}

function show(chain, key) {
  writeFileSync(path('tls/cert.pem'), chain.join(''));
  writeFileSync(path('tls/key.pem'), key);
}

test('nothing but what a fresh folder cannot have', () => {
  const items = findings().filter(({ item }) => !['clock', 'cage', 'memory'].includes(item)); // the machine's
  assert.deepEqual(items.map(({ item, level }) => [item, level]), [['certificate chain', 'warning']]);
  assert.match(items[0].message, /self-signed/);
});

test('certificate: chain', () => {
  const root = certify('root', { ca: true });
  const middle = certify('middle', { ca: true, signer: root });
  const leaf = certify('leaf', { signer: middle });
  show([leaf.pem], leaf.keyPem);
  assert.match(finds('certificate chain', 'warning', /has 1 certificate and does not lead/).mend, /fullchain/);
  show([leaf.pem, middle.pem], leaf.keyPem);
  finds('certificate chain', 'warning', /has 2 certificates and does not lead/);
  show([leaf.pem, root.pem], leaf.keyPem);
  finds('certificate chain', 'problem', /number 2 did not sign number 1/);
  const old = certify('old', { ca: true, signer: root, days: 0 });
  const below = certify('below', { signer: old });
  show([below.pem, old.pem], below.keyPem);
  finds('certificate chain', 'problem', /number 2 has expired/);
  // With the authority trusted it is well.
  const trusted = run(binary, ['--state', gateway.state, 'check', '--json'], { allow: true });
  assert.ok(trusted.stdout);
});

test('certificate: name, expiry, key match, strength', () => {
  const other = certify('other', { subject: 'elsewhere.example' });
  show([other.pem], other.keyPem);
  finds('certificate', 'warning', /does not name 'localhost'/);
  const soon = certify('soon', { days: 5 });
  show([soon.pem], soon.keyPem);
  finds('certificate', 'warning', /expires at/);
  const over = certify('over', { days: 0 });
  show([over.pem], over.keyPem);
  finds('certificate', 'problem', /expired at/);
  show([soon.pem], other.keyPem);
  finds('certificate', 'problem', /is not usable with the key/);
  show(['rubbish'], soon.keyPem);
  finds('certificate', 'problem', /cert\.pem/);
  const weak = certify('weak', { key: ['-newkey', 'rsa:1024'] });
  show([weak.pem], weak.keyPem);
  finds('certificate', 'problem', /weak key \(RSA, 1024 bits\)/);
  const root = certify('sha', { ca: true });
  const signed = certify('signed', { signer: root, digest: '-sha1' });
  show([signed.pem], signed.keyPem);
  finds('certificate', 'problem', /weak signature \(.*SHA1/);
});

test('certificate: what its own words forbid, and what clients do not take', () => {
  const rsa = { key: ['-newkey', 'rsa:2048'] };
  const cases = [
    ['enciphers', { ...rsa, more: 'keyUsage=keyEncipherment,dataEncipherment' }, 'problem', /may not be used to sign \(its keyUsage lacks digitalSignature\)/],
    ['authority', { more: 'keyUsage=keyCertSign' }, 'problem', /may not be used to sign/],
    ['client', { more: 'extendedKeyUsage=clientAuth' }, 'problem', /is not for servers \(its extendedKeyUsage lacks serverAuth\)/],
    ['unnamed', { names: '' }, 'warning', /has a name only as its common name/],
    ['edwards', { key: ['-newkey', 'ed25519'], digest: '' }, 'warning', /a kind of key that some browsers do not know/],
    ['long', { key: ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-521'] }, 'warning', /a kind of key that some browsers do not know/],
    ['pss', { key: ['-newkey', 'rsa-pss'] }, 'warning', /a kind of key that some browsers do not know/],
    ['stapled', { more: 'tlsfeature=status_request' }, 'warning', /demands an OCSP answer/],
  ];
  for (const [name, options, level, message] of cases) {
    const made = certify(name, options);
    show([made.pem], made.keyPem);
    finds('certificate', level, message);
  }
  for (const options of [{ more: 'keyUsage=digitalSignature\nextendedKeyUsage=serverAuth,clientAuth' }, { more: 'extendedKeyUsage=anyExtendedKeyUsage' },
    { ...rsa, more: 'keyUsage=digitalSignature,keyEncipherment' }, { key: ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-384'] }]) {
    const made = certify('fine', options);
    show([made.pem], made.keyPem);
    assert.deepEqual(findings().filter(({ item, level }) => item === 'certificate' && level !== 'ok'), []);
  }
});

test('clock: the database was written in the future', () => {
  const soon = new Date(Date.now() + 86_400_000);
  utimesSync(path('deskgate.db'), soon, soon);
  finds('clock', 'problem', /written in the future/);
});

test('ports: taken by something else, and one that cannot be', async () => {
  const taken = await tcpServer((socket) => socket.end('hello\n'));
  try {
    gateway.configure({ server: { listen: `127.0.0.1:${taken.port}` } });
    finds('port', 'problem', /in use, and not by a gateway/);
  } finally {
    await taken.close();
  }
  gateway.configure({ server: { listen: '192.0.2.1:443' } });
  finds('port', 'problem', /192\.0\.2\.1:443/);
});

test('desktops: unreachable, forbidden, without a name', async () => {
  gateway.addDesktop('shut', await deadPort());
  gateway.addDesktop('far', 3389, '192.0.2.7');
  gateway.addDesktop('nameless', 3389, 'no-such-host.invalid');
  finds('desktop', 'warning', /^shut /);
  finds('desktop', 'problem', /^far /);
  assert.ok(findings().some(({ item, message }) => item === 'desktop' && message.startsWith('nameless ')));
});

test('file modes', () => {
  const wrong = [
    ['secret.key', 0o644, 'secret key', 'problem', /read by others/],
    ['secret.key', 0o666, 'secret key', 'problem', /changed by others/],
    ['deskgate.db', 0o644, 'database', 'problem', /read by others/],
    ['deskgate.conf', 0o666, 'configuration file', 'problem', /changed by others/],
    ['tls/key.pem', 0o644, 'certificate\'s key', 'problem', /read by others/],
    ['.', 0o777, 'state folder', 'problem', /changed by others/],
    ['.', 0o755, 'state folder', 'warning', /open to others/],
  ];
  for (const [name, mode, item, level, words] of wrong) {
    const before = statSync(path(name)).mode & 0o777;
    chmodSync(path(name), mode);
    assert.match(finds(item, level, words).mend, /^chmod /);
    chmodSync(path(name), before);
  }
  if (!isRoot) return;
  // The owner's own bits: another owner would not help.
  for (const [name, mode, item, good] of [['deskgate.db', 0o400, 'database', '600'], ['deskgate.conf', 0o200, 'configuration file', '600'],
    ['tls/key.pem', 0o000, 'certificate\'s key', '600'], ['.', 0o500, 'state folder', '700']]) {
    const before = statSync(path(name)).mode & 0o777;
    chmodSync(path(name), mode);
    assert.match(finds(item, 'problem', /may not be (used|read) by uid/).mend, new RegExp(`^chmod ${good} `), name);
    chmodSync(path(name), before);
  }
  chmodSync(gateway.folder, 0o700); // above the state folder
  assert.match(finds('state folder', 'problem', /may not be used by uid/).mend, /folders above it.*namei -l/);
  chmodSync(gateway.folder, 0o711);
  run('chown', ['root:root', path('deskgate.db')]);
  assert.match(finds('database', 'problem', /may not be used by uid/).mend, /^chown /);
});

test('a key, or a note of the audit log, of another state folder', () => {
  gateway.addUser('anna');
  const key = readFileSync(path('secret.key'));
  writeFileSync(path('audit.head'), Buffer.alloc(80, 7), { mode: 0o600 });
  if (isRoot) run('chown', ['--reference', path('secret.key'), path('audit.head')]);
  assert.match(finds('audit log', 'problem', /audit\.head was not written with this key/).mend, /same backup/);
  rmSync(path('audit.head'));
  writeFileSync(path('secret.key'), Buffer.alloc(32, 7));
  assert.match(finds('secret key', 'problem', /not the key that people's second factors were sealed with/).mend, /same backup.*user totp NAME --key-lost/);
  // Nor is anything sealed with it: that alone would make it look right.
  const csv = join(gateway.folder, 'people.csv');
  writeFileSync(csv, 'name\nberta\n');
  for (const words of [['add', 'berta', '--password-stdin'], ['invite', 'berta'], ['import', csv], ['totp', 'anna']]) {
    const said = gateway.cli('user', ...words, { allow: true });
    assert.equal(said.status, 78, `${words}: ${said.stderr}`);
    assert.match(said.stderr, /is not the key that people's second factors were sealed with: restore the file/);
    assert.equal(said.stdout, '');
  }
  assert.deepEqual(gateway.json('user', 'list').map(({ name }) => name), ['anna']);
  writeFileSync(path('secret.key'), key);
  gateway.cli('user', 'totp', 'anna');
  // When it is lost, one begins anew.
  writeFileSync(path('secret.key'), Buffer.alloc(32, 7));
  gateway.cli('user', 'totp', 'anna', '--key-lost');
  assert.equal(findings().some(({ item }) => item === 'secret key'), false);
  gateway.cli('user', 'invite', 'berta');
});

test('settings that are weak', () => {
  const weak = [
    [{ password: { least: 8 } }, /\[password\] least/],
    [{ login: { user_failures: 1000 } }, /user_failures/],
    [{ login: { window_seconds: 5 } }, /window_seconds/],
    [{ session: { absolute_seconds: 31_000_000 } }, /\[session\]/],
    [{ admin: { factor_seconds: 80_000 } }, /factor_seconds/],
    [{ rdg: { passwords: 'yes' } }, /\[rdg\] passwords/],
    [{ dial: { allow: 'any' } }, /anywhere/],
    [{ dial: { allow: 'private, metadata' } }, /metadata/],
    [{ metrics: { any: 'yes' } }, /\[metrics\] any/],
    [{ server: { request_seconds: 300 } }, /request_seconds/],
    [{ alerts: { rules: '' } }, /\[alerts\] rules/],
  ];
  for (const [conf, words] of weak) {
    writeFileSync(path('deskgate.conf'), good);
    gateway.configure(conf);
    finds('setting', 'warning', words);
  }
  if (!isRoot) return;
  writeFileSync(path('deskgate.conf'), good);
  gateway.configure({ server: { user: '' } });
  finds('user', 'warning', /keeps root/);
  gateway.configure({ server: { user: 'no-such-user' } });
  finds('user', 'problem', /no user 'no-such-user'/);
});

// seccomp answers ENOSYS for landlock_create_ruleset (444), as a kernel without it does.
const WITHOUT_LANDLOCK = `
import ctypes, os, struct, sys
code = [(0x20, 0, 0, 0), (0x15, 0, 1, 444), (0x06, 0, 0, 0x00050000 | 38), (0x06, 0, 0, 0x7fff0000)]
rules = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *rule) for rule in code))
class Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("rules", ctypes.c_void_p)]
program = Program(len(code), ctypes.addressof(rules))
prctl = ctypes.CDLL(None, use_errno=True).prctl
prctl.argtypes = [ctypes.c_int] + [ctypes.c_void_p] * 4
if prctl(38, 1, None, None, None) or prctl(22, 2, ctypes.addressof(program), None, None):
    sys.exit("seccomp: " + os.strerror(ctypes.get_errno()))
os.execv(sys.argv[1], sys.argv[1:])
`;

test('a kernel without Landlock', () => {
  const before = ['python3', '-c', WITHOUT_LANDLOCK];
  finds('cage', 'warning', /lacks Landlock/, before);
  gateway.configure({ server: { cage: 'require' } });
  assert.match(finds('cage', 'problem', /lacks Landlock/, before).mend, /5\.13/);
});

test('a user who may not lock memory', () => {
  const before = ['prlimit', '--memlock=65536:65536', ...(isRoot ? ['setpriv', '--bounding-set', '-sys_resource'] : [])];
  assert.match(finds('memory', 'warning', /swap/, before).mend, /LimitMEMLOCK/);
});

test('a configuration that cannot be read', () => {
  writeFileSync(path('deskgate.conf'), '[server]\nthreads = many\n');
  finds('configuration', 'problem', /line 2: threads/);
});

test('the database: damaged, none, another\'s', () => {
  const file = path('deskgate.db');
  gateway.addUser('anna');
  run(binary, ['--state', gateway.state, 'user', 'list']); // its journal is in it now
  const whole = readFileSync(file);
  const at = openSync(file, 'r+');
  writeSync(at, Buffer.alloc(4096 * 3, 0x5a), 0, 4096 * 3, 4096 * 2);
  closeSync(at);
  finds('database', 'problem', /damaged|malformed/);
  writeFileSync(file, 'rubbish'.repeat(1000));
  finds('database', 'problem', /^\S+deskgate\.db: file is not a database/);
  writeFileSync(file, whole);
  gateway.sql('PRAGMA user_version = 5000');
  gateway.sql('PRAGMA application_id = 5000');
  finds('database', 'problem', /newer deskgate/);
});

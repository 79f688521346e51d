// Certificate files that are rubbish at a reload: the old certificate goes on serving, the log names
// the file, and a good one is taken up afterwards. (reload.test.mjs has that nothing else of the
// reload is taken then.)
import assert from 'node:assert/strict';
import { copyFileSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { House } from '../lib/fault_house.mjs';
import { isRoot } from '../lib/gateway.mjs';
import { run } from '../lib/proc.mjs';
import { until } from '../lib/wait.mjs';

let house, gateway;
let old; // the fingerprint that is shown
let good; // {cert, key} as they are at first
let other; // another pair that fits

const file = (name) => join(gateway.state, 'tls', name);

before(async () => {
  house = await House.open();
  ({ gateway } = house);
  old = await shown();
  good = { cert: readFileSync(file('cert.pem')), key: readFileSync(file('key.pem')) };
  run('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes',
    '-subj', '/CN=localhost', '-days', '2', '-addext', 'subjectAltName=DNS:localhost',
    '-keyout', join(gateway.folder, 'other.key'), '-out', join(gateway.folder, 'other.pem')]);
  run('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=localhost', '-days', '2',
    '-addext', 'subjectAltName=DNS:localhost', '-addext', 'keyUsage=keyEncipherment,dataEncipherment',
    '-keyout', join(gateway.folder, 'mute.key'), '-out', join(gateway.folder, 'mute.pem')]);
  other = { cert: readFileSync(join(gateway.folder, 'other.pem')), key: readFileSync(join(gateway.folder, 'other.key')) };
});
after(() => house?.close());

async function shown() {
  const wire = await gateway.wire({ rejectUnauthorized: false });
  const { fingerprint256 } = wire.socket.getPeerCertificate();
  wire.end();
  return fingerprint256;
}

// Both files as they were at first.
function restore() {
  run('rm', ['-rf', file('cert.pem')]);
  writeFileSync(file('cert.pem'), good.cert);
  writeFileSync(file('key.pem'), good.key);
}

const FAULTS = {
  'an empty certificate': [/cert\.pem/, () => truncateSync(file('cert.pem'), 0)],
  'half a certificate': [/cert\.pem/, () => truncateSync(file('cert.pem'), good.cert.length >> 1)],
  'no certificate': [/cert\.pem: No such file/, () => rmSync(file('cert.pem'))],
  'a certificate of zeros': [/cert\.pem/, () => writeFileSync(file('cert.pem'), Buffer.alloc(2000))],
  'an empty key': [/key\.pem/, () => truncateSync(file('key.pem'), 0)],
  'half a key': [/key\.pem/, () => truncateSync(file('key.pem'), good.key.length >> 1)],
  'a key that does not fit': [/key\.pem is not the key of .*cert\.pem/, () => writeFileSync(file('key.pem'), other.key)],
  'a new certificate, its key not yet there': [/key\.pem is not the key of .*cert\.pem/, () => writeFileSync(file('cert.pem'), other.cert)],
  'a certificate in the key\'s place': [/key\.pem/, () => writeFileSync(file('key.pem'), good.cert)],
  'a certificate that may not sign': [/cert\.pem may not be used to sign/, () => {
    copyFileSync(join(gateway.folder, 'mute.pem'), file('cert.pem'));
    copyFileSync(join(gateway.folder, 'mute.key'), file('key.pem'));
  }],
  'a folder': [/cert\.pem/, () => {
    rmSync(file('cert.pem'));
    run('mkdir', [file('cert.pem')]);
  }],
  'a file without end': [/cert\.pem: File too large/, () => truncateSync(file('cert.pem'), 1 << 30)],
};

for (const [what, [named, act]] of Object.entries(FAULTS)) {
  test(what, { timeout: 180_000 }, async () => {
    act();
    try {
      const said = await gateway.reload(/tls\.reload/);
      assert.match(said, /certificate files are not usable; the old ones stay in use/);
      assert.match(said, named);
      assert.doesNotMatch(said, /PRIVATE KEY|MI[A-Z][A-Za-z0-9+/]{20}/, 'nothing of the files is logged');
      assert.equal(await shown(), old);
      await house.canary.heard();
    } finally {
      restore();
    }
  });
}

test('a gate that is started again while the files are rubbish has the old one', { timeout: 180_000 }, async (t) => {
  t.after(restore);
  writeFileSync(file('cert.pem'), 'rubbish');
  await gateway.reload(/tls\.reload/);
  process.kill(gateway.part('gate'), 'SIGKILL');
  await gateway.healthy();
  assert.equal(await shown(), old);
  await until('its tunnel was the killed gate\'s', () => house.canary.error);
  await house.canary.stop();
  await house.perch();
});

test('a good one is taken up afterwards, and nobody notices', { timeout: 180_000 }, async (t) => {
  writeFileSync(file('cert.pem'), 'rubbish');
  await gateway.reload(/tls\.reload: .*old ones stay/);
  t.after(async () => {
    restore();
    await gateway.reload(/new certificates are in use/);
  });
  for (const [name, bytes] of [['cert.pem', other.cert], ['key.pem', other.key]]) {
    writeFileSync(file(`${name}.new`), bytes, { mode: 0o600 });
    if (isRoot) run('chown', ['nobody', file(`${name}.new`)]);
    renameSync(file(`${name}.new`), file(name));
  }
  gateway.ca = Buffer.concat([good.cert, other.cert]); // for the canary
  await gateway.reload(/new certificates are in use/);
  assert.notEqual(await shown(), old);
  await house.canary.heard();
  copyFileSync(join(gateway.folder, 'other.pem'), file('cert.pem'));
  await house.books.whole();
});

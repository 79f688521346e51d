// The certificate of the scripted gateway: what "deskgate init" makes for localhost.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { binary } from './client.mjs';

export function identity() {
  const state = mkdtempSync(join(tmpdir(), 'deskgate-connect-'));
  const made = spawnSync(binary, ['--state', state, 'init', '--name', 'localhost', '--listen', '127.0.0.1:8443'], { encoding: 'utf8' });
  assert.equal(made.status, 0, made.stderr);
  const file = join(state, 'tls/cert.pem');
  const cert = readFileSync(file, 'utf8');
  return {
    file,
    cert,
    key: readFileSync(join(state, 'tls/key.pem'), 'utf8'),
    fingerprint: new X509Certificate(cert).fingerprint256,
    remove: () => rmSync(state, { recursive: true, force: true }),
  };
}

// Tests that need a network or mounts of their own: the file runs itself again inside.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { isRoot } from './gateway.mjs';

// True within. Else it adds one test that runs `file` (a path) within, and answers false.
// `flags` are those of unshare(1).
export function within(file, flags, { name = 'in namespaces of its own' } = {}) {
  if (process.env.DESKGATE_WITHIN === '1') return true;
  test(name, { skip: isRoot ? false : 'only root can make them' }, (t) => {
    const env = { ...process.env, DESKGATE_WITHIN: '1' };
    delete env.NODE_TEST_CONTEXT;
    const done = spawnSync('unshare', [...flags, process.execPath, file], { encoding: 'utf8', env, timeout: 120_000 });
    assert.equal(done.status, 0, done.stdout + done.stderr);
    t.diagnostic(/^# pass \d+$/m.exec(done.stdout)?.[0] ?? '');
  });
  return false;
}

export function sh(command) {
  const done = spawnSync('sh', ['-ec', command], { encoding: 'utf8' });
  assert.equal(done.status, 0, `${command}: ${done.stderr}`);
  return done.stdout;
}

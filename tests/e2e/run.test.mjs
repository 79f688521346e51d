// scripts/run, the newcomer's first command: two of it side by side, each with a desktop behind its
// gateway; and nothing is left when they end, however they end.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { start as client } from './connect/client.mjs';
import { binary } from './lib/gateway.mjs';
import { alive, root, start, stop } from './lib/proc.mjs';
import { Codes } from './lib/totp.mjs';
import { until } from './lib/wait.mjs';

const demos = []; // both that go on
const started = [];

async function demo() {
  const process = start(join(root, 'scripts/run'), ['--json'], { env: { DESKGATE_BINARY: binary } });
  started.push(process);
  await until(() => `scripts/run is ready: ${process.err}`, () => {
    if (!process.running()) throw new Error(`it ended: ${process.err}`);
    return process.out.includes('\n');
  }, { ms: 180_000 });
  return { process, ...JSON.parse(process.out) };
}

before(async () => {
  demos.push(...await Promise.all([demo(), demo()]));
});
after(async () => {
  for (const process of started) await stop(process);
});

// The shortest conversation that only an RDP server has: an X.224 connection request that offers
// TLS, and its confirm (MS-RDPBCGR 2.2.1.1 and 2.2.1.2).
const REQUEST = Buffer.from('030000130ee000000000000100080001000000', 'hex');

test('it says one line of JSON with everything in it', () => {
  for (const { process, ...said } of demos) {
    assert.equal(process.out.split('\n').length, 2);
    for (const name of ['url', 'user', 'password', 'totp_secret', 'desktop', 'display', 'state', 'binary', 'fingerprint']) {
      assert.equal(typeof said[name], 'string', name);
    }
    assert.ok(said.pids.length >= 5);
    for (const pid of said.pids) assert.ok(alive(pid), `${pid} runs`);
  }
  assert.notEqual(demos[0].url, demos[1].url);
});

test('the desktop is reached through each', { timeout: 300_000 }, async (t) => {
  for (const { url, user, password, totp_secret: secret, fingerprint, desktop } of demos) {
    const code = await new Codes(secret).next();
    const connection = client(['--stdio', '--user', user, '--fingerprint', fingerprint, url, desktop],
      { credentials: [password, code], stdin: 'pipe' });
    t.after(() => connection.child.kill());
    connection.child.stdin.write(REQUEST);
    await until(() => `an answer: ${connection.err}`, () => connection.out.length >= 11, { ms: 60_000 });
    connection.child.stdin.end();
    const result = await connection.ended;
    assert.equal(result.out.subarray(0, 2).toString('hex'), '0300', result.err);
    assert.equal(result.out[5], 0xd0, 'a connection confirm');
  }
});

for (const signal of ['SIGTERM', 'SIGINT']) {
  test(`${signal} leaves nothing`, { timeout: 180_000 }, async () => {
    const { process, pids, state } = await demo();
    const { code } = await stop(process, { signal, patience: 30_000 });
    assert.equal(code, 0, process.err);
    assert.deepEqual(pids.filter(alive), []);
    assert.ok(!existsSync(dirname(state)), 'its folder is gone');
  });
}

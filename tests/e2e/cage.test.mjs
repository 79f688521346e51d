// The gate is caged by the kernel. A test build has one more route, which tries to break out from
// within the real gate after the real cage, and says what the kernel answered.
import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { Gateway, binary, isRoot, sanitized } from './lib/gateway.mjs';
import { status } from './lib/proc.mjs';
import { until } from './lib/wait.mjs';

const probe = resolve(process.env.DESKGATE_PROBE ?? join(dirname(binary), '../tests/probe/deskgate-probe'));
let gateway;

before(async () => {
  if (sanitized) return; // nothing is tried
  assert.ok(existsSync(probe), `${probe} is built`);
  gateway = await Gateway.make({ program: probe });
});
after(() => gateway?.remove());

// A sanitizer maps memory and opens files on its own, so its cage is wider; it is not what is proven.
const options = { skip: sanitized, timeout: 60_000 };

async function tryAll() {
  const { json } = await gateway.http('GET', '/probe', { fresh: true });
  assert.ok(Object.keys(json).length >= 15, JSON.stringify(json));
  for (const [attempt, answer] of Object.entries(json)) {
    assert.ok(['EPERM', 'EACCES'].includes(answer), `${attempt}: ${answer}`);
  }
  for (const attempt of ['open', 'create', 'socket-inet', 'socket-inet6', 'connect', 'exec', 'fork']) {
    assert.ok(attempt in json, attempt);
  }
}

test('the kernel refuses files, sockets, connections and programs to the gate', options, tryAll);

test('a gate that was started again is caged, too', options, async () => {
  const first = gateway.part('gate');
  process.kill(first, 'SIGKILL');
  await until('another gate', () => gateway.part('gate') && gateway.part('gate') !== first);
  await gateway.healthy();
  await tryAll();
});

test('neither process can gain rights, and every thread is filtered', options, () => {
  for (const part of ['gate', 'keeper']) {
    const pid = gateway.part(part);
    for (const thread of readdirSync(`/proc/${pid}/task`)) {
      const text = readFileSync(`/proc/${pid}/task/${thread}/status`, 'utf8');
      const field = (name) => text.match(new RegExp(`^${name}:\\s*(.*)$`, 'm'))[1];
      assert.equal(field('Seccomp'), '2', `${part} thread ${thread}`);
      assert.equal(field('NoNewPrivs'), '1', part);
      assert.equal(field('CapEff'), '0000000000000000', part);
      assert.ok(field('Uid').split('\t').every((uid) => uid !== '0'), `${part} is not root`);
    }
  }
});

// The process cannot be dumped, so what it holds and maps is root's to look at.
const look = { ...options, skip: options.skip || (!isRoot && 'only root may look') };

test('the gate holds no file of the state folder', look, () => {
  const pid = gateway.part('gate');
  for (const fd of readdirSync(`/proc/${pid}/fd`)) {
    let target;
    try {
      target = readlinkSync(`/proc/${pid}/fd/${fd}`);
    } catch (error) {
      if (error.code !== 'ENOENT') throw error;
      continue; // a connection that was answered, and has ended meanwhile
    }
    // Besides those: what the kernel counts of its own memory, for the metrics.
    assert.match(target, new RegExp(`^(socket|pipe|anon_inode|/dev/null|/memfd:|/proc/${pid}/statm$)`), `descriptor ${fd}`);
  }
});

test('each process has an address-space layout of its own', look, () => {
  const first = (part) => readFileSync(`/proc/${gateway.part(part)}/maps`, 'utf8').split('-')[0];
  assert.notEqual(first('gate'), first('keeper'));
  assert.equal(status(gateway.part('gate'), 'CapPrm'), '0000000000000000');
});

test('the program that is shipped has no such route', options, async () => {
  const real = await Gateway.make();
  try {
    assert.equal((await real.http('GET', '/probe')).status, 404);
  } finally {
    await real.remove();
  }
});

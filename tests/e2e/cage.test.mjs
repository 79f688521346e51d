// The gate is caged by the kernel: a build with one more route asks the running gate to break out.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { Gateway, binary, sanitized } from './lib/gateway.mjs';
import { status } from './lib/proc.mjs';

const probe = join(dirname(dirname(binary)), 'tests/probe/deskgate-probe');
const skip = sanitized && 'the sanitizers need what the cage forbids';
let gateway;

before(async () => {
  if (!skip) gateway = await Gateway.make({ program: probe });
});
after(() => gateway?.remove());

test('every way out of the cage is closed by the kernel', { skip }, async () => {
  const answer = await gateway.http('GET', '/probe');
  assert.equal(answer.status, 200, answer.body);
  const tried = Object.entries(answer.json);
  for (const name of ['open', 'create', 'socket-inet', 'socket-inet6', 'connect', 'exec', 'fork', 'ptrace']) {
    assert.ok(name in answer.json, `${name} was not tried`);
  }
  assert.deepEqual(tried.filter(([, result]) => result === 'done'), []);
  // Refused by the cage, and not for want of a file or an address.
  for (const [name, result] of tried) assert.match(result, /^(EPERM|EACCES)$/, name);
});

test('a caged gate still serves', { skip }, async () => {
  assert.equal((await gateway.http('GET', '/healthz', { fresh: true })).status, 200);
});

test('the kernel says so: seccomp filters, no new privileges, no capabilities', { skip }, () => {
  const pid = gateway.part('gate');
  assert.equal(status(pid, 'Seccomp'), '2'); // SECCOMP_MODE_FILTER
  assert.equal(status(pid, 'NoNewPrivs'), '1');
  assert.equal(status(pid, 'CapEff'), '0000000000000000');
  assert.equal(status(pid, 'CapPrm'), '0000000000000000');
  const keeper = gateway.part('keeper');
  assert.equal(status(keeper, 'NoNewPrivs'), '1');
  assert.equal(status(keeper, 'Seccomp'), '2');
});

test('the gate has no database and no key of the store open', { skip }, () => {
  const maps = readFileSync(`/proc/${gateway.part('gate')}/maps`, 'utf8');
  assert.doesNotMatch(maps, /deskgate\.db/);
});

test('the real program has no such route', { skip }, async () => {
  const real = await Gateway.make();
  try {
    assert.equal((await real.http('GET', '/probe')).status, 404);
  } finally {
    await real.remove();
  }
});

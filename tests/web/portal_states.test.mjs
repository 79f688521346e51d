// How often, and how many at a time, desktops are asked for their state.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pretend } from './portal_rig.mjs';

const { watchStates } = await import('/portal/states.js');

const NAMES = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'with space'];
const settle = async () => {
  for (let i = 0; i < 200; i++) await Promise.resolve();
};

/** A gateway that answers when told to: open is what waits for it. */
function slowGateway(t, state = 'reachable') {
  const open = [];
  const asked = [];
  pretend(t, 'fetch', (path) => new Promise((resolve, reject) => {
    asked.push(path);
    open.push({ path, ok: () => resolve(new Response(JSON.stringify({ state }))), fail: () => reject(new TypeError('no')) });
  }));
  return { open, asked };
}

function watch(t) {
  const told = [];
  const leave = new AbortController();
  pretend(t, 'document', { visibilityState: 'visible' });
  t.after(() => leave.abort());
  return { told, leave, start: () => watchStates(NAMES, (name, state) => told.push([name, state]), leave.signal) };
}

async function drain(open) {
  let most = 0;
  while (open.length) {
    most = Math.max(most, open.length);
    open.shift().ok();
    // Reading a body takes turns of the loop, not of the microtasks alone; how many, is Node's affair.
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
    await settle();
  }
  return most;
}

test('all are asked, never more than four at a time, each by its own address', async (t) => {
  const { open, asked } = slowGateway(t);
  const { told, start } = watch(t);
  start();
  assert.equal(open.length, 4);
  assert.ok(await drain(open) <= 4);
  assert.deepEqual(told.map(([name]) => name).sort(), [...NAMES].sort());
  assert.ok(asked.includes('/api/desktops/with%20space/state'));
});

test('one that fails is unknown and does not stop the others', async (t) => {
  const { open } = slowGateway(t);
  const { told, start } = watch(t);
  start();
  open.shift().fail();
  await settle();
  await drain(open);
  assert.equal(told.length, NAMES.length);
  assert.deepEqual(told.filter(([, state]) => state === 'unknown'), [['a', 'unknown']]);
});

test('nothing is asked or told after the view is left', async (t) => {
  const { open, asked } = slowGateway(t);
  const { told, leave, start } = watch(t);
  start();
  leave.abort();
  await drain(open);
  assert.equal(asked.length, 4);
  assert.deepEqual(told, []);
});

test('again after half a minute, but only while somebody looks', async (t) => {
  const timers = [];
  pretend(t, 'setTimeout', (call, ms) => timers.push({ call, ms }));
  pretend(t, 'clearTimeout', () => {});
  const { open, asked } = slowGateway(t);
  const { start } = watch(t);
  start();
  await drain(open);
  assert.equal(timers.at(-1).ms, 30_000);

  document.visibilityState = 'hidden';
  timers.at(-1).call();
  await settle();
  assert.equal(asked.length, NAMES.length);

  document.visibilityState = 'visible';
  timers.at(-1).call();
  await settle();
  await drain(open);
  assert.equal(asked.length, 2 * NAMES.length);
});

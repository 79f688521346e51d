// kill -9 of gate, keeper and supervisor in the middle of sign-ins, a hundred times, or as often as it
// can be in four minutes. What was acknowledged is still there, nothing is half there, and the service
// comes back by itself.
import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { after, before, test } from 'node:test';
import { Books } from './lib/books.mjs';
import { Gateway, sanitized } from './lib/gateway.mjs';
import { alive } from './lib/proc.mjs';
import { patience, sleep, until } from './lib/wait.mjs';

const KILLS = sanitized ? 10 : 100;
const LEAST = sanitized ? 10 : 40; // however slow the machine
const LAST_MS = 240_000;
const USERS = sanitized ? 8 : 48;
// The supervisor waits longer before each new start of a child that keeps ending; it is the last of
// each turn because its own end begins that anew.
const TURN = ['gate', 'keeper', 'gate', 'keeper', 'supervisor'];

let gateway, books, users;

before(async () => {
  gateway = await Gateway.make({ conf: { login: { user_failures: 1000, address_failures: 100_000 } } });
  books = new Books(gateway);
  users = Array.from({ length: USERS }, (_, i) => books.addUser(`user${i}`));
});
after(() => gateway?.remove());

const acknowledged = []; // {user, code}
let attempts = 0;
let broken = 0;
let pace = 100; // ms: kills come after up to twice as long, so that they meet about half of the sign-ins

// Three answers: acknowledged, broken off (whatever became of it), or refused, which is wrong.
async function signIn(user) {
  const code = await user.codes.next();
  attempts++;
  try {
    const status = await books.signIn(user, { code });
    if (status === 200) {
      acknowledged.push({ user, code });
      pace = Math.max(10, pace * 0.9);
      return;
    }
    assert.ok(status >= 500, `a right sign-in was refused: ${status}`);
  } catch (error) {
    if (error.code === 'ERR_ASSERTION') throw error;
  }
  broken++;
  pace *= 1.1;
}

async function kill(part) {
  if (part !== 'supervisor') {
    const pid = await until(`there is a ${part}`, () => gateway.part(part));
    process.kill(pid, 'SIGKILL');
    return;
  }
  const children = [gateway.part('gate'), gateway.part('keeper')].filter(Boolean);
  await gateway.stop({ signal: 'SIGKILL' });
  await until('no child outlives the supervisor', () => !children.some(alive));
  await gateway.serve();
}

test(`${KILLS} kills in the middle of sign-ins`, { timeout: 500_000 }, async (t) => {
  let slowest = 0;
  let kills = 0;
  const end = Date.now() + LAST_MS * patience;
  for (; kills < KILLS && (kills < LEAST || Date.now() < end); kills++) {
    const part = TURN[kills % TURN.length];
    const ready = users.filter((user) => user.codes.ready() > 0).slice(0, 1 + (kills & 1));
    users.push(...users.splice(0, 2)); // the next ones' turn
    const work = ready.map(signIn);
    if (kills % 4 === 0) work.push(books.enterDesktop(`desktop${kills}`)); // the command line writes to the same database meanwhile
    await sleep(randomInt(Math.ceil(2 * pace)));
    await kill(part);
    const begun = Date.now();
    await gateway.healthy();
    slowest = Math.max(slowest, Date.now() - begun);
    await Promise.all(work);
  }
  t.diagnostic(`${kills} kills, after ${Math.round(pace)} ms; ${attempts} sign-ins, ${acknowledged.length} acknowledged, ${broken} broken off; ` +
    `back within ${slowest} ms`);
  assert.ok(broken > kills / 10, 'kills met sign-ins');
  assert.ok(acknowledged.length > kills / 10, 'sign-ins met no kill');

  await t.test('every acknowledged session is good', () => books.sessionsGood());
  await t.test('every acknowledged code is used up', async () => {
    const last = new Map(acknowledged.map((one) => [one.user, one]));
    for (const { user, code } of last.values()) assert.equal((await user.signIn({ code })).status, 401, user.name);
  });
  await t.test('nothing is half there', () => books.whole());
});

test('the gate comes back by itself, and the sessions with it', { timeout: 120_000 }, async () => {
  await books.tokenOf(books.addUser('late'));
  const [gate, keeper] = [gateway.part('gate'), gateway.part('keeper')];
  process.kill(gate, 'SIGKILL');
  await until('another gate', () => gateway.part('gate') && gateway.part('gate') !== gate);
  await gateway.healthy();
  assert.equal(gateway.part('keeper'), keeper, 'the keeper stays');
  await books.sessionsGood();
});

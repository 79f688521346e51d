// Waiting, on a machine that has other work: for what happens, and for what must not take long.

// How much slower than usual the gateway may be (scripts/deep).
export const patience = Number(process.env.DESKGATE_PATIENCE ?? 1);
export const sleep = (ms) => new Promise((fulfil) => setTimeout(fulfil, ms));
// A timer that is due runs before what has arrived meanwhile: after this, that has been taken, too. To
// be waited for by whoever concludes from a time that something did not come, since a test that runs a
// command, or a machine with other work, may have held this process up for all of it.
export const caughtUp = () => new Promise((fulfil) => setImmediate(() => setImmediate(fulfil)));

// Calls `over` after so many ms, counted in turns of this process: where it is held up, by a busy machine
// or by a command of its own, those whom it waits for have more time, and what came meanwhile is seen
// first. Returns what calls that off.
export function patiently(ms, over) {
  let turns = 20;
  const timer = setInterval(async () => {
    if (--turns > 0) return;
    clearInterval(timer);
    await caughtUp();
    if (turns === 0) over();
  }, (ms * patience) / turns);
  return () => {
    turns = -1;
    clearInterval(timer);
  };
}

// What is promised comes within so many ms, counted likewise: for what must not be waited for.
export function soon(ms, what, promised) {
  let done;
  const late = new Promise((_, fail) => { done = patiently(ms, () => fail(new Error(`${what}: not within ${ms} ms`))); });
  return Promise.race([promised, late]).finally(done);
}

// Asks until the answer is neither undefined nor false; throws with `what` when time is over. Where asking
// takes long the machine is slow, and time is over when it was asked often enough, too.
export async function until(what, ask, { ms = 30_000, every = 25 } = {}) {
  const begun = Date.now();
  for (let asked = 1; ; asked++) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
    const spent = (Date.now() - begun) / patience;
    if (spent > 4 * ms || (spent > ms && asked > ms / every / 10)) throw new Error(`not within ${ms} ms: ${typeof what === 'function' ? await what() : what}`);
    await sleep(every);
  }
}

// What must take less than `most` ms, which `turn` measures: a busy machine may hold anybody up, but not
// each time; what is slow by itself is so each time.
export async function inTime(most, turn, { turns = 4 } = {}) {
  const took = [];
  while (took.length < turns) {
    took.push(await turn());
    if (took.at(-1) < most * patience) return;
  }
  throw new Error(`not within ${most} ms, ${turns} times: ${took.join(', ')}`);
}

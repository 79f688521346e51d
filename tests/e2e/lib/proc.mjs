// Processes that never outlive the test: each is told by the kernel when its parent dies, and
// stop() asks, waits, and then insists.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { after } from 'node:test';
import { fileURLToPath } from 'node:url';

export const root = resolve(dirname(fileURLToPath(import.meta.url)), '../../..');
// How much slower than usual the gateway may be (scripts/deep).
export const patience = Number(process.env.DESKGATE_PATIENCE ?? 1);
export const sleep = (ms) => new Promise((fulfil) => setTimeout(fulfil, ms));
// A timer that is due runs before what has arrived meanwhile: after this, that has been taken, too. To
// be waited for by whoever concludes from a time that something did not come, since a test that runs a
// command, or a machine with other work, may have held this process up for all of it.
export const caughtUp = () => new Promise((fulfil) => setImmediate(() => setImmediate(fulfil)));

// Loopback is never reached through somebody's proxy.
const PROXIES = ['http_proxy', 'https_proxy', 'HTTPS_PROXY', 'all_proxy', 'ALL_PROXY'];

export function environment(extra = {}) {
  const env = { ...process.env, ...extra };
  for (const name of PROXIES) if (!(name in extra)) delete env[name];
  return env;
}

// A started program: .child, .out and .err (text so far), .ended (a promise of {code, signal}).
export function start(command, args, { env = {}, stdio = ['ignore', 'pipe', 'pipe'], cwd } = {}) {
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', command, ...args],
    { env: environment(env), stdio, cwd });
  const process = { child, command, out: '', err: '' };
  for (const [stream, key] of [[child.stdout, 'out'], [child.stderr, 'err']]) {
    stream?.setEncoding('utf8');
    stream?.on('data', (text) => { process[key] += text; });
  }
  process.ended = once(child, 'close').then(([code, signal]) => ({ code, signal }));
  process.running = () => child.exitCode === null && child.signalCode === null;
  return process;
}

export async function stop(process, { signal = 'SIGTERM', patience: ms = 30_000 } = {}) {
  if (!process) return undefined;
  if (process.running()) process.child.kill(signal);
  const timer = setTimeout(() => process.child.kill('SIGKILL'), ms * patience);
  const result = await process.ended;
  clearTimeout(timer);
  return result;
}

// What a program makes of itself, once `ask` (as for until()) has an answer; one that ends before, or
// takes too long, is stopped.
export async function ready(process, what, ask, options) {
  const said = () => `${process.out}${process.err}`;
  try {
    return await until(() => `${what}\n${said()}`, () => {
      if (!process.running()) throw new Error(`${what}: it ended\n${said()}`);
      return ask();
    }, options);
  } catch (error) {
    await stop(process, { signal: 'SIGKILL' });
    throw error;
  }
}

// Runs to the end; throws with what it said when it fails.
export function run(command, args, { env = {}, input, encoding = 'utf8', allow = false } = {}) {
  const result = spawnSync(command, args,
    { env: environment(env), input, encoding, timeout: 60_000 * patience, maxBuffer: 1 << 28 });
  if (result.error) throw result.error;
  if (result.status !== 0 && !allow) {
    throw new Error(`${command} ${args.join(' ')}: ${result.signal ?? result.status}\n` +
      `${result.stdout}${result.stderr}`);
  }
  return result;
}

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

// What a test that failed has left running would keep this process, and the whole run, waiting for it.
if (process.argv[1]?.endsWith('.test.mjs')) {
  after(() => {
    setTimeout(() => {
      for (const pid of childrenOf(process.pid)) {
        try {
          console.error(`left behind: ${readFileSync(`/proc/${pid}/cmdline`, 'latin1').replaceAll('\0', ' ')}`);
          process.kill(pid, 'SIGKILL');
        } catch { /* it has gone meanwhile */ }
      }
    }, 60_000 * patience).unref();
  });
}

// ---- /proc ----

export function childrenOf(pid) {
  const found = [];
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    try {
      const stat = readFileSync(join('/proc', entry, 'stat'), 'utf8');
      const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      if (Number(parent) === pid && state !== 'Z') found.push(Number(entry));
    } catch { /* it has gone meanwhile */ }
  }
  return found;
}

// A field of /proc/PID/status; memory in KiB as a number.
export function status(pid, field) {
  const text = readFileSync(`/proc/${pid}/status`, 'utf8');
  const value = text.match(new RegExp(`^${field}:\\s*(.*)$`, 'm'))?.[1];
  return value?.endsWith(' kB') ? Number(value.slice(0, -3)) : value;
}

// How many files it has open. A gateway cannot be dumped, so only root may look; 0 for others.
export const descriptors = (pid) => (process.getuid() === 0 ? readdirSync(`/proc/${pid}/fd`).length : 0);

export function alive(pid) {
  try {
    return !/^State:\s*Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

// Narrows a resource of a running process (a name of prlimit(1), the soft limit); what it answers
// with takes that back. In the process's own name, for which no capability is needed.
export function limit(pid, resource, most) {
  const [uid, gid] = ['Uid', 'Gid'].map((field) => status(pid, field).split('\t')[0]);
  const as = (...args) => run('setpriv', ['--reuid', uid, '--regid', gid, '--keep-groups',
    'prlimit', '--pid', String(pid), ...args]).stdout;
  const [soft, hard] = as(`--${resource}`, '--raw', '--noheadings', '--output', 'SOFT,HARD').trim().split(/\s+/);
  as(`--${resource}=${most}:${hard}`);
  return () => as(`--${resource}=${soft}:${hard}`);
}

// Processes that never outlive the test: each is told by the kernel when its parent dies, and
// stop() asks, waits, and then insists.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { after } from 'node:test';
import { fileURLToPath } from 'node:url';
import { patience, until } from './wait.mjs';

export const root = resolve(dirname(fileURLToPath(import.meta.url)), '../../..');

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

// The command line as an administrator has it: the real binary, its exit codes (sysexits.h), its JSON.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterEach, beforeEach } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../../..');
export const binary = resolve(process.env.DESKGATE_BINARY ?? join(root, 'build/server/deskgate'));
export const EX = { OK: 0, USAGE: 64, DATA: 65, NO_ROW: 66, UNAVAILABLE: 69, CANTCREAT: 73, IO: 74 };
export const PASSWORD = 'correct horse battery staple';

export let state; // its folder, each test's own

export function raw(args, { input = '', dir = state, env = {} } = {}) {
  const result = spawnSync(binary, ['--state', dir, ...args],
    { input, encoding: 'utf8', timeout: 60_000, env: { ...process.env, ...env } });
  assert.equal(result.error, undefined);
  assert.equal(result.signal, null, `killed: ${args.join(' ')}\n${result.stderr}`);
  return result;
}

export function good(args, options) {
  const result = raw(args, options);
  assert.equal(result.status, EX.OK, `${args.join(' ')}: ${result.stderr}`);
  return result;
}

export const json = (args, options) => JSON.parse(good([...args, '--json'], options).stdout);

// Fails with this code, and says something that matches.
export function bad(code, words, args, options) {
  const result = raw(args, options);
  assert.equal(result.status, code, `${args.join(' ')}: ${result.stdout}${result.stderr}`);
  assert.match(result.stderr, words);
  return result;
}

export const addUser = (name, password = PASSWORD) => json(['user', 'add', name], { input: `${password}\n` });
export const addDesktop = (name, host = '192.168.10.7', ...more) => good(['desktop', 'add', name, '--host', host, ...more]);
export const audit = (...args) => json(['audit', 'list', ...args]);

// Rows that only a running gateway makes.
export function sql(text) {
  const script = 'import sqlite3,sys\nc=sqlite3.connect(sys.argv[1])\n' +
    'c.execute("PRAGMA foreign_keys=ON")\nc.executescript(sys.argv[2])\nc.commit()\n';
  const result = spawnSync('python3', ['-c', script, join(state, 'deskgate.db'), text],
    { encoding: 'utf8' });
  assert.equal(result.status, 0, result.stderr);
}

// For a file whose tests have a new state folder each.
export function eachAtItsOwn() {
  beforeEach(() => {
    state = mkdtempSync(join(tmpdir(), 'deskgate-cli-'));
    good(['init', '--name', 'localhost', '--listen', '127.0.0.1:8443']);
  });
  afterEach(() => rmSync(state, { recursive: true, force: true }));
}

// "deskgate rdp-file": an .rdp file without a browser, and all that can be in its way.
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { Gateway, PASSWORD, binary } from './lib/gateway.mjs';
import { start, status, stop } from './lib/proc.mjs';
import { WebSocketRdg, ticketIn } from './lib/rdg.mjs';
import { echoServer } from './lib/servers.mjs';
import { until } from './lib/wait.mjs';

const EX = { OK: 0, USAGE: 64, CANTCREAT: 73, PROTOCOL: 76, NOPERM: 77 };
let gateway, desktop, folder, trusted;
let people = 0;

before(async () => {
  gateway = await Gateway.make();
  desktop = await echoServer();
  gateway.addDesktop('office', desktop.port);
  trusted = ['--fingerprint', new X509Certificate(gateway.ca).fingerprint256];
});

after(async () => {
  await gateway?.remove();
  await desktop?.close();
});

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'deskgate-rdp-file-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

// One sign-in's lines, each time of somebody else: a code works once.
async function lines() {
  const user = gateway.addUser(`person${people++}`);
  gateway.grant(user, 'office');
  return [user.name, PASSWORD, await user.codes.next()];
}

// Whether it takes signals in its own time (signalfd), as it does from before its first question.
const takesSignals = (pid) => (BigInt(`0x${status(pid, 'SigBlk')}`) >> 1n & 1n) === 1n; // SIGINT

// Runs it in `folder`, with one sign-in's lines unless there are others. With a signal there is no end
// of them: it asks for the next one.
async function fetch(args, { lines: given, signal } = {}) {
  const process = start(binary, ['rdp-file', '--credentials-fd', '3', ...args], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe', 'pipe'] });
  const { child } = process;
  try {
    child.stdio[3].on('error', () => {});
    const answers = given ?? await lines();
    child.stdio[3].write(answers.map((line) => `${line}\n`).join(''));
    if (signal) {
      await until('it takes signals', () => takesSignals(child.pid));
      child.kill(signal);
    } else child.stdio[3].end();
    const { code } = await process.ended;
    return { code, out: process.out, err: process.err };
  } finally {
    await stop(process, { signal: 'SIGKILL' });
  }
}

const url = () => `https://localhost:${gateway.port}`;
const sessions = () => gateway.json('session', 'list').length;

test('the file, for its owner alone, with a ticket that opens the desktop', async () => {
  const { code, out, err } = await fetch([...trusted, url(), 'office']);
  assert.equal(code, EX.OK, err);
  assert.match(err, /office\.rdp is written/);
  assert.equal(out, '');
  const path = join(folder, 'office.rdp');
  assert.equal(statSync(path).mode & 0o777, 0o600);
  const text = readFileSync(path, 'utf8');
  assert.match(text, /^full address:s:office\r$/m);
  const rdg = await WebSocketRdg.connect(gateway);
  assert.equal((await rdg.open(ticketIn(text))).status, 0, 'the session lives on behind it');
  rdg.drop();
});

test('a file that is there is replaced only when that is meant', async () => {
  assert.equal((await fetch([...trusted, url(), 'office'])).code, EX.OK);
  const before = readFileSync(join(folder, 'office.rdp'), 'utf8');
  const refused = await fetch([...trusted, url(), 'office'], { lines: [] });
  assert.equal(refused.code, EX.CANTCREAT);
  assert.match(refused.err, /office\.rdp is there already; --force/);
  assert.equal(readFileSync(join(folder, 'office.rdp'), 'utf8'), before);
  assert.equal((await fetch([...trusted, '--force', url(), 'office'])).code, EX.OK);
  assert.notEqual(readFileSync(join(folder, 'office.rdp'), 'utf8'), before);
  assert.equal(statSync(join(folder, 'office.rdp')).mode & 0o777, 0o600);
});

test('another place, standard output, and places that will not do', async () => {
  assert.equal((await fetch([...trusted, '-o', 'sub.rdp', url(), 'office'])).code, EX.OK);
  assert.ok(existsSync(join(folder, 'sub.rdp')));
  const { code, out } = await fetch([...trusted, '--output=-', url(), 'office']);
  assert.equal(code, EX.OK);
  assert.equal(ticketIn(out).length, 43);
  mkdirSync(join(folder, 'house'));
  symlinkSync('sub.rdp', join(folder, 'link.rdp'));
  for (const name of ['house', 'link.rdp']) {
    const refused = await fetch([...trusted, '--force', '-o', name, url(), 'office'], { lines: [] });
    assert.equal(refused.code, EX.CANTCREAT, name);
    assert.match(refused.err, /is not a file/);
  }
  const live = sessions();
  const nowhere = await fetch([...trusted, '-o', 'no/such/folder.rdp', url(), 'office']);
  assert.equal(nowhere.code, EX.CANTCREAT);
  assert.match(nowhere.err, /No such file or directory/);
  assert.equal(sessions(), live, 'signed out again: nobody has its ticket');
  assert.deepEqual(readdirSync(folder).sort(), ['house', 'link.rdp', 'sub.rdp'], 'nothing half written stays');
});

test('refusals: desktop, password, certificate, arguments', async () => {
  const none = await fetch([...trusted, url(), 'secret']);
  assert.equal(none.code, EX.NOPERM, none.err);
  const wrong = await fetch([...trusted, url(), 'other'], { lines: ['anna', 'wrong password', '000000'] });
  assert.equal(wrong.code, EX.NOPERM);
  assert.doesNotMatch(wrong.err, /wrong password/);
  const stranger = await fetch([url(), 'other'], { lines: ['anna', PASSWORD, '000000'] });
  assert.equal(stranger.code, EX.PROTOCOL);
  for (const args of [[], [url()], [url(), 'a', 'b'], [url(), 'a b'], ['--listen', '127.0.0.1:0', url(), 'a'], [url(), 'a', '--', 'xfreerdp'], ['-o', '', url(), 'a']]) {
    const usage = await fetch(args, { lines: [] });
    assert.equal(usage.code, EX.USAGE, args.join(' '));
    assert.match(usage.err, /^deskgate rdp-file: .*\nTry: deskgate rdp-file --help\n$/);
  }
});

test('a signal in the middle of a question leaves nothing', async () => {
  const { code } = await fetch([...trusted, '-o', 'never.rdp', url(), 'office'], { lines: ['anna'], signal: 'SIGINT' });
  assert.equal(code, 130);
  assert.ok(!existsSync(join(folder, 'never.rdp')));
});

test('a folder that may not be written', { skip: process.getuid() === 0 && 'root may write anywhere' }, async () => {
  mkdirSync(join(folder, 'closed'));
  chmodSync(join(folder, 'closed'), 0o500);
  writeFileSync(join(folder, 'x'), '');
  const { code } = await fetch([...trusted, '-o', 'closed/a.rdp', url(), 'office']);
  assert.equal(code, EX.CANTCREAT);
});

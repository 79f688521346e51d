// The audit log on its way to syslog: TLS with octet counting (RFC 5425) to a receiver of the test's
// own, and a local datagram socket; nothing is lost, and a receiver that stands still holds up nobody.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { createServer } from 'node:tls';
import { FAKETIME, noFaketime } from './lib/faketime.mjs';
import { Gateway } from './lib/gateway.mjs';
import { run, start, stop } from './lib/proc.mjs';
import { freePort } from './lib/servers.mjs';
import { sleep, until } from './lib/wait.mjs';

const MESSAGE = /^<(\d{1,3})>1 (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z) (\S+) deskgate - (\S{1,32}) \[origin software="deskgate" swVersion="[^"]+"\]\[meta sequenceId="(\d+)"\] (\{.*\})$/;
let gateway, receiver;

function pairFor(name) {
  const made = run('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes',
    '-keyout', '-', '-days', '2', '-subj', `/CN=${name}`, '-addext', `subjectAltName=DNS:${name}`]).stdout;
  return { key: made.slice(made.indexOf('-----BEGIN PRIVATE'), made.indexOf('-----BEGIN CERT')), cert: made.slice(made.indexOf('-----BEGIN CERT')) };
}

// RFC 5424, as strictly as we write it; the row is .row.
function parse(message) {
  const found = MESSAGE.exec(message);
  assert.ok(found, message);
  assert.match(message, /^[\x20-\x7e]*$/, 'printable ASCII alone: no byte order mark is needed');
  const [, priority, at, host, event, sequence, json] = found;
  return { priority: Number(priority), at, host, event, sequence: Number(sequence), row: JSON.parse(json) };
}

// A receiver of syslog over TLS: .messages; .read = false stands still.
class Receiver {
  messages = [];
  sockets = new Set();
  refused = [];
  read = true;

  static async make(name = 'localhost') {
    const made = new Receiver();
    made.pair = pairFor(name);
    await made.listen(await freePort()); // it comes back to it
    return made;
  }

  async listen(port) {
    this.server = createServer({ ...this.pair, minVersion: 'TLSv1.2' }, (socket) => this.take(socket));
    this.server.on('tlsClientError', (error) => this.refused.push(error.message));
    this.server.listen(port, '127.0.0.1');
    await once(this.server, 'listening');
    this.port = port;
  }

  take(socket) {
    let buffer = Buffer.alloc(0);
    this.sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => this.sockets.delete(socket));
    if (!this.read) {
      socket.pause();
      return;
    }
    socket.on('data', (piece) => {
      buffer = Buffer.concat([buffer, piece]);
      for (;;) {
        const space = buffer.indexOf(' ');
        if (space < 0) return;
        const digits = buffer.subarray(0, space).toString();
        assert.match(digits, /^[1-9]\d{0,4}$/, 'octet counting');
        if (buffer.length < space + 1 + Number(digits)) return;
        this.messages.push(parse(buffer.subarray(space + 1, space + 1 + Number(digits)).toString()));
        buffer = buffer.subarray(space + 1 + Number(digits));
      }
    });
  }

  async close() {
    for (const socket of this.sockets) socket.destroy();
    if (this.server.listening) await new Promise((fulfil) => { this.server.close(fulfil); });
  }
}

const ids = () => receiver.messages.map(({ row }) => row.id);
const newest = () => gateway.audit('--last', '1')[0].id;
const has = (name) => receiver.messages.some(({ row }) => row.event === 'group-add' && row.detail.includes(name));
const add = (name) => gateway.cli('group', 'add', name);

beforeEach(async () => {
  receiver = await Receiver.make();
  gateway = await Gateway.make({ serve: false });
  writeFileSync(join(gateway.folder, 'syslog.pem'), receiver.pair.cert, { mode: 0o644 });
  gateway.configure({ audit: { syslog: `tls://localhost:${receiver.port}`, authorities: join(gateway.folder, 'syslog.pem') } });
  add('before');
  await gateway.serve();
});

afterEach(async () => {
  await gateway?.remove();
  await receiver?.close();
});

// The receiver has had a row.
async function connected() {
  await gateway.said(/the audit log is forwarded/);
  add('first');
  await until('the first row is there', () => has('first'));
}

// The receiver has had one, and is gone.
async function lost() {
  await connected();
  await receiver.close();
  await gateway.said(/receiver of the audit log was lost/);
}

test('rows arrive over TLS, in order, as RFC 5424 says', async () => {
  gateway.addUser('anna');
  await until('the log says so', () => gateway.log.includes('the audit log is forwarded'));
  await gateway.login({ username: 'ann\u00e4\n<1>', password: 'x', code: '000000' });
  gateway.cli('desktop', 'add', 'desk', '--host', '10.0.0.1');
  await until('all are there', () => ids().at(-1) === newest());
  assert.equal(receiver.messages.some(({ row }) => row.detail.includes('before')), false, 'it begins when it is asked for');
  assert.deepEqual(ids(), ids().map((_, i) => ids()[0] + i), 'each once, without a gap');
  const denied = receiver.messages.find(({ row }) => row.event === 'sign-in');
  assert.equal(denied.priority, 10 * 8 + 4);
  assert.equal(denied.event, 'sign-in');
  assert.equal(denied.host, 'localhost');
  const act = receiver.messages.find(({ row }) => row.event === 'desktop-add');
  assert.equal(act.priority, 10 * 8 + 5);
  assert.equal(act.sequence, act.row.id);
  const exported = gateway.cli('audit', 'export', '--format', 'json').stdout.trim().split('\n').map((line) => JSON.parse(line));
  for (const { row, at } of receiver.messages) {
    assert.deepEqual(row, exported.find(({ id }) => id === row.id));
    assert.equal(at, row.at);
  }
});

test('what happens while the receiver is away arrives when it is back', async () => {
  await connected();
  const { port } = receiver;
  await receiver.close();
  for (let i = 0; i < 20; i++) add(`away${i}`);
  const before = newest();
  await until('it is logged', () => /audit log cannot be forwarded|receiver of the audit log was lost/.test(gateway.log));
  await receiver.listen(port);
  await until('all are there', () => has('away19'), { ms: 40_000 });
  const seen = new Set(ids()), [first, last] = [ids()[0], ids().at(-1)];
  for (let id = first; id <= last; id++) assert.ok(seen.has(id), `row ${id}`);
  assert.ok(last >= before, 'all that was written meanwhile');
});

test('also over a restart of the gateway and a kill of its parts', async () => {
  await connected();
  for (const part of ['syslog', 'keeper']) {
    process.kill(await until(`there is a ${part}`, () => gateway.part(part)), 'SIGKILL');
    add(`kill-${part}`);
    await until(`${part} was replaced`, () => has(`kill-${part}`), { ms: 30_000 });
    await gateway.healthy();
  }
  await gateway.stop();
  add('stopped');
  await gateway.serve();
  await until('it arrives', () => has('stopped'), { ms: 30_000 });
  const last = newest();
  await until('the last one arrives', () => ids().includes(last));
  const seen = new Set(ids());
  for (let id = ids()[0]; id <= last; id++) assert.ok(seen.has(id), `row ${id}`);
});

test('a receiver that stands still holds up nobody', async () => {
  await connected();
  const { port } = receiver;
  await receiver.close();
  receiver.read = false;
  await receiver.listen(port);
  await until('it is connected', () => receiver.sockets.size > 0, { ms: 40_000 });
  for (let i = 0; i < 60; i++) add(`still${i}`);
  const begun = Date.now();
  const answers = await Promise.all(Array.from({ length: 8 }, () => gateway.login({ username: 'nobody', password: 'x', code: '000000' })));
  assert.ok(answers.every(({ status }) => status === 401 || status === 429));
  assert.ok(Date.now() - begun < 20_000);
  await receiver.close();
  receiver.read = true;
  await receiver.listen(port);
  await until('all are there', () => has('still59'), { ms: 60_000 });
  for (let i = 0; i < 60; i++) assert.ok(has(`still${i}`), `still${i}`);
});

test('a certificate of another name gets nothing', async () => {
  const other = await Receiver.make('elsewhere.example');
  try {
    writeFileSync(join(gateway.folder, 'syslog.pem'), other.pair.cert, { mode: 0o644 });
    await gateway.stop();
    gateway.configure({ audit: { syslog: `tls://localhost:${other.port}` } });
    gateway.log = '';
    await gateway.serve();
    add('secret');
    await until('it is refused', () => /cannot be forwarded.*(name|certificate)/i.test(gateway.log));
    await sleep(700);
    assert.equal(other.messages.length, 0);
    // nor does one that nobody signed
    writeFileSync(join(gateway.folder, 'syslog.pem'), receiver.pair.cert, { mode: 0o644 });
    await gateway.stop();
    gateway.log = '';
    await gateway.serve();
    await until('it is refused', () => /cannot be forwarded.*certificate/i.test(gateway.log));
    assert.equal(other.messages.length, 0);
  } finally {
    await other.close();
  }
});

test('no row leaves the database before the receiver has it', async () => {
  await lost();
  add('waiting');
  const first = gateway.audit()[0].id;
  await sleep(1100);
  const said = gateway.cli('audit', 'archive', '--before', '0s', join(gateway.folder, 'some.jsonl')).stdout;
  assert.match(said, /Rows 1 to \d+ are in/);
  assert.equal(first, 1);
  assert.ok(gateway.audit().some(({ detail }) => detail.includes('waiting')), 'what waits stays');
  assert.equal(gateway.cli('audit', 'verify').status, 0);
});

test('a local socket gets the same, and one that comes and goes', async (t) => {
  const path = join(gateway.folder, 'log');
  const listen = () => start('python3', ['-u', '-c',
    'import os,socket,sys\ns=socket.socket(socket.AF_UNIX,socket.SOCK_DGRAM)\ns.bind(sys.argv[1])\nos.chmod(sys.argv[1],0o666)\nprint("ready")\nwhile True: print(s.recv(65536).decode())', path]);
  let syslog = listen(), text = '';
  t.after(() => stop(syslog));
  const messages = () => text.split('\n').filter((line) => line.startsWith('<')).map(parse);
  const watch = () => syslog.child.stdout.setEncoding('utf8').on('data', (piece) => { text += piece; });
  watch();
  await until('it listens', () => text.includes('ready'));
  await lost();
  add('waiting');
  await gateway.stop();
  gateway.configure({ audit: { syslog: `local:${path}` } });
  await gateway.serve();
  add('local');
  await until('it is there', () => messages().some(({ row }) => row.detail.includes('local') && row.event === 'group-add'));
  assert.ok(messages().some(({ row }) => row.detail.includes('waiting')), 'what waited, too');
  await stop(syslog);
  rmSync(path);
  add('gone');
  syslog = listen();
  watch();
  await until('it is there', () => messages().some(({ row }) => row.detail.includes('gone')), { ms: 30_000 });
  await stop(syslog);
  assert.match(readFileSync(join(gateway.state, 'deskgate.conf'), 'utf8'), /local:/);
});

test('keep_days: the running gateway archives by itself', { skip: noFaketime }, async (t) => {
  const other = await Gateway.make({ serve: false, conf: { audit: { keep_days: 30 } } });
  t.after(() => other.remove());
  Object.assign(process.env, { LD_PRELOAD: FAKETIME, FAKETIME: '-40d' });
  try {
    other.cli('group', 'add', 'of-old');
  } finally {
    delete process.env.LD_PRELOAD;
    delete process.env.FAKETIME;
  }
  await other.serve();
  const folder = join(other.state, 'audit');
  const archives = () => (existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.jsonl')) : []);
  await until(() => `the old rows are in an archive\n${other.log}`, () => archives().length === 1);
  assert.match(readFileSync(join(folder, archives()[0]), 'utf8'), /of-old/);
  await until('it is on record', () => other.audit('--event', 'audit-archive').length === 1);
});

test('rows that went into an archive while nothing was forwarded do not stop it', async (t) => {
  const other = await Gateway.make({ serve: false });
  const path = join(other.folder, 'log');
  const syslog = start('python3', ['-u', '-c',
    'import os,socket,sys\ns=socket.socket(socket.AF_UNIX,socket.SOCK_DGRAM)\ns.bind(sys.argv[1])\nos.chmod(sys.argv[1],0o666)\nprint("ready")\nwhile True: print(s.recv(65536).decode())', path]);
  let text = '';
  syslog.child.stdout.setEncoding('utf8').on('data', (piece) => { text += piece; });
  t.after(async () => {
    await stop(syslog);
    await other.remove();
  });
  await until('it listens', () => text.includes('ready'));
  other.configure({ audit: { syslog: `local:${path}` } });
  await other.serve();
  other.cli('group', 'add', 'first');
  await until('it is there', () => text.includes('group first'));
  await other.stop();
  other.configure({ audit: { syslog: '' } });
  // More rows than are ever under way at a time, and into an archive with them.
  const groups = Array.from({ length: 600 }, (_, i) => `g${i}`);
  const people = groups.flatMap((name, i) => (i % 60 ? [] : [`p${i},"${groups.slice(i, i + 60).join(';')}"`]));
  writeFileSync(join(other.folder, 'people.csv'), `name,groups\n${people.join('\n')}\n`);
  other.cli('user', 'import', join(other.folder, 'people.csv'));
  await sleep(1100); // 0s ago is a whole second
  assert.match(other.cli('audit', 'archive', '--before', '0s', join(other.folder, 'some.jsonl')).stdout, /Rows 1 to \d{3,} are in/);
  other.configure({ audit: { syslog: `local:${path}` } });
  await other.serve();
  other.cli('group', 'add', 'afterwards');
  await until('it is there', () => text.includes('group afterwards'));
  await until('and known to be', () => /Rows \d+ to \d+ are in/.test(other.cli('audit', 'archive', '--before', '0s', join(other.folder, `${Date.now()}.jsonl`)).stdout));
});

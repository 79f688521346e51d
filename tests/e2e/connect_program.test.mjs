// The RDP client that deskgate connect starts: its program, the address that it gets, and its end.
import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { dial, read, run, start } from './connect/client.mjs';
import { echo, startGateway } from './connect/gateway.mjs';
import { identity } from './connect/identity.mjs';
import { soon } from './lib/wait.mjs';

const EX = { OK: 0, NOTHING: 127 };
let own, gateway, folder;
let codes = 100000;

before(async () => {
  own = identity();
  gateway = await startGateway(own);
  folder = mkdtempSync(join(tmpdir(), 'deskgate-program-'));
});
after(() => {
  gateway?.stop();
  own?.remove();
  if (folder) rmSync(folder, { recursive: true, force: true });
});

const login = () => ['anna', gateway.password, String(codes++)];
const args = (...more) => ['--fingerprint', own.fingerprint, '--retry', '0', ...more];
const url = () => `https://localhost:${gateway.port}`;

// ---- the address ----

const addressOf = async (name) => {
  const client = start(args(url(), name), { credentials: login() });
  const address = await client.ready;
  return { client, address };
};

async function ends({ client }) {
  client.child.kill('SIGTERM');
  const result = await client.ended;
  assert.equal(result.code, EX.OK, result.err);
  return result;
}

test('a desktop has the same port each time, under which an RDP client remembers its certificate', async () => {
  const first = await addressOf('pc');
  const beside = await addressOf('pc');
  const other = await addressOf('other');
  assert.notEqual(first.address, beside.address);
  assert.notEqual(first.address, other.address);
  assert.match((await ends(beside)).err, new RegExp(`${first.address}.* is in use.* ${beside.address} this time`));
  await ends(other);
  await ends(first);
  const again = await addressOf('pc');
  assert.equal(again.address, first.address);
  assert.match(again.address, /^127\.0\.0\.1:[2-5]\d{4}$/);
  assert.doesNotMatch((await ends(again)).err, /in use/);
  const wished = start(args('--listen', '127.0.0.1:0', url(), 'pc'), { credentials: login() });
  assert.notEqual(await wished.ready, first.address);
  wished.child.kill('SIGTERM');
  await wished.ended;
});

// ---- the program ----

function program(name, says) {
  const path = join(folder, name);
  writeFileSync(path, `#!/bin/sh\necho ${says} "$@"\nexit 4\n`);
  chmodSync(path, 0o755);
  return path;
}

test('FreeRDP is started by the name that it has here', async (t) => {
  const env = { PATH: folder };
  const go = (...more) => run(args(url(), 'pc', ...more), { credentials: login(), env });
  for (const [here, asked] of [['xfreerdp3', 'xfreerdp'], ['xfreerdp', 'xfreerdp3']]) {
    const path = program(here, 'I-am');
    t.after(() => rmSync(path, { force: true }));
    for (const more of [['--exec', ` ${asked} /v:{} '/u:a b'`], ['--', asked, '/v:{}', '/u:a b']]) {
      const result = await go(...more);
      assert.equal(result.code, 4, result.err);
      assert.match(result.out.toString(), /^I-am \/v:127\.0\.0\.1:\d+ \/u:a b\n$/);
      assert.match(result.err, new RegExp(`${asked} is called ${here} here`));
    }
    rmSync(path);
  }
  const both = [program('xfreerdp', 'two'), program('xfreerdp3', 'three')];
  t.after(() => both.forEach((path) => rmSync(path, { force: true })));
  assert.equal((await go('--', 'xfreerdp')).out.toString(), 'two\n');
  assert.equal((await go('--', 'xfreerdp3')).out.toString(), 'three\n');
});

test('a program that is not there is told before anybody signs in', async () => {
  const asked = gateway.seen.length;
  for (const more of [['--exec', 'no-such-client /v:{}'], ['--exec', '/nonexistent/rdp /v:{}'], ['--', 'no-such-client', '/v:{}'],
    ['--', '/nonexistent/rdp'], ['--exec', 'xfreerdp /v:{}']]) {
    const result = await run(args(url(), 'pc', ...more), { credentials: login(), env: { PATH: folder } });
    assert.equal(result.code, EX.NOTHING, more.join(' ') + result.err);
    assert.match(result.err, /cannot start (no-such-client|\/nonexistent\/rdp|xfreerdp): .*not.* here/);
  }
  assert.equal(gateway.seen.length, asked);
});

test('what only the shell knows is no program that is missing', async () => {
  for (const command of ['exit 4', '(exit 4)', 'f() { return 4; }; f', 'X=4; exit $X', 'if true; then exit 4; fi', '"exit" 4']) {
    const result = await run(args('--exec', command, url(), 'pc'), { credentials: login() });
    assert.equal(result.code, 4, command + result.err);
  }
});

// ---- its end ----

// As a second Remmina does: tells another process, and ends with 0.
const HANDED = /has handed over/;

test('an RDP client that hands over to another ends nothing: that ends with its connection', async () => {
  const client = start(args('--exec', 'exit 0', url(), 'pc'), { credentials: login() });
  const address = await client.ready;
  await client.says(HANDED);
  const one = await dial(address);
  one.write('one');
  assert.equal((await read(one, 3)).toString(), 'one');
  one.destroy(); // it signs in, asks something, and comes back
  await client.says(/ends in 20 s/);
  const two = await dial(address);
  two.write('two');
  assert.equal((await read(two, 3)).toString(), 'two');
  two.destroy();
  const result = await soon(40_000, 'its end', client.ended);
  assert.equal(result.code, EX.OK, result.err);
  assert.equal(gateway.tokens.size, 0, 'signed out');
});

test('one that hands over its connection is waited for, too; and Ctrl-C ends it', async () => {
  // The connection outlives the process that the client started.
  const script = 'const [a]=process.argv.slice(1);const at=a.lastIndexOf(":");' +
    'const s=require("net").connect(+a.slice(at+1),a.slice(0,at));s.on("error",()=>process.exit());s.on("close",()=>process.exit());s.write("x");s.once("data",()=>console.log("there"))';
  const client = start(args('--exec', `${process.execPath} -e '${script}' {} & sleep 2`, url(), 'pc'), { credentials: login() });
  await client.says(HANDED);
  assert.doesNotMatch(client.err, /connection 1 ended/);
  client.child.kill('SIGINT');
  const result = await soon(20_000, 'its end', client.ended);
  assert.equal(result.code, EX.OK, result.err);
});

// Talks once, and ends with this code.
const ONCE = `${process.execPath} -e '` + 'const [a,code]=process.argv.slice(1);const at=a.lastIndexOf(":");' +
  `const s=require("net").connect(+a.slice(at+1),a.slice(0,at));s.write("x");s.once("data",()=>process.exit(+code))' {}`;

async function doesItsWork(code) {
  const client = start(args('--exec', `${ONCE} ${code}`, url(), 'pc'), { credentials: login() });
  const result = await soon(15_000, 'its end', client.ended);
  assert.equal(result.code, code, result.err);
  assert.doesNotMatch(result.err, HANDED);
}

test('an RDP client that has done its work ends it at once, as does one that failed', async () => {
  for (const code of [0, 3]) await doesItsWork(code);
});

test('also where the gateway does not answer the goodbye', async (t) => {
  gateway.rules['GET /tunnel/pc'] = (request, socket) => echo(request, socket, '', true);
  t.after(() => delete gateway.rules['GET /tunnel/pc']);
  await doesItsWork(0);
});

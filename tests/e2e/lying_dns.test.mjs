// Names that lie: the gateway resolves a desktop's name, checks every address, and dials none but
// one that it checked. In a network of the test's own, with a resolver that answers as it likes and
// a canary that listens on every address of this machine.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Gateway, isRoot } from './lib/gateway.mjs';
import { sleep } from './lib/proc.mjs';
import { RawSocket } from './lib/wire.mjs';

const INSIDE = process.env.DESKGATE_OWN_NETWORK === '1';
const HERE = '10.77.0.1';
const THERE = '10.77.0.2'; // the desktop's machine, across a wire
const PORT = 3389; // of a network where nobody else is

function sh(command) {
  const done = spawnSync('sh', ['-ec', command], { encoding: 'utf8' });
  assert.equal(done.status, 0, `${command}: ${done.stderr}`);
}

if (!INSIDE) {
  test('in a network of its own', { skip: isRoot ? false : 'only root can make one' }, (t) => {
    const env = { ...process.env, DESKGATE_OWN_NETWORK: '1' };
    delete env.NODE_TEST_CONTEXT;
    const done = spawnSync('unshare', ['--net', '--mount', process.execPath, fileURLToPath(import.meta.url)],
      { encoding: 'utf8', env, timeout: 120_000 });
    assert.equal(done.status, 0, done.stdout + done.stderr);
    t.diagnostic(/^# pass \d+$/m.exec(done.stdout)?.[0] ?? '');
  });
} else {
  let gateway, token, resolver, canary, machine, folder;
  const bites = []; // whoever reaches the canary
  const zone = {}; // name: (type) => addresses; null: no answer, 'none': NXDOMAIN

  const bytesOf = (address) => (address.includes(':') ? ipv6(address) : Buffer.from(address.split('.').map(Number)));

  function ipv6(address) {
    const [head, tail] = address.split('::').map((part) => (part ? part.split(':').map((word) => parseInt(word, 16)) : []));
    const words = tail ? [...head, ...Array(8 - head.length - tail.length).fill(0), ...tail] : head;
    return Buffer.concat(words.map((word) => Buffer.from([word >> 8, word & 255])));
  }

  function nameOf(query) {
    const labels = [];
    let at = 12;
    for (; query[at]; at += query[at] + 1) labels.push(query.toString('ascii', at + 1, at + 1 + query[at]));
    return { name: labels.join('.'), end: at + 5, type: query.readUInt16BE(at + 1) };
  }

  function reply(query) {
    const { name, end, type } = nameOf(query);
    const told = zone[name]?.(type === 28) ?? 'none';
    if (told === 'silence') return null;
    const records = told === 'none' ? [] : told.filter((one) => one.includes(':') === (type === 28)).map((one) => {
      const data = bytesOf(one);
      const head = Buffer.from([0xc0, 12, 0, type, 0, 1, 0, 0, 0, 0, 0, data.length]);
      return Buffer.concat([head, data]);
    });
    const header = Buffer.alloc(12);
    header.writeUInt16BE(query.readUInt16BE(0), 0);
    header.writeUInt16BE(told === 'none' ? 0x8183 : 0x8180, 2);
    header.writeUInt16BE(1, 4);
    header.writeUInt16BE(records.length, 6);
    return Buffer.concat([header, query.subarray(12, end), ...records]);
  }

  async function listenEverywhere() {
    canary = createServer((socket) => {
      bites.push(socket.localAddress);
      socket.destroy();
    });
    canary.listen(PORT, '::');
    await once(canary, 'listening');
  }

  async function otherMachine() {
    const holder = spawn('unshare', ['--net', 'sleep', '600'], { stdio: 'ignore' });
    holder.unref();
    await sleep(300);
    sh(`ip link set lo up
      ip link add here type veth peer name there netns ${holder.pid}
      ip addr add ${HERE}/24 dev here && ip link set here up
      nsenter -t ${holder.pid} -n ip addr add ${THERE}/24 dev there
      nsenter -t ${holder.pid} -n ip link set there up`);
    const echo = spawn('nsenter', ['-t', String(holder.pid), '-n', process.execPath, '-e',
      `require('net').createServer((s) => s.on('error', () => {}).pipe(s)).listen(${PORT}, '${THERE}', () => console.log('up'))`],
    { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(echo.stdout, 'data');
    return { stop() {
      echo.kill('SIGKILL');
      holder.kill('SIGKILL');
    } };
  }

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'deskgate-dns-'));
    writeFileSync(join(folder, 'resolv.conf'), 'nameserver 127.0.0.1\noptions timeout:1 attempts:1\n', { mode: 0o644 });
    sh(`mount --make-rprivate / && mount --bind ${join(folder, 'resolv.conf')} ${realpathSync('/etc/resolv.conf')}`);
    machine = await otherMachine();
    resolver = createSocket('udp4', (query, from) => {
      const answer = reply(query);
      if (answer) resolver.send(answer, from.port, from.address);
    });
    resolver.bind(53, '127.0.0.1');
    await once(resolver, 'listening');
    await listenEverywhere();
    gateway = await Gateway.make({ conf: { dial: { allow: 'private', seconds: 4 } } });
    token = await gateway.addUser('anna').token();
  });
  after(async () => {
    await gateway?.remove();
    resolver?.close();
    canary?.close();
    machine?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  let names = 0;
  // A desktop whose name has these addresses.
  function desktop(answers) {
    const name = `d${names++}`;
    zone[`${name}.test`] = typeof answers === 'function' ? answers : () => answers;
    gateway.addDesktop(name, PORT, `${name}.test`);
    gateway.grant('anna', name);
    return name;
  }

  // "reached", or the gateway's word for why not.
  async function open(name) {
    const wire = await gateway.wire();
    const { ws, answer } = await RawSocket.open(wire, `/tunnel/${name}`, { Host: `localhost:${gateway.port}`, Authorization: `Bearer ${token}` });
    if (!ws) return JSON.parse(answer.body).error;
    wire.end();
    return 'reached';
  }

  test('an honest name is reached', async () => {
    assert.equal(await open(desktop([THERE])), 'reached');
    assert.deepEqual(bites, []);
  });

  for (const address of ['127.0.0.1', '127.1.2.3', '::1', '0:0:0:0:0:ffff:7f00:1', '0.0.0.0', '::', HERE, '169.254.169.254',
    'fe80::1', 'fd00:ec2::254', '224.0.0.1', 'ff02::1', '255.255.255.255', '192.0.2.1', '64:ff9b::7f00:1']) {
    test(`a name that points to ${address} is not dialled`, async () => {
      assert.equal(await open(desktop([address])), 'desktop_address');
      assert.deepEqual(bites, []);
    });
  }

  test('bad addresses among good ones are left out, whatever their order', async () => {
    for (const answers of [['127.0.0.1', '::1', HERE, THERE], [THERE, '127.0.0.1', '::1', HERE]]) {
      assert.equal(await open(desktop(answers)), 'reached');
    }
    assert.deepEqual(bites, []);
  });

  test('a name that changes its mind: each opening resolves once, and dials what was checked', async () => {
    let asked = 0;
    const turns = desktop((v6) => {
      if (v6) return [];
      return [asked++ % 2 ? '127.0.0.1' : THERE]; // good when looked at, bad at the second look
    });
    const told = [];
    for (let i = 0; i < 8; i++) told.push(await open(turns));
    assert.deepEqual(told, Array.from({ length: 8 }, (_, i) => (i % 2 ? 'desktop_address' : 'reached')));
    assert.equal(asked, 8);
    assert.deepEqual(bites, []);
  });

  test('no such name, and no answer', async () => {
    assert.equal(await open(desktop('none')), 'desktop_name');
    const begun = Date.now();
    assert.match(await open(desktop('silence')), /^desktop_(name|asleep)$/);
    assert.ok(Date.now() - begun < 8000);
    assert.equal(await open(desktop([THERE])), 'reached', 'and the next one is served');
  });

  test('what is the machine\'s own is dialled when it is allowed by name', async () => {
    await gateway.stop();
    gateway.configure({ dial: { allow: 'private, own' } });
    await gateway.serve();
    assert.equal(await open(desktop([HERE])), 'reached');
    assert.equal(bites.length, 1);
  });
}

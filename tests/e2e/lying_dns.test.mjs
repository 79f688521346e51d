// Names that lie: the gateway resolves a desktop's name, checks every address, and dials none but
// one that it checked. In a network of the test's own, with a resolver that answers as it likes and
// a canary that listens on every address of this machine.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Gateway } from './lib/gateway.mjs';
import { Machine, within } from './lib/namespace.mjs';
import { Resolver } from './lib/resolver.mjs';
import { RawSocket } from './lib/wire.mjs';

const HERE = '10.77.0.1';
const THERE = '10.77.0.2'; // the desktop's machine, across a wire
const PORT = 3389; // of a network where nobody else is
const DESKTOP = `require('net').createServer((s) => s.on('error', () => {}).pipe(s)).listen(${PORT}, '${THERE}', () => console.log('up'))`;

if (within(fileURLToPath(import.meta.url), ['--net', '--mount'], { name: 'in a network of its own' })) {
  let gateway, token, resolver, canary, machine, folder;
  const bites = []; // whoever reaches the canary

  async function listenEverywhere() {
    canary = createServer((socket) => {
      bites.push(socket.localAddress);
      socket.destroy();
    });
    canary.listen(PORT, '::');
    await once(canary, 'listening');
  }

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'deskgate-dns-'));
    machine = await Machine.start(HERE, [THERE]);
    await machine.run(DESKTOP);
    // It is in this process, which a busy machine may keep waiting.
    resolver = await Resolver.start(folder, 'timeout:10 attempts:1');
    await listenEverywhere();
    gateway = await Gateway.make({ conf: { dial: { allow: 'private', seconds: 5 } } });
    token = await gateway.addUser('anna').token();
  });
  after(async () => {
    await gateway?.remove();
    resolver?.close();
    canary?.close();
    machine?.stop();
    if (folder) rmSync(folder, { recursive: true, force: true });
  });

  let names = 0;
  // A desktop whose name has these addresses.
  function desktop(answers) {
    const name = `d${names++}`;
    resolver.zone[`${name}.test`] = typeof answers === 'function' ? answers : () => answers;
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
    assert.ok(Date.now() - begun < 9000); // not the resolver's 10 s
    assert.equal(await open(desktop([THERE])), 'reached', 'and the next one is served');
  });

  test('what is the machine\'s own is dialled when it is allowed by name', async (t) => {
    const allow = async (what) => {
      await gateway.stop();
      gateway.configure({ dial: { allow: what } });
      await gateway.serve();
      bites.splice(0);
    };
    t.after(() => allow('private'));
    await allow('private, own');
    assert.equal(await open(desktop([HERE])), 'reached');
    assert.equal(bites.length, 1);
  });
}

// The tunnel client and the real gateway: sign-in, bytes, and the ways in which an administrator
// ends what a person does.
import assert from 'node:assert/strict';
import { randomBytes, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import { dial, read, run, start } from './connect/client.mjs';
import { Gateway, PASSWORD } from './lib/gateway.mjs';
import { deadPort, echoServer, freePort } from './lib/servers.mjs';
import { inTime, until } from './lib/wait.mjs';

const EX = { OK: 0, UNAVAILABLE: 69, NOPERM: 77 };
let gateway, desktop, args;

before(async () => {
  gateway = await Gateway.make({ conf: { server: { listen: `127.0.0.1:${await freePort()}` } } }); // the same after a restart
  desktop = await echoServer();
  gateway.addDesktop('echo', desktop.port);
  gateway.addDesktop('refusing', await deadPort());
  const { fingerprint256 } = new X509Certificate(gateway.ca);
  args = ['--fingerprint', fingerprint256, '--retry', '0', `https://localhost:${gateway.port}`];
});

after(async () => {
  await gateway?.remove();
  await desktop?.close();
});

let people = 0;

// Somebody with a grant to both desktops; lines() are the credentials for one sign-in.
function person() {
  const user = gateway.addUser(`person${people++}`);
  for (const name of ['echo', 'refusing']) gateway.grant(user, name);
  user.lines = async () => [user.name, PASSWORD, await user.codes.next()];
  return user;
}

async function connected(user, options = {}) {
  const client = start([...args, 'echo'], { credentials: await user.lines(), ...options });
  const address = await client.ready;
  const socket = await dial(address);
  socket.write('x');
  await read(socket, 1);
  return { client, address, socket };
}

async function ended(client) {
  client.child.kill('SIGTERM');
  const result = await client.ended;
  assert.equal(result.code, EX.OK, result.err);
  return result;
}

test('bytes reach the desktop and come back unchanged; at the end nobody is signed in', async () => {
  const user = person();
  const client = start([...args, 'echo'], { credentials: await user.lines() });
  const address = await client.ready;
  assert.ok(gateway.json('session', 'list').some((session) => session.user === user.name));
  await Promise.all(Array.from({ length: 8 }, async () => {
    const data = randomBytes(3_000_000);
    const socket = await dial(address);
    socket.write(data);
    assert.ok((await read(socket, data.length)).equals(data));
    socket.destroy();
  }));
  await ended(client);
  assert.ok(!gateway.json('session', 'list').some((session) => session.user === user.name));
});

test('the desktop closing reaches the RDP client, and the other way round', async () => {
  const { client, address, socket } = await connected(person());
  const before = desktop.connections.size;
  for (const connection of desktop.connections) connection.end();
  socket.resume();
  await once(socket, 'close');
  await client.says(/connection 1 ended: the desktop closed/);
  const second = await dial(address);
  second.write('x');
  await read(second, 1);
  second.destroy();
  await until('the desktop sees the end', () => desktop.connections.size < before);
  await ended(client);
});

test('--stdio', async () => {
  const client = start([...args, '--stdio', 'echo'], { credentials: await person().lines(), stdin: 'pipe' });
  const data = randomBytes(500_000);
  client.child.stdin.write(data);
  await until(() => `all bytes are back: ${client.err}`, () => client.out.length >= data.length);
  client.child.stdin.end();
  const result = await client.ended;
  assert.equal(result.code, EX.OK, result.err);
  assert.ok(result.out.equals(data));
});

test('wrong password, wrong code, a code used twice: one answer', async () => {
  const user = person();
  const words = (result) => result.err.replace(/ \[id [0-9a-f]+\]/, '');
  const attempt = (credentials) => run([...args, '--exec', 'exit 3', 'echo'], { credentials });
  const wrongPassword = await attempt([user.name, 'not it', user.codes.wrong()]);
  const wrongCode = await attempt([user.name, PASSWORD, user.codes.wrong()]);
  const nobody = await attempt(['nobody', PASSWORD, user.codes.wrong()]);
  const used = await user.lines();
  const good = await attempt(used);
  assert.equal(good.code, 3, good.err);
  const replayed = await attempt(used);
  for (const result of [wrongPassword, wrongCode, nobody, replayed]) {
    assert.equal(result.code, EX.NOPERM, result.err);
    assert.match(result.err, /not right.*\[id [0-9a-f]{16}\]/s);
    assert.equal(words(result), words(wrongPassword));
  }
});

test('a desktop that refuses, and one that is not granted', async () => {
  const user = person();
  const refusing = await run([...args, '--stdio', 'refusing'], { credentials: await user.lines(), stdin: 'pipe' });
  assert.equal(refusing.code, EX.UNAVAILABLE, refusing.err);
  assert.match(refusing.err, /refuses/);
  const other = await run([...args, 'elsewhere'], { credentials: await user.lines() });
  assert.equal(other.code, EX.NOPERM, other.err);
  assert.match(other.err, /you may use: echo, refusing/);
});

for (const [what, order, words] of [
  ['disabling the user', (name) => ['user', 'disable', name], /\(code 4004\)/],
  ['removing the grant', (name) => ['grant', 'remove', '--user', name, 'echo'], /\(code 4005\)/],
]) {
  test(`${what} closes the tunnel within a second, in words`, async () => {
    await inTime(1000, async () => {
      const user = person();
      const { client, socket } = await connected(user);
      socket.resume();
      const closed = once(socket, 'close');
      gateway.cli(...order(user.name));
      const begun = Date.now();
      await closed;
      const took = Date.now() - begun;
      await client.says(words);
      await ended(client);
      return took;
    });
  });
}

test('an ended session: the tunnel closes, and the next connection signs in anew', async () => {
  const user = person();
  const { client, address, socket } = await connected(user, { open: true });
  socket.resume();
  gateway.cli('session', 'end', '--user', user.name);
  await once(socket, 'close');
  await client.says(/\(code 4002\)/);
  const second = await dial(address);
  second.write('anew');
  await client.says(/session is over/);
  client.child.stdio[3].write(`${await user.codes.next()}\n`);
  assert.equal((await read(second, 4)).toString(), 'anew');
  await ended(client);
});

test('the gateway restarting: the tunnel ends in words, and the client bears with it', async () => {
  const user = person();
  const { client, address, socket } = await connected(user);
  socket.resume();
  await gateway.stop();
  if (!socket.closed) await once(socket, 'close');
  await client.says(/connection 1 ended: .*gateway/);
  await gateway.serve();
  const second = await dial(address);
  second.write('back');
  assert.equal((await read(second, 4)).toString(), 'back');
  await ended(client);
});

test('no password stands in the gateway\'s log', async () => {
  const at = gateway.log.length;
  const user = person();
  await run([...args, 'echo'], { credentials: [user.name, PASSWORD, user.codes.wrong()] });
  const { client } = await connected(user);
  await ended(client);
  await gateway.said(/tunnel-close/, at);
  assert.ok(!gateway.log.includes(PASSWORD));
});

// What a ticket is good for, tried by clients that do not play fair: several tunnels of one ticket, a
// new one behind an end that is not answered; and what strangers can hold.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Gateway } from './lib/gateway.mjs';
import { LegacyRdg, TYPE, WebSocketRdg, channelCreate, close, data, handshake, rdgTicket, tunnelAuth, tunnelCreate } from './lib/rdg.mjs';
import { echoServer } from './lib/servers.mjs';
import { sleep, soon, until } from './lib/wait.mjs';

let gateway, echo, token;
const open = [];

before(async () => {
  gateway = await Gateway.make();
  echo = await echoServer();
  const user = gateway.addUser('anna');
  gateway.addDesktop('office', echo.port);
  gateway.grant(user, 'office');
  token = await user.token();
});
after(async () => {
  for (const rdg of open) rdg.drop();
  await echo?.close();
  await gateway?.remove();
});

const live = () => gateway.json('tunnel', 'list').filter((row) => row.way === 'rdg');
const none = () => until(() => 'no tunnel is left', () => live().length === 0);

async function connect(house = gateway) {
  const rdg = await WebSocketRdg.connect(house);
  open.push(rdg);
  return rdg;
}

// Before the channel is asked for.
async function ready(ticket) {
  const rdg = await connect();
  rdg.send(handshake());
  await rdg.expect(TYPE.HANDSHAKE_RESPONSE);
  rdg.send(tunnelCreate(ticket));
  assert.equal((await rdg.expect(TYPE.TUNNEL_RESPONSE)).readUInt32LE(2), 0);
  rdg.send(tunnelAuth());
  await rdg.expect(TYPE.TUNNEL_AUTH_RESPONSE);
  return rdg;
}

async function works(rdg) {
  rdg.send(data(Buffer.from('hello')));
  for (;;) {
    const got = await rdg.read().catch(() => null);
    if (!got || got.type === TYPE.CLOSE) return false;
    if (got.type === TYPE.DATA) return true;
  }
}

test('one ticket, many connections at one moment: one tunnel', async () => {
  const ticket = await rdgTicket(gateway, token);
  const all = await Promise.all(Array.from({ length: 6 }, () => ready(ticket)));
  for (const rdg of all) rdg.send(channelCreate('office'));
  await Promise.all(all.map((rdg) => rdg.expect(TYPE.CHANNEL_RESPONSE)));
  await until(() => 'one is left', () => live().length === 1);
  const working = [];
  for (const rdg of all) if (await works(rdg)) working.push(rdg);
  assert.equal(working.length, 1);
  working[0].send(close());
  await none();
});

test('an end by an administrator that the client does not answer: the ticket is dead at once', async () => {
  const ticket = await rdgTicket(gateway, token);
  const rdg = await connect();
  assert.equal((await rdg.open(ticket)).status, 0);
  gateway.cli('tunnel', 'end', String(live()[0].id));
  let got;
  do got = await rdg.read(); while (got.type !== TYPE.CLOSE);
  const again = await connect();
  assert.equal((await again.open(ticket)).status, 0x800759f8);
  assert.equal((await again.read()), null);
  rdg.drop();
  await none();
});

test('a client that closes and comes back at once, again and again, as for a sign-in: it is let in, and there is one tunnel', async () => {
  const ticket = await rdgTicket(gateway, token);
  for (let turn = 0; turn < 4; turn++) {
    const rdg = await connect();
    assert.equal((await rdg.open(ticket)).status, 0, `turn ${turn}`);
    assert.equal(await works(rdg), true);
    rdg.send(close()); // whose answer is not waited for
    if (turn % 2) await none();
  }
  const last = await connect();
  assert.equal((await last.open(ticket)).status, 0);
  await until(() => 'one is left', () => live().length === 1);
  gateway.cli('tunnel', 'end', String(live()[0].id));
  await none();
  assert.equal((await (await connect()).open(ticket)).status, 0x800759f8, 'not after an administrator\'s word');
});

test('who asks and does not read is let go', { timeout: 180_000 }, async () => {
  const house = await Gateway.make({ conf: { server: { request_seconds: 2, keepalive_seconds: 2, connections_per_address: 20 } } });
  try {
    const all = [];
    for (let i = 0; i < 20; i++) {
      const wire = await house.wire();
      all.push(wire);
      wire.socket.pause();
      wire.send('GET / HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(3000));
    }
    await until(() => 'others get in again', async () => {
      try {
        return (await house.http('GET', '/healthz', { fresh: true, timeout: 5000 })).status === 200;
      } catch {
        return false;
      }
    }, { ms: 30_000, every: 500 });
    for (const wire of all) wire.end();
  } finally {
    await house.remove();
  }
});

test('channels of a stranger count, until a tunnel is there', async () => {
  const house = await Gateway.make({ conf: { server: { connections_per_address: 8 } } });
  try {
    const held = [];
    for (let i = 0; i < 3; i++) held.push(await LegacyRdg.connect(house));
    assert.ok(held.every((rdg) => rdg.answer.status === 200));
    await sleep(1500);
    const wires = await Promise.allSettled(Array.from({ length: 6 }, () => house.http('GET', '/healthz', { fresh: true, timeout: 3000 })));
    assert.ok(wires.some((one) => one.status === 'rejected'), 'six channels and six more are too many');
    held[0].wire.socket.destroy(); // the one that takes is gone: so is the other, soon
    await soon(6000, 'its end', held[0].in.rest());
    for (const rdg of held) rdg.drop();
  } finally {
    await house.remove();
  }
});

// Whoever has not signed in holds a bounded share of the connections, and for a while only: people
// get in, and stay in, also while somebody opens as many as he can.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { Gateway } from './lib/gateway.mjs';
import { scrape, value } from './lib/prometheus.mjs';
import { header, tcpFrom, tlsFrom } from './lib/proxy.mjs';
import { LegacyRdg, TYPE, WebSocketRdg, channelCreate, handshake, tunnelAuth, tunnelCreate } from './lib/rdg.mjs';
import { echoServer } from './lib/servers.mjs';
import { sleep, until } from './lib/wait.mjs';
import { RawSocket } from './lib/wire.mjs';

const TOTAL = 40;
const STRANGERS = 30; // 75 %
const HANDSHAKES = 10; // 25 %

let gateway;
let echo;
let anna;
let live; // a tunnel from before
let token; // its session's

before(async () => {
  gateway = await Gateway.make({
    conf: {
      metrics: { listen: '127.0.0.1:0' },
      // One thread, so that each newcomer finds all those who wait.
      server: { threads: 1, connections: TOTAL, connections_per_address: 30, handshakes_per_address: 6, handshake_seconds: 60, keepalive_seconds: 60, request_seconds: 60 },
    },
  });
  echo = await echoServer();
  anna = gateway.addUser('anna');
  gateway.addDesktop('echo', echo.port);
  gateway.grant(anna, 'echo');
  token = await anna.token();
  live = await gateway.tunnel('echo', token);
});
after(async () => {
  live?.wire.end();
  await gateway?.remove();
  await echo?.close();
});

const number = async (name) => value(await scrape(gateway.plainPort), name);
const open = (wires) => wires.filter((wire) => !wire.over).length;

// `count` connections, four from each address.
async function flood(count, make) {
  const wires = [];
  for (let i = 0; i < count; i++) {
    const wire = await make(`127.1.0.${1 + (i >> 2)}`).catch(() => null);
    if (wire) wires.push(wire);
  }
  return wires;
}

async function echoes() {
  live.ws.send(Buffer.from('still here'));
  assert.equal(String(await live.ws.read(10)), 'still here');
}

// Long before the strangers' time is over, if not at the first try.
const getsIn = () => until('somebody gets in', async () => {
  try {
    return (await gateway.http('GET', '/healthz', { fresh: true, timeout: 5_000 })).status === 200;
  } catch {
    return false;
  }
}, { ms: 5_000 });

// A request on this very connection.
async function ask(wire, token) {
  wire.send(`GET /api/session HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\n\r\n`);
  return (await wire.answer())?.status;
}

test('handshakes of one address', async () => {
  const wires = [];
  try {
    for (let i = 0; i < 7; i++) wires.push(await tcpFrom(gateway.port, '127.2.0.1'));
    await until('the seventh is closed', () => open(wires) === 6);
    const other = await tlsFrom(gateway, '127.2.0.2');
    other.end();
  } finally {
    for (const wire of wires) wire.end();
  }
  await until('they have gone', async () => await number('deskgate_connections_handshaking') === 0);
});

test('connections that never say a word: a newcomer takes the place of the longest-waiting', async () => {
  const silent = await flood(HANDSHAKES, (from) => tcpFrom(gateway.port, from));
  try {
    await until('all places are taken', async () => await number('deskgate_connections_handshaking') >= HANDSHAKES - 1);
    await sleep(1_100);
    const before = await number('deskgate_connections_displaced_total');
    const fresh = await anna.token();
    const known = await tlsFrom(gateway, '127.2.0.3');
    assert.equal(await ask(known, fresh), 200);
    assert.ok(await number('deskgate_connections_displaced_total') > before);
    await until('the first to come is the first to go', () => silent[0].over);
    known.end();
    await echoes();
  } finally {
    for (const wire of silent) wire.end();
  }
});

test('connections on which nobody signs in: likewise, and whoever has signed in stays', async () => {
  const known = await tlsFrom(gateway, '127.2.0.4');
  assert.equal(await ask(known, token), 200);
  const idle = await flood(STRANGERS + 10, (from) => tlsFrom(gateway, from));
  try {
    await until(() => `${open(idle)} strangers`, () => open(idle) <= STRANGERS);
    assert.ok(await number('deskgate_connections') <= TOTAL);
    await sleep(1_100);
    const { status } = await anna.signIn();
    assert.equal(status, 200, 'she signs in over a new connection');
    const { ws, wire } = await gateway.tunnel('echo', token);
    assert.ok(ws, 'and opens a desktop');
    assert.equal(await ask(known, token), 200, 'the one from before is still there');
    known.end();
    wire.end();
    await echoes();
  } finally {
    for (const wire of idle) wire.end();
  }
});

const WAYS = [
  ['answers that nobody reads', async (from) => {
    const wire = await tlsFrom(gateway, from);
    wire.socket.pause();
    wire.send('GET /viewer/rdp.wasm HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(8));
    return wire;
  }, 10_500],
  ['answers that are read a little at a time', async (from) => {
    const wire = await tlsFrom(gateway, from);
    wire.socket.pause();
    wire.send('GET /viewer/rdp.wasm HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(8));
    wire.trickle = setInterval(() => wire.socket.read(16384), 200);
    wire.socket.on('close', () => clearInterval(wire.trickle));
    return wire;
  }, 12_500],
  ['RD Gateway clients without a word', async (from) => {
    const wire = await tlsFrom(gateway, from);
    wire.send('RDG_OUT_DATA /remoteDesktopGateway/ HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
      'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n');
    return wire;
  }, 1_500],
  ['channels of RD Gateway clients without a word', async (from) => {
    const wire = await tlsFrom(gateway, from);
    wire.send(`RDG_OUT_DATA /remoteDesktopGateway/ HTTP/1.1\r\nHost: localhost\r\nRDG-Connection-Id: {${randomUUID()}}\r\n\r\n`);
    return wire;
  }, 1_500],
];
for (const [name, make, ms] of WAYS) {
  test(`strangers who do not go on: ${name}`, { timeout: 180_000 }, async () => {
    const held = await flood(STRANGERS, make);
    try {
      assert.ok(open(held) >= STRANGERS - 1, `${open(held)} strangers`);
      await sleep(ms);
      await getsIn();
      await echoes();
    } finally {
      for (const wire of held) wire.end();
    }
    await until('they have gone', async () => await number('deskgate_connections') <= 2);
  });
}

for (const Way of [WebSocketRdg, LegacyRdg]) {
  test(`${Way.kind}: who has shown a good ticket may take the time to agree to something`, { timeout: 180_000 }, async () => {
    const file = (await gateway.http('GET', '/api/desktops/echo/rdp', { token })).body;
    const rdg = await Way.connect(gateway);
    rdg.send(handshake());
    await rdg.expect(TYPE.HANDSHAKE_RESPONSE);
    rdg.send(tunnelCreate(/^gatewayaccesstoken:s:(\S+)\r$/m.exec(file)[1]));
    assert.equal((await rdg.expect(TYPE.TUNNEL_RESPONSE)).readUInt32LE(2), 0);
    await sleep(1_100);
    const idle = await flood(STRANGERS + 5, (from) => tlsFrom(gateway, from));
    try {
      await sleep(1_100);
      for (let i = 0; i < 4; i++) idle.push(await tlsFrom(gateway, `127.4.0.${i + 1}`));
      rdg.send(tunnelAuth());
      await rdg.expect(TYPE.TUNNEL_AUTH_RESPONSE);
      rdg.send(channelCreate('echo'));
      assert.equal((await rdg.expect(TYPE.CHANNEL_RESPONSE)).readUInt32LE(0), 0);
    } finally {
      rdg.drop();
      for (const wire of idle) wire.end();
    }
    await until('they have gone', async () => await number('deskgate_connections') <= 2);
  });
}

test('a flood that goes on: people still get in', { timeout: 180_000 }, async () => {
  let over = false;
  const held = [];
  const attack = (async () => {
    for (let i = 0; !over; i++) {
      held.push(await tcpFrom(gateway.port, `127.3.${(i >> 6) & 255}.${1 + (i & 63)}`));
      if (held.length > 200) held.shift().end();
      await sleep(50);
    }
  })();
  try {
    await sleep(1_500);
    for (let i = 0; i < 3; i++) await getsIn();
    await echoes();
  } finally {
    over = true;
    await attack;
    for (const wire of held) wire.end();
  }
});

test('a token that nobody has costs no more the more tunnels there are', { timeout: 120_000 }, async (t) => {
  const own = await Gateway.make();
  const tunnels = [];
  t.after(async () => {
    for (const { wire } of tunnels) wire.end();
    await own.remove();
  });
  const user = own.addUser('busy');
  own.addDesktop('desk', echo.port);
  own.grant(user, 'desk');
  const held = await user.token();
  for (let i = 0; i < 60; i++) tunnels.push(await own.tunnel('desk', held));
  // By the keeper's own processor time, which does not count what others take.
  const spent = async (method, path) => {
    const ticks = () => {
      const fields = readFileSync(`/proc/${own.part('keeper')}/stat`, 'utf8').split(') ')[1].split(' ');
      return Number(fields[11]) + Number(fields[12]);
    };
    const before = ticks();
    for (let i = 0; i < 400; i++) assert.equal((await own.http(method, path, { token: 'A'.repeat(43), body: method === 'POST' ? '{}' : undefined, headers: { 'Content-Type': 'application/json' } })).status, 401);
    return ticks() - before;
  };
  const asked = await spent('GET', '/api/session');
  const left = await spent('POST', '/api/logout');
  // It was a hundred times as much; ticks are 10 ms.
  assert.ok(left <= 4 * asked + 20, `${left} ticks, where ${asked} are asking`);
});

// Who is known for a session that is over is a stranger again: `ask` is what the connections go on
// with, which have all places.
async function onceKnown(t, keepalive, ask) {
  const own = await Gateway.make({ conf: { server: { threads: 1, connections: 16, keepalive_seconds: keepalive } } });
  const held = [];
  const user = own.addUser('berta');
  const good = await user.token();
  own.hangUp();
  let say = (wire) => wire.send(`GET /api/session HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${good}\r\n\r\n`);
  const beat = setInterval(() => held.forEach((wire) => !wire.over && say(wire)), 1_500);
  t.after(async () => {
    clearInterval(beat);
    for (const wire of held) wire.end();
    await own.remove();
  });
  await until('they have all places', async () => {
    const wire = await tlsFrom(own, `127.6.0.${1 + (held.length >> 2)}`).catch(() => null);
    if (!wire) return held.length === 16;
    say(wire);
    assert.equal((await wire.answer())?.status, 200);
    held.push(wire);
    return false;
  });
  own.cli('user', 'disable', 'berta');
  say = (wire) => wire.send(ask(good));
  await until('somebody else gets in', async () => {
    const wire = await tlsFrom(own, '127.7.0.1').catch(() => null);
    wire?.send('GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n');
    const status = (await wire?.answer().catch(() => null))?.status;
    wire?.end();
    return status === 200;
  }, { ms: 20_000, every: 250 });
}

test('a session that is over: who goes on showing it makes room', { timeout: 120_000 }, async (t) => {
  await onceKnown(t, 60, (token) => `GET /api/session HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\n\r\n`);
});

test('a session that is over: likewise who goes on asking what needs none', { timeout: 120_000 }, async (t) => {
  await onceKnown(t, 5, () => 'GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n');
});

// Many people behind one address, whose browsers keep their connections for later.
const OFFICE = '127.8.0.1';
const EACH = 8; // two of which are kept for those who have signed in

// An office of its own; `hold` makes one more connection from there (or `from`), on which `say` was
// answered with 200.
async function office(t, more = {}) {
  const own = await Gateway.make({ conf: { server: { threads: 1, connections: 400, connections_per_address: EACH, handshakes_per_address: 4, handshake_seconds: 60, request_seconds: 60, keepalive_seconds: 60, ...more } } });
  const held = [];
  t.after(async () => {
    for (const wire of held) wire.end();
    await own.remove();
  });
  const hold = async (token, from = OFFICE) => {
    const wire = await tlsFrom(own, from);
    wire.send(`GET ${token ? '/api/session' : '/healthz'} HTTP/1.1\r\nHost: localhost\r\n${token ? `Authorization: Bearer ${token}\r\n` : ''}\r\n`);
    assert.equal((await wire.answer())?.status, 200);
    held.push(wire);
    return wire;
  };
  return { own, held, hold };
}
// Long enough to be taken for one that is kept for later: a second, and the tick that sees it.
const rest = () => sleep(2_300);
const refused = (promise) => promise.then((wire) => wire.end() ?? false, () => true);

test('one address: who rests makes room, strangers first, then the one who has rested longest', { timeout: 120_000 }, async (t) => {
  const { own, held, hold } = await office(t);
  const user = own.addUser('office');
  const good = await user.token();
  own.hangUp();
  const apart = await hold(undefined, '127.8.0.2');
  for (let i = 0; i < 6; i++) await hold(good);
  await hold();
  await hold();
  assert.ok(await refused(hold()), 'nobody has rested');
  await until('the log names the limit', () => /accept\.refused.*address=127\.8\.0\.1 limit="8 of one address \(\[server\] connections_per_address\)"/.test(own.log));
  await rest();
  const [first, second] = held.slice(1, 3);
  const strangers = held.slice(7, 9);
  await hold(good);
  await hold(good);
  await until('the strangers have gone', () => strangers.every((wire) => wire.over));
  assert.equal(open(held.slice(1, 7)), 6, 'none of those who have signed in');
  await hold(good);
  await until('then the first of those who have rested', () => first.over);
  assert.ok(!second.over);
  assert.ok(!apart.over, 'nobody of another address');
});

test('one address: who rests makes room also where another thread has it', { timeout: 120_000 }, async (t) => {
  const { held, hold } = await office(t, { threads: 8 });
  for (let i = 0; i < EACH; i++) await hold();
  await rest();
  for (let i = 0; i < EACH; i++) await hold();
  assert.equal(open(held), EACH);
});

test('one address: nobody goes within a request or with a desktop, not even for a flood', { timeout: 120_000 }, async (t) => {
  const { own, held, hold } = await office(t);
  own.addDesktop('echo', echo.port);
  const user = own.addUser('office');
  own.grant(user, 'echo');
  const good = await user.token();
  own.hangUp();
  const wire = await tlsFrom(own, OFFICE);
  t.after(() => wire.end());
  const { ws } = await RawSocket.open(wire, '/tunnel/echo', { Host: `localhost:${own.port}`, Authorization: `Bearer ${good}` });
  const apart = await hold(undefined, '127.8.0.2');
  for (let i = 0; i < EACH; i++) await hold(i % 2 ? good : undefined);
  const busy = held.slice(1);
  for (const wire of busy) wire.send('POST /api/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{');
  await rest();
  for (let i = 0; i < 20; i++) assert.ok(await refused(hold()));
  for (const wire of busy) wire.send('}');
  for (const wire of busy) assert.equal((await wire.answer())?.status, 400, 'each has its answer');
  assert.ok(!apart.over);
  ws.send(Buffer.from('still here'));
  assert.equal(String(await ws.read(10)), 'still here');
});

test('one address: strangers leave a share to those who have signed in', { timeout: 120_000 }, async (t) => {
  const { own, held, hold } = await office(t);
  const user = own.addUser('office');
  const good = await user.token();
  own.hangUp();
  for (let i = 0; i < EACH; i++) await hold(good);
  const known = held.slice();
  await rest();
  const flood = [];
  t.after(() => flood.forEach((wire) => wire.end()));
  for (let i = 0; i < 40; i++) {
    const wire = await tlsFrom(own, OFFICE).catch(() => null);
    wire?.send('POST /api/login HTTP/1.1\r\n');
    if (wire) flood.push(wire);
  }
  assert.equal(open(flood), 6, 'three quarters');
  assert.equal(open(known), 2, 'and the rest is theirs');
});

test('one address: who never says a word before TLS makes room for who does', { timeout: 120_000 }, async (t) => {
  const { own, hold } = await office(t);
  const silent = [];
  t.after(() => silent.forEach((wire) => wire.end()));
  for (let i = 0; i < 4; i++) silent.push(await tcpFrom(own.port, OFFICE));
  assert.ok(await refused(hold()), 'they may be about to');
  await until('the log names the limit', () => /accept\.refused.*limit="4 of one address before TLS is up \(\[server\] handshakes_per_address\)"/.test(own.log));
  await sleep(1_100);
  await hold();
  await until('the first has gone', () => silent[0].over);
  assert.equal(open(silent), 3);
});

test('one address that is full: a newcomer there costs no other one its place, when all is full', { timeout: 120_000 }, async (t) => {
  const { own, hold } = await office(t, { connections: 20, strangers_percent: 75 });
  const others = [];
  for (let i = 0; i < EACH; i++) (await hold()).send('GET /healthz HTTP/1.1\r\n');
  for (let i = 0; i < 7; i++) others.push(await hold(undefined, `127.8.1.${i + 1}`));
  await rest();
  for (let i = 0; i < 10; i++) assert.ok(await refused(hold()));
  assert.equal(open(others), 7);
});

async function balanced(t, more = {}) {
  const BALANCER = '127.8.2.1';
  const { own } = await office(t, { proxy_protocol: BALANCER, ...more });
  const held = [];
  t.after(() => held.forEach((wire) => wire.end()));
  const hold = async () => {
    const wire = await tlsFrom(own, BALANCER, header({ source: '203.0.113.9' }));
    wire.send('GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n');
    assert.equal((await wire.answer())?.status, 200);
    held.push(wire);
  };
  return { own, held, hold };
}

test('one address behind a balancer: who rests makes room', { timeout: 120_000 }, async (t) => {
  const { held, hold } = await balanced(t);
  for (let i = 0; i < EACH; i++) await hold();
  assert.ok(await refused(hold()));
  await rest();
  await hold();
  await until('the first has gone', () => held[0].over);
  assert.equal(open(held), EACH);
});

test('one address behind a balancer: also where another thread has who rests', { timeout: 120_000 }, async (t) => {
  const { own, held, hold } = await balanced(t, { threads: 8 });
  for (let i = 0; i < EACH; i++) await hold();
  await rest();
  for (let i = 0; i < EACH; i++) await hold();
  assert.equal(open(held), EACH);
  assert.ok(!/proxy\.header/.test(own.log), 'its header was read once');
});

test('who is through with TLS has the time of a request to begin one, and a proxy more', { timeout: 120_000 }, async (t) => {
  const PROXY = '127.8.3.1';
  const own = await Gateway.make({ conf: { server: { handshake_seconds: 5, request_seconds: 20, trusted_proxies: PROXY } } });
  t.after(() => own.remove());
  const wires = await Promise.all([tlsFrom(own, '127.8.3.2'), tlsFrom(own, PROXY)]);
  t.after(() => wires.forEach((wire) => wire.end()));
  await sleep(6_500);
  for (const wire of wires) {
    wire.send('GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n');
    assert.equal((await wire.answer())?.status, 200);
  }
});

// The RD Gateway protocol byte by byte, over both transports: the whole conversation, pieces and
// sizes, refusals with their codes and audit rows, channels that do not belong together.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import { Gateway } from './lib/gateway.mjs';
import { CAPS, LegacyRdg, TYPE, WebSocketRdg, answerHead, channelCreate, close, data, handshake, keepalive, packet, rdgTicket, text, tunnelAgain, tunnelAuth, tunnelCreate } from './lib/rdg.mjs';
import { echoServer } from './lib/servers.mjs';
import { sleep, soon, until } from './lib/wait.mjs';
import { frame } from './lib/wire.mjs';

let gateway;
let echo;
let user;
let token;
const open = [];
const ways = [WebSocketRdg, LegacyRdg];

before(async () => {
  gateway = await Gateway.make({ conf: { tunnel: { ping_seconds: 1 }, rdg: { message: 'Willkommen – 歓迎' } } });
  echo = await echoServer();
  user = gateway.addUser('anna');
  gateway.addDesktop('office', echo.port);
  gateway.addDesktop('secret', echo.port);
  gateway.grant(user, 'office');
  token = await user.token();
});
after(async () => {
  for (const rdg of open) rdg.drop();
  await echo?.close();
  await gateway?.remove();
});

async function connect(Way, ...options) {
  const rdg = await Way.connect(gateway, ...options);
  open.push(rdg);
  return rdg;
}

const live = () => gateway.json('tunnel', 'list').filter((row) => row.way === 'rdg').length;
const lastAudit = (event) => gateway.audit('--event', event).at(-1);

async function opened(Way, ticket, options) {
  const rdg = await connect(Way);
  const result = await rdg.open(ticket ?? await rdgTicket(gateway, token), ['office'], options);
  assert.equal(result.status, 0, `${Way.kind}: 0x${result.status.toString(16)} at ${result.at}`);
  return { rdg, said: result.said };
}

// A session of somebody's who may use the office of another gateway.
async function berta(house) {
  const person = house.addUser('berta');
  house.addDesktop('office', echo.port);
  house.grant(person, 'office');
  return person.token();
}

// Skips what comes by itself.
async function next(rdg) {
  for (;;) {
    const got = await rdg.read();
    if (!got || ![TYPE.KEEPALIVE, TYPE.SERVICE_MESSAGE].includes(got.type)) return got;
  }
}

async function echoed(rdg, bytes) {
  const pieces = [];
  for (let have = 0; have < bytes.length;) {
    const got = await next(rdg);
    assert.equal(got?.type, TYPE.DATA);
    pieces.push(got.body.subarray(2));
    have += got.body.length - 2;
  }
  assert.ok(Buffer.concat(pieces).equals(bytes), 'the bytes come back as they were');
}

for (const Way of ways) {
  test(`${Way.kind}: the whole conversation`, async () => {
    const { rdg, said } = await opened(Way);
    assert.equal(said.tunnel.readUInt32LE(14) & 0x2, 0x2, 'an idle limit can be announced');
    assert.equal(said.auth.readUInt32LE(8), 0x80000000, 'nothing is forbidden');
    assert.equal(said.auth.readUInt32LE(12), 60, 'minutes until idleness ends it');
    const words = await rdg.expect(TYPE.SERVICE_MESSAGE);
    assert.equal(words.subarray(2).toString('utf16le'), 'Willkommen – 歓迎\0');
    assert.equal(live(), 1);
    rdg.send(data(Buffer.from('hello')));
    await echoed(rdg, Buffer.from('hello'));
    const big = randomBytes(200_000);
    for (let at = 0; at < big.length; at += 65535) rdg.send(data(big.subarray(at, at + 65535)));
    await echoed(rdg, big);
    let got; // the gateway's keepalive, and an echo of it, which is not answered
    do got = await rdg.read(); while (got.type !== TYPE.KEEPALIVE);
    rdg.send(keepalive());
    rdg.send(close());
    got = await next(rdg);
    assert.equal(got.type, TYPE.CLOSE_RESPONSE);
    assert.equal(got.body.readUInt32LE(0), 0);
    await until(() => 'the tunnel has ended', () => live() === 0);
    assert.match(JSON.stringify(lastAudit('tunnel-close')), /client/);
  });

  test(`${Way.kind}: packets cut anywhere, several at once, some empty`, async () => {
    const ticket = await rdgTicket(gateway, token);
    const rdg = await connect(Way);
    rdg.send(handshake(), 1);
    await rdg.expect(TYPE.HANDSHAKE_RESPONSE);
    rdg.send(Buffer.concat([keepalive(), tunnelCreate(ticket), keepalive()]), 7);
    await rdg.expect(TYPE.TUNNEL_RESPONSE);
    rdg.send(tunnelAuth(), 3);
    await rdg.expect(TYPE.TUNNEL_AUTH_RESPONSE);
    rdg.send(channelCreate('office'), 5);
    await rdg.expect(TYPE.CHANNEL_RESPONSE);
    const pieces = Array.from({ length: 50 }, (_, i) => randomBytes(i * 7 % 90));
    const wire = Buffer.concat(pieces.flatMap((piece, i) => [data(piece), ...(i % 9 ? [] : [keepalive()])]));
    rdg.send(wire, 11);
    await echoed(rdg, Buffer.concat(pieces));
    rdg.drop();
    await until(() => 'the tunnel has ended', () => live() === 0);
    assert.match(JSON.stringify(lastAudit('tunnel-close')), /client-lost/);
    // … and may come back.
    const again = await opened(Way, ticket);
    again.rdg.send(close());
    await until(() => 'the tunnel has ended', () => live() === 0);
    // … but not for ever after a clean end.
    gateway.sql('UPDATE tickets SET used_at = used_at - 301 WHERE used_at > 0');
    const third = await connect(Way);
    assert.deepEqual((({ status, at }) => [status, at])(await third.open(ticket)), [0x800759f8, 'tunnel']);
  });

  test(`${Way.kind}: largest packets, and larger ones`, async () => {
    const rdg = await connect(Way);
    const result = await rdg.open(`${'A'.repeat(511)}`);
    assert.equal(result.status, 0x800759f8, 'the longest cookie is read, and refused');
    const larger = await connect(Way);
    larger.send(handshake());
    await larger.expect(TYPE.HANDSHAKE_RESPONSE);
    larger.send(packet(TYPE.TUNNEL_CREATE, Buffer.alloc(8185)));
    assert.equal(await larger.read(), null, 'more than a packet may have');
    const most = await opened(Way);
    const bytes = randomBytes(65535);
    most.rdg.send(data(bytes));
    await echoed(most.rdg, bytes);
    most.rdg.send(packet(0xff, Buffer.alloc(4)));
    assert.notEqual((await next(most.rdg))?.type, TYPE.DATA, 'a packet of no known type ends it');
    await until(() => 'the tunnel has ended', () => live() === 0);
    assert.match(JSON.stringify(lastAudit('tunnel-close')), /protocol/);
  });

  test(`${Way.kind}: refusals, each with its code and a row in the audit log`, async () => {
    const refused = async (ticket, names, options) => {
      const rdg = await connect(Way);
      const { status, at } = await rdg.open(ticket, names, options);
      assert.equal(await rdg.read(), null, 'then the gateway closes');
      return [status, at];
    };
    assert.deepEqual(await refused(undefined), [0x800759f7, 'tunnel']);
    assert.deepEqual(await refused('x', ['office'], { auth: 0 }), [0x800759f9, 'handshake']);
    assert.deepEqual(await refused(randomBytes(32).toString('base64url')), [0x800759f8, 'tunnel']);
    assert.match(JSON.stringify(lastAudit('ticket-refused')), /unknown/);
    const ticket = await rdgTicket(gateway, token);
    assert.deepEqual(await refused(ticket, ['secret']), [0x800759db, 'channel']);
    assert.match(JSON.stringify(lastAudit('ticket-refused')), /made for another desktop/);
    assert.deepEqual(await refused(ticket, ['127.0.0.1']), [0x800759db, 'channel'], 'an address is no name of a desktop');
    assert.deepEqual(await refused(ticket, ['127.0.0.1:3389']), [0x800759da, 'channel']);
    gateway.cli('grant', 'remove', 'anna', 'office');
    assert.deepEqual(await refused(ticket), [0x800759da, 'channel']);
    assert.equal(lastAudit('tunnel-open').outcome, 'not-granted');
    gateway.grant(user, 'office');
    const short = await user.token();
    const dead = await rdgTicket(gateway, short);
    await gateway.http('POST', '/api/logout', { token: short });
    assert.deepEqual(await refused(dead), [0x800759f8, 'tunnel']);
    assert.match(JSON.stringify(lastAudit('ticket-refused')), /session is over/);
  });

  test(`${Way.kind}: out of order, and rubbish`, async () => {
    for (const bytes of [tunnelCreate('x'), data(Buffer.from('x')), packet(TYPE.HANDSHAKE), packet(0), Buffer.from('GET / HTTP/1.1\r\n\r\n'), Buffer.alloc(9000)]) {
      const rdg = await connect(Way);
      rdg.send(bytes);
      assert.equal(await rdg.read(), null);
    }
    const eager = await connect(Way); // everything at once: no channel can be had so
    const ticket = await rdgTicket(gateway, token);
    eager.send(Buffer.concat([handshake(), tunnelCreate(ticket), tunnelAuth(), channelCreate('office'), data(Buffer.from('x'))]));
    while (await eager.read());
    assert.equal(live(), 0);
    const polite = await connect(Way);
    polite.send(handshake());
    await polite.expect(TYPE.HANDSHAKE_RESPONSE);
    polite.send(close());
    await polite.expect(TYPE.CLOSE_RESPONSE);
    assert.equal(await polite.read(), null);
  });

  test(`${Way.kind}: an administrator speaks, and ends it`, async () => {
    const { rdg } = await opened(Way);
    await rdg.expect(TYPE.SERVICE_MESSAGE);
    const [row] = gateway.json('tunnel', 'list').filter((one) => one.way === 'rdg');
    gateway.cli('tunnel', 'tell', String(row.id), 'Wir schließen um 18 Uhr.');
    let said;
    do said = await rdg.read(); while (said.type === TYPE.KEEPALIVE);
    assert.equal(said.type, TYPE.SERVICE_MESSAGE);
    assert.equal(said.body.subarray(2).toString('utf16le'), 'Wir schließen um 18 Uhr.\0');
    gateway.cli('tunnel', 'end', String(row.id));
    const got = await next(rdg);
    assert.equal(got.type, TYPE.CLOSE);
    assert.equal(got.body.readUInt32LE(0), 0x4d4, 'somebody here wanted it');
    await until(() => 'the tunnel has ended', () => live() === 0);
  });
}

test('the subprotocol that phones offer is taken, another one is not', async () => {
  const answered = async (offered) => (await connect(WebSocketRdg, { 'Sec-WebSocket-Protocol': offered })).answer;
  assert.match((await answered('chat, binary')).text, /^sec-websocket-protocol: binary\r$/im);
  assert.doesNotMatch((await answered('chat')).text, /^sec-websocket-protocol/im);
});

test('what a desktop forbids to redirect is announced', async () => {
  const flags = async (forbid) => {
    gateway.cli('desktop', 'set', 'office', '--forbid', forbid);
    const { rdg, said } = await opened(WebSocketRdg);
    rdg.drop();
    await until(() => 'the tunnel has ended', () => live() === 0);
    return said.auth.readUInt32LE(8);
  };
  assert.equal(await flags('drives,clipboard'), 0x9);
  assert.equal(await flags('all'), 0x40000000);
  assert.equal(await flags('none'), 0x80000000);
});

test('a client shows its ticket again when it is asked to', async () => {
  const house = await Gateway.make({ conf: { rdg: { reauth_seconds: 1 } } });
  try {
    const session = await berta(house);
    const ticket = await rdgTicket(house, session);
    const rdg = await WebSocketRdg.connect(house);
    assert.equal((await rdg.open(ticket)).status, 0);
    const context = await rdg.expect(TYPE.REAUTH);
    const again = async (ofTicket, ofContext) => {
      const second = await LegacyRdg.connect(house);
      open.push(second);
      second.send(handshake());
      await second.expect(TYPE.HANDSHAKE_RESPONSE);
      second.send(tunnelAgain(ofTicket, ofContext));
      const status = (await second.expect(TYPE.TUNNEL_RESPONSE)).readUInt32LE(2);
      if (status) return status;
      second.send(tunnelAuth());
      return (await second.expect(TYPE.TUNNEL_AUTH_RESPONSE)).readUInt32LE(0);
    };
    assert.equal(await again(ticket, Buffer.alloc(8, 1)), 0x800759fa, 'another context');
    assert.equal(await again(await rdgTicket(house, session), context), 0x800759fa, 'another ticket');
    assert.equal(await again(ticket, context), 0);
    rdg.send(data(Buffer.from('goes on')));
    await echoed(rdg, Buffer.from('goes on'));
    assert.ok(!(await rdg.expect(TYPE.REAUTH)).equals(context), 'the next time has its own');
    rdg.drop();
  } finally {
    await house.remove();
  }
});

test('a pair: what does not belong together stays apart', async () => {
  const alone = await connect(LegacyRdg, {}, { only: 'out' });
  // another name
  const stranger = await gateway.wire();
  await alone.join({ wire: stranger, id: '{another}' });
  assert.equal((await answerHead(stranger)).status, 409);
  // the right one, with its first packet on the heels of its head
  await alone.join({ first: LegacyRdg.chunk(handshake()) });
  await alone.expect(TYPE.HANDSHAKE_RESPONSE);
  // a second one
  const second = await gateway.wire();
  const first = alone.in;
  await alone.join({ wire: second });
  assert.equal((await answerHead(second)).status, 409);
  alone.in = first;
  alone.send(tunnelCreate('x'));
  assert.equal((await alone.expect(TYPE.TUNNEL_RESPONSE)).readUInt32LE(2), 0x800759f8);
  // nobody's name
  const nameless = await gateway.wire();
  nameless.send('RDG_OUT_DATA /remoteDesktopGateway/ HTTP/1.1\r\nHost: x\r\n\r\n');
  assert.equal((await answerHead(nameless)).status, 400);
  const long = await connect(LegacyRdg, { 'RDG-Connection-Id': 'x'.repeat(64) });
  assert.equal(long.answer.status, 400);
  // a name that is taken
  const one = await connect(LegacyRdg, {}, { id: '{same}', only: 'out' });
  const other = await connect(LegacyRdg, {}, { id: '{same}', only: 'out' });
  assert.deepEqual([one.answer.status, other.answer.status], [200, 409]);
});

test('a pair: half of one does not stay', { timeout: 180_000 }, async () => {
  const half = await connect(LegacyRdg, {}, { id: '{half}', only: 'out' });
  assert.equal(await soon(20_000, 'its end', half.read(30_000)), null);
  const again = await connect(LegacyRdg, {}, { id: '{half}', only: 'out' });
  assert.equal(again.answer.status, 200, 'its name is free again');
});

test('a pair: bytes on the channel that takes, a body that is no chunks, a cut half', async () => {
  const { rdg } = await opened(LegacyRdg);
  rdg.wire.send('x');
  assert.equal((await next(rdg))?.type, TYPE.CLOSE);
  await until(() => 'the tunnel has ended', () => live() === 0);
  const bad = await opened(LegacyRdg);
  bad.rdg.in.send('zz\r\n');
  await until(() => 'the tunnel has ended', () => live() === 0);
  const cut = await opened(LegacyRdg);
  cut.rdg.in.socket.destroy();
  await until(() => 'the tunnel has ended', () => live() === 0);
  assert.match(JSON.stringify(lastAudit('tunnel-close')), /client-lost/);
});

test('a pair: back-pressure from a desktop that does not read, and the rest of it when it does', async () => {
  const { rdg } = await opened(LegacyRdg);
  const bytes = randomBytes(8_000_000);
  for (let at = 0; at < bytes.length; at += 65535) rdg.send(data(bytes.subarray(at, at + 65535)));
  rdg.wire.socket.pause(); // the echo fills everything on the way back
  await sleep(1000);
  rdg.wire.socket.resume();
  await echoed(rdg, bytes);
  rdg.drop();
  await until(() => 'the tunnel has ended', () => live() === 0);
});

test('idleness is announced in whole minutes, and ends it with a code of its own', async () => {
  const house = await Gateway.make({ conf: { tunnel: { idle_seconds: 2 } } });
  try {
    const session = await berta(house);
    for (const Way of ways) {
      const rdg = await Way.connect(house);
      const { status, said } = await rdg.open(await rdgTicket(house, session));
      assert.equal(status, 0, Way.kind);
      assert.equal(said.auth.readUInt32LE(12), 1, 'two seconds are a minute begun');
      const body = await rdg.expect(TYPE.CLOSE);
      assert.equal(body.readUInt32LE(0), 0x59f6, Way.kind);
      rdg.drop();
      await until(() => 'it is written down', () => house.audit('--event', 'tunnel-close').length === ways.indexOf(Way) + 1);
      assert.match(house.audit('--event', 'tunnel-close').at(-1).detail, /why=idle/);
    }
  } finally {
    await house.remove();
  }
});

test('a ticket bound to the address it was made from', async () => {
  const house = await Gateway.make({ conf: { rdg: { bind_address: 'yes' } } });
  try {
    const ticket = await rdgTicket(house, await berta(house));
    const elsewhere = await WebSocketRdg.connect(house, {}, { from: '127.0.0.2' });
    const refused = await elsewhere.open(ticket);
    assert.deepEqual([refused.status, refused.at], [0x800759f8, 'tunnel']);
    const row = house.audit('--event', 'ticket-refused').at(-1);
    assert.deepEqual([row.detail, row.address], ['of another address', '127.0.0.2']);
    const here = await WebSocketRdg.connect(house);
    assert.equal((await here.open(ticket)).status, 0, 'it was not used up by that');
    here.drop();
  } finally {
    await house.remove();
  }
});

test('without the legacy pair, and without WebSocket', async () => {
  const house = await Gateway.make({ conf: { rdg: { legacy: 'no', consent: 'Only for work.' } } });
  try {
    const refused = await LegacyRdg.connect(house);
    assert.equal(refused.answer.status, 501);
    const given = await house.wire();
    given.send('RDG_IN_DATA /remoteDesktopGateway/ HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n');
    assert.equal((await answerHead(given)).status, 501);
    const ticket = await rdgTicket(house, await berta(house));
    const rdg = await WebSocketRdg.connect(house);
    const { status, said } = await rdg.open(ticket, ['office'], { caps: CAPS });
    assert.equal(status, 0);
    assert.equal(said.tunnel.readUInt16LE(6) & 0x10, 0x10, 'a consent text');
    assert.ok(said.tunnel.subarray(18).equals(text('Only for work.')));
    rdg.drop();
  } finally {
    await house.remove();
  }
});

// The ticket is looked at while what came behind it waits, and again while the desktop is opened.
test('a client that is ahead of every answer loses none of its bytes', { timeout: 60_000 }, async () => {
  const rdg = await connect(WebSocketRdg);
  rdg.send(handshake());
  await rdg.expect(TYPE.HANDSHAKE_RESPONSE);
  const said = Array.from({ length: 3 }, () => randomBytes(300));
  rdg.wire.send(Buffer.concat([
    frame({ payload: Buffer.concat([tunnelCreate(await rdgTicket(gateway, token)), tunnelAuth(), channelCreate('office')]) }),
    ...said.map((bytes) => frame({ payload: data(bytes) })),
  ]));
  for (const type of [TYPE.TUNNEL_RESPONSE, TYPE.TUNNEL_AUTH_RESPONSE, TYPE.CHANNEL_RESPONSE]) await rdg.expect(type);
  const last = randomBytes(300);
  rdg.send(data(last));
  await soon(15_000, 'the bytes', echoed(rdg, Buffer.concat([...said, last])));
  rdg.drop();
});

// RST at each stage of a connection, by each way in: nothing stays of it, the audit log tells each
// tunnel's end truly, and nobody else notices.
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { connect as tlsConnect } from 'node:tls';
import { openCleanpath, rdpServer, requestPdu, ticketFor } from '../lib/cleanpath.mjs';
import { House } from '../lib/fault_house.mjs';
import { PASSWORD } from '../lib/gateway.mjs';
import { Line } from '../lib/line.mjs';
import { LegacyRdg, TYPE, WebSocketRdg, channelCreate, data, handshake, rdgTicket, tunnelAuth, tunnelCreate } from '../lib/rdg.mjs';
import { deafServer, floodServer, tcpServer } from '../lib/servers.mjs';
import { until } from '../lib/wait.mjs';
import { OP, RawSocket, Wire, closeBody, frame } from '../lib/wire.mjs';

const TIMES = 4; // each
const BULK = Buffer.alloc(60_000, 'x');

let house, gateway, token, hello;

before(async () => {
  house = await House.open({
    conf: {
      server: { request_seconds: 5, handshake_seconds: 5 },
      login: { user_failures: 1000, address_failures: 100_000 },
      tunnel: { ping_seconds: 2 },
    },
    desktops: { flood: floodServer, deaf: deafServer, browser: rdpServer },
  });
  ({ gateway, token } = house);
  hello = await clientHello();
  await Promise.all(Object.keys(house.desktops).map((name) => rdgTicket(gateway, token, name))); // what is made once is made
  house.remember();
});
after(async () => {
  await closeLines();
  await house?.close();
});
afterEach(async (t) => {
  await house.whole(t);
  assert.doesNotMatch(gateway.log, /Sanitizer|runtime error| error /);
});

// The bytes of a TLS client's first flight.
async function clientHello() {
  let told;
  const bytes = new Promise((fulfil) => { told = fulfil; });
  const server = await tcpServer((socket) => socket.once('data', told));
  const client = tlsConnect({ port: server.port, host: '127.0.0.1', ...gateway.tlsOptions() }).on('error', () => {});
  const got = await bytes;
  client.destroy();
  await server.close();
  return got;
}

// Brings `run` as far as it goes, over a line of its own, and cuts it by a reset: of the connection
// `nth` when it has several.
const lines = [];
async function cut([what, run, nth]) {
  const line = await Line.to(gateway.port);
  lines.push(line);
  try {
    await run(gateway.through({ port: line.port }), line);
  } catch (error) {
    throw new Error(what, { cause: error });
  }
  line.reset(nth);
}

const closeLines = () => Promise.all(lines.splice(0).map((line) => line.close()));

// All of them, TIMES each, a few at a time: one session may have eight dials under way. The lines
// are closed when all tunnels' ends are known.
async function resets(cases, due) {
  gateway.sql('DELETE FROM tickets WHERE used_at = 0'); // of a session only so many may wait
  const from = house.lastRow();
  const all = Array.from({ length: TIMES }, () => cases).flat();
  while (all.length) await Promise.all(all.splice(0, 6).map(cut));
  await house.books.enter();
  if (due) await house.ended(from, due);
  await house.calm();
  await closeLines();
  return house.ends(from);
}

const http = (head) => async (at) => (await at.wire()).send(head);
const login = (body) => `POST /api/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
const raw = (desktop, then = () => {}) => async (at) => {
  const { ws, answer } = await at.tunnel(desktop, token);
  assert.ok(ws, String(answer?.body));
  ws.send('', { opcode: OP.PING }); // the answer's head may be there before the tunnel is
  while ((await ws.next()).opcode !== OP.PONG);
  await then(ws);
};
const rdg = (Way, desktop, then = () => {}) => async (at) => {
  const { client, status } = await house.rdg(Way, desktop, at);
  assert.equal(status, 0);
  await then(client);
};
const browser = (then = () => {}) => async (at) => {
  const { ws, answer } = await house.browse('browser', at);
  assert.ok(answer.x224, JSON.stringify(answer));
  await then(ws);
};
const give = (ws) => { for (let i = 0; i < 40; i++) ws.send(BULK); };
const giveRdg = (client) => { for (let i = 0; i < 40; i++) client.send(data(BULK)); };

test('before there is a tunnel', { timeout: 180_000 }, async () => {
  const body = (password) => JSON.stringify({ username: 'anna', password, code: house.anna.codes.wrong() });
  const ends = await resets([
    ['TCP alone', async (at, line) => { await Wire.tcp(line.port); }],
    ['half a ClientHello', async (at, line) => (await Wire.tcp(line.port)).send(hello.subarray(0, hello.length >> 1))],
    ['a ClientHello', async (at, line) => (await Wire.tcp(line.port)).send(hello)],
    ['a ClientHello, and the server\'s answer', async (at, line) => {
      const wire = await Wire.tcp(line.port);
      wire.send(hello);
      await wire.read(100);
    }],
    ['TLS', http('')],
    ['half a request line', http('GET /heal')],
    ['half a head', http('GET /healthz HTTP/1.1\r\nHost: x\r\nX: ')],
    ['half a body', http(login(body('x')).slice(0, -5))],
    ['half a chunk', http('POST /api/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n10\r\nabc')],
    ['a sign-in that is being judged', http(login(body('wrong battery staple')))],
    ['the head of a long answer', async (at) => {
      const wire = await at.wire();
      wire.send('GET /viewer.html HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(20));
      await wire.readTo('\r\n\r\n');
    }],
    ['RDCleanPath, no word', async (at) => { await openCleanpath(at, token); }],
    ['RDCleanPath, half its request', async (at) => {
      const { ws } = await openCleanpath(at, token);
      ws.send(requestPdu({ destination: 'browser', ticket: 'x' }).subarray(0, 20));
    }],
    ['RD Gateway, no word', async (at) => { await WebSocketRdg.connect(at); }],
    ['RD Gateway, its ticket', async (at) => {
      const client = await WebSocketRdg.connect(at);
      client.send(handshake());
      await client.expect(TYPE.HANDSHAKE_RESPONSE);
      client.send(tunnelCreate(await rdgTicket(gateway, token, 'office')));
    }],
    ['the legacy pair, one half', async (at) => { await LegacyRdg.connect(at, {}, { only: 'out' }); }],
    ['the legacy pair, both, no word', async (at) => { await LegacyRdg.connect(at); }],
  ], {});
  assert.deepEqual(ends, {});
});

// An acknowledged session is one, and a code that was taken is used up, whoever hears of it.
test('a good sign-in whose answer nobody takes', { timeout: 180_000 }, async () => {
  const users = Array.from({ length: TIMES }, (_, i) => gateway.addUser(`cut${i}`));
  const codes = await Promise.all(users.map((user) => user.codes.next()));
  await Promise.all(users.map(async ({ name }, i) => cut([name, http(login(JSON.stringify({ username: name, password: PASSWORD, code: codes[i] })))])));
  await house.books.enter();
  const again = await Promise.all(users.map((user, i) => user.signIn({ code: codes[i] })));
  const sessions = gateway.json('session', 'list');
  for (const [i, { name }] of users.entries()) {
    const count = sessions.filter((row) => row.user === name).length;
    assert.equal(count, 1, `${name}: one sign-in of two with one code (${again[i].status})`);
  }
  await house.calm();
  await closeLines();
});

test('tunnels', { timeout: 180_000 }, async () => {
  const cases = [
    ['raw', raw('office')],
    ['raw, in the midst of a frame', raw('office', (ws) => ws.wire.send(frame({ payload: BULK }).subarray(0, 30_000)))],
    ['raw, giving', raw('office', give)],
    ['raw, giving to a desktop that takes nothing', raw('deaf', (ws) => { for (let i = 0; i < 4; i++) give(ws); })],
    ['raw, taking', raw('flood', (ws) => ws.read(200_000))],
    ['RD Gateway', rdg(WebSocketRdg, 'office')],
    ['RD Gateway, giving', rdg(WebSocketRdg, 'office', giveRdg)],
    ['RD Gateway, taking', rdg(WebSocketRdg, 'flood', (client) => client.take(200_000))],
    ['the legacy pair', rdg(LegacyRdg, 'office')],
    ['the legacy pair, the one that takes', rdg(LegacyRdg, 'office'), 0],
    ['the legacy pair, the one that gives', rdg(LegacyRdg, 'office'), 1],
    ['the legacy pair, giving', rdg(LegacyRdg, 'office', giveRdg)],
    ['the legacy pair, taking', rdg(LegacyRdg, 'flood', (client) => client.take(200_000))],
    ['RDCleanPath', browser()],
    ['RDCleanPath, giving and taking', browser((ws) => {
      give(ws);
      return ws.read(200_000);
    })],
  ];
  await resets(cases, { 'client-lost': cases.length * TIMES });
  for (const [name, { connections }] of Object.entries(house.desktops)) {
    await until(`${name} is let go`, () => connections.size === (name === 'office' ? 1 : 0));
  }
});

// Where a reset meets what is under way, it is chance which comes first; each is told truly.
test('at the moment of opening and of closing', { timeout: 180_000 }, async () => {
  const channel = async (at) => {
    const client = await WebSocketRdg.connect(at);
    const ticket = await rdgTicket(gateway, token, 'office');
    client.send(handshake());
    await client.expect(TYPE.HANDSHAKE_RESPONSE);
    client.send(tunnelCreate(ticket));
    await client.expect(TYPE.TUNNEL_RESPONSE);
    client.send(tunnelAuth());
    await client.expect(TYPE.TUNNEL_AUTH_RESPONSE);
    client.send(channelCreate('office'));
  };
  const whys = await resets([
    ['raw, asked for', async (at) => { RawSocket.open(await at.wire(), '/tunnel/office', { Authorization: `Bearer ${token}` }).catch(() => {}); }],
    ['raw, answered', (at) => at.tunnel('office', token)],
    ['raw, goodbye', async (at) => (await at.tunnel('office', token)).ws.send(closeBody(1000), { opcode: OP.CLOSE })],
    ['RD Gateway, asked for', channel],
    ['RDCleanPath, asked for', async (at) => {
      const { ticket } = await ticketFor(gateway, token, 'browser');
      const { ws } = await openCleanpath(at, token);
      ws.send(requestPdu({ destination: 'browser', ticket }));
    }],
  ]);
  for (const why of Object.keys(whys)) assert.ok(['client', 'client-lost', 'setup'].includes(why), why);
});

// Everything at once, on several workers: bulk in tunnels of each kind, sign-ins, connections that
// come and go, settings, a reload, certificates, an administrator, and an upgrade in the midst of
// it. Made for ThreadSanitizer (scripts/deep), which looks at the threads; whatever happens, no byte
// is changed and nobody is refused. Some seconds; DESKGATE_PATIENCE times as many.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import { present, rdpServer, ticketFor } from './lib/cleanpath.mjs';
import { Gateway, sanitized } from './lib/gateway.mjs';
import { LegacyRdg, WebSocketRdg, data, rdgTicket } from './lib/rdg.mjs';
import { echoServer } from './lib/servers.mjs';
import { patience, sleep, until } from './lib/wait.mjs';
import { Wire } from './lib/wire.mjs';

const SECONDS = 3 * patience;
const TUNNELS = 24;
const REPORT = /(?:WARNING|ERROR): \w+Sanitizer[\s\S]{0,3000}/;

let gateway, echo, office, people, token;

before(async () => {
  echo = await echoServer();
  office = await rdpServer();
  gateway = await Gateway.make({ conf: {
    server: { threads: 4, http_listen: '127.0.0.1:0' }, metrics: { listen: '127.0.0.1:0' },
    login: { user_failures: 1000, address_failures: 100_000 }, rdg: { passwords: 'yes' },
  } });
  gateway.addDesktop('echo', echo.port);
  gateway.addDesktop('office', office.port);
  people = ['anna', 'bert', 'carla', 'dora'].map((name) => gateway.addUser(name));
  for (const one of people) for (const name of ['echo', 'office']) gateway.grant(one, name);
  token = await people[0].token();
});
after(async () => {
  await gateway?.remove();
  await echo?.close();
  await office?.close();
});

let over = false;

// Until the time is over; how often.
async function again(turn, pause = 0) {
  let count = 0;
  for (; !over; count++) {
    await turn(count);
    await sleep(pause);
  }
  return count;
}

const size = () => 1 + Math.floor(Math.random() * 40_000);

async function back(ws) {
  const sent = randomBytes(size());
  ws.send(sent);
  assert.ok((await ws.read(sent.length))?.equals(sent), 'bytes come back unchanged');
}

async function rdg(Way) {
  const one = await Way.connect(gateway);
  assert.equal((await one.open(await rdgTicket(gateway, token, 'echo'), ['echo'])).status, 0);
  const count = await again(async () => {
    const sent = randomBytes(1 + size() % 8000);
    one.send(data(sent));
    assert.ok((await one.take(sent.length)).equals(sent));
  });
  one.drop();
  return count;
}

async function viewer() {
  const made = await ticketFor(gateway, token, 'office');
  const { ws, answer } = await present(gateway, token, { destination: 'office', ticket: made.ticket });
  assert.equal(answer.error, undefined);
  ws.wire.socket.destroy();
}

// Whatever strangers do.
async function stranger(turn) {
  const wire = await (turn % 3 ? gateway.wire() : Wire.tcp(gateway.port));
  wire.send(['GET / HTTP/1.1\r\nHost: x\r\n\r\n', 'GET /x HTTP/1.1\r\nBroken\r\n\r\n', '\0\0\0'][turn % 3]);
  await sleep(5);
  wire.socket.destroy();
}

async function signIn(turn) {
  const one = people[1 + turn % 3];
  const good = one.codes.ready() > 0;
  const answer = await gateway.login({ username: one.name, password: good ? one.password : 'wrong', code: good ? await one.codes.next() : '000000' });
  assert.ok([200, 401, 429].includes(answer.status), answer.body);
  if (answer.status === 200) await gateway.http('POST', '/api/logout', { token: answer.json.token });
}

async function comes() {
  const { ws } = await gateway.tunnel('echo', token);
  await back(ws);
  ws.wire.socket.destroy();
}

async function administers(turn) {
  if (turn % 2) process.kill(gateway.pid, 'SIGHUP');
  else gateway.cli('user', 'limit', 'dora', '--tunnels', String(2 + turn));
  await gateway.http('GET', '/healthz', { fresh: true });
}

test('everything at once', { timeout: 120_000 }, async (t) => {
  const tunnels = await gateway.tunnels('echo', token, TUNNELS);
  const work = {
    echoes: tunnels.map(({ ws }) => again(() => back(ws))),
    'RD Gateway': [rdg(WebSocketRdg), rdg(LegacyRdg)],
    viewers: [again(viewer, 50)],
    strangers: [again(stranger), again(stranger)],
    'sign-ins': [again(signIn), again(signIn)],
    'tunnels that come and go': [again(comes), again(comes)],
    administration: [again(administers, 200)],
  };
  const all = Promise.all(Object.values(work).flat());
  const clock = (async () => {
    await sleep(SECONDS * 400);
    assert.match(gateway.cli('upgrade').stdout, /the new program serves/);
    await sleep(SECONDS * 600);
    over = true;
  })();
  await Promise.race([all, clock.then(() => all)]).finally(() => { over = true; });
  await clock;
  const told = await Promise.all(Object.entries(work).map(async ([name, some]) =>
    `${(await Promise.all(some)).reduce((sum, one) => sum + one, 0)} ${name}`));
  t.diagnostic(`${told.join(', ')} in ${SECONDS} s`);
  for (const { ws } of tunnels) {
    await back(ws);
    ws.wire.socket.destroy();
  }
  await until('all have ended', () => gateway.json('tunnel', 'list').length === 0);
  await gateway.stop();
  if (sanitized) assert.doesNotMatch(gateway.log, REPORT, REPORT.exec(gateway.log)?.[0]);
});

// Gateway passwords: for RDP clients that cannot open an .rdp file. By NTLM with real clients, by
// Basic with one made by hand.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { connect as tlsConnect, createServer } from 'node:tls';
import { Clients, ends, freerdp, freerdp3, samePicture, typesThere } from './lib/clients.mjs';
import { shadowDesktop } from './lib/desktop.mjs';
import { Gateway, isRoot, sanitized } from './lib/gateway.mjs';
import { nowhereIn, typed } from './lib/memory.mjs';
import { run } from './lib/proc.mjs';
import { LegacyRdg, TYPE, WebSocketRdg, answerHead, close, data, handshake, rdgTicket } from './lib/rdg.mjs';
import { echoServer } from './lib/servers.mjs';
import { until } from './lib/wait.mjs';

const newer = freerdp3();
if (newer.missing) console.log(`NOT TESTED WITH FREERDP 3: ${newer.missing}`);
const programs = [['the FreeRDP of this release', freerdp], ...newer.version === freerdp.version ? [] : [['FreeRDP 3', newer]]];

const clients = new Clients();
const open = [];
const secrets = []; // every password that was made so far
let gateway;
let desktop;
let echo;
let anna;
let token;

before(async () => {
  gateway = await Gateway.make({ conf: { rdg: { passwords: 'yes' } } });
  desktop = await shadowDesktop();
  echo = await echoServer();
  anna = gateway.addUser('anna');
  gateway.addDesktop('office', desktop.port);
  gateway.addDesktop('echo', echo.port);
  gateway.addDesktop('secret', echo.port);
  for (const name of ['office', 'echo']) gateway.grant(anna, name);
  token = await anna.token();
});
after(async () => {
  for (const rdg of open) rdg.drop();
  await clients.stop();
  await desktop?.stop();
  await echo?.close();
  await gateway?.remove();
});

const ask = (name, options) => gateway.post(`/api/desktops/${name}/password`, {}, options);

async function account(name = 'office', of = token) {
  const { status, json } = await ask(name, { token: of });
  assert.equal(status, 200);
  secrets.push(json.password);
  return json;
}

const tunnels = () => gateway.json('tunnel', 'list').filter((row) => row.way === 'rdg');
const none = () => until(() => 'no tunnel is left', () => tunnels().length === 0);
// Five minutes and more have passed since their first use.
const signedIn = () => gateway.sql('UPDATE tickets SET used_at = used_at - 301 WHERE used_at > 0');
const denials = () => gateway.audit('--event', 'gateway-password').length;

// ---- what the portal asks for ----

test('a password is made for who may have one', async () => {
  const made = await account('office');
  assert.equal(made.gateway, `localhost:${gateway.port}`);
  assert.equal(made.username, 'anna');
  assert.equal(made.desktop, 'office');
  assert.equal(made.expires_seconds, 300);
  assert.match(made.password, /^([a-hj-km-np-z2-9]{4}-){5}[a-hj-km-np-z2-9]{4}$/);
  assert.notEqual((await account('office')).password, made.password);
  assert.equal((await ask('office')).status, 401);
  assert.equal((await ask('secret', { token })).status, 404);
  assert.equal((await ask('office', { token, headers: {} })).status, 415);
  const foreign = { 'Content-Type': 'application/json', Cookie: `__Host-deskgate=${token}`, Origin: 'https://evil.example' };
  assert.equal((await ask('office', { headers: foreign })).status, 403);
});

// ---- real clients, by NTLM ----

for (const [title, program] of programs) {
  const options = { skip: program.missing && `no FreeRDP 3: ${program.missing.split('\n')[0]}` };
  const client = (of, more) => clients.start(program, { port: gateway.port, account: of, ...more });

  for (const way of ['websocket', 'legacy']) {
    test(`${title}, ${way}: reaches the desktop, comes back after a drop, and not after an end`, options, async () => {
      const made = await account();
      const first = await client(made, { way });
      await samePicture(first, desktop);
      await typesThere(first, desktop);
      assert.equal(tunnels().length, 1);
      if (isRoot && !sanitized) await nowhereIn(gateway, typed('password', made.password));
      first.process.child.kill('SIGKILL');
      await none();

      const second = await client(made, { way });
      await samePicture(second, desktop);
      gateway.cli('tunnel', 'end', String(tunnels()[0].id));
      await ends(second);

      const third = await client(made, { way });
      await ends(third);
      assert.match(third.said(), /ERRCONNECT_ACCESS_DENIED/);
      assert.equal(tunnels().length, 0);
      assert.equal(gateway.audit('--event', 'ticket-refused').at(-1).detail, 'used before, and ended');
    });
  }

  test(`${title}: what is no gateway password of this person's is denied`, options, async () => {
    const { password } = await account();
    const bert = gateway.addUser(`bert${program.version}`);
    const wrong = { 'somebody else\'s': { username: bert.name, password },
      'her own password': { username: 'anna', password: anna.password },
      'a wrong one': { username: 'anna', password: password.replace(/^./, (c) => (c === 'a' ? 'b' : 'a')) },
      nobody: { username: 'nobody', password } };
    for (const [what, one] of Object.entries(wrong)) {
      const before = denials();
      const refused = await client(one);
      await ends(refused);
      assert.match(refused.said(), /ERRCONNECT_ACCESS_DENIED/, what);
      assert.equal(denials(), before + 1, what);
    }
    const right = await client({ username: 'ANNA', password }); // and nothing of it used it up
    await samePicture(right, desktop);
    right.process.child.kill('SIGKILL');
    await none();
  });

  // With a certificate of his own, which this client was told to ignore.
  test(`${title}: who opens TLS on the way cannot pass the proof on`, options, async (t) => {
    const files = ['key', 'cert'].map((name) => join(clients.folder, `${program.version}-${name}.pem`));
    run('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2',
      '-subj', '/CN=localhost', '-keyout', files[0], '-out', files[1]]);
    const [key, cert] = files.map((file) => readFileSync(file));
    const between = createServer({ key, cert }, (here) => {
      const there = tlsConnect({ host: '127.0.0.1', port: gateway.port, ...gateway.tlsOptions() });
      here.pipe(there).pipe(here);
      for (const end of [here, there]) end.on('error', () => {});
    }).listen(0, '127.0.0.1');
    await once(between, 'listening');
    t.after(() => between.close());
    const caught = await client(await account(), { port: between.address().port });
    await ends(caught);
    assert.match(caught.said(), /ERRCONNECT_ACCESS_DENIED/);
    await gateway.said(/the client sees another certificate than ours/);
    assert.equal(tunnels().length, 0);
  });
}

// ---- by hand, with Basic ----

const basic = (username, password) => ({ 'RDG-Auth-Scheme': undefined, Authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` });
const silent = { 'RDG-Auth-Scheme': undefined };

async function connect(Way, ...options) {
  const rdg = await Way.connect(gateway, ...options);
  open.push(rdg);
  return rdg;
}

async function works(rdg, name = 'echo') {
  const { status, at } = await rdg.open(undefined, [name], { auth: 0 });
  assert.equal(status, 0, `0x${status.toString(16)} at ${at}`);
  rdg.send(data(Buffer.from('hello')));
  assert.equal((await rdg.take(5)).toString(), 'hello');
  rdg.send(close());
  await rdg.expect(TYPE.CLOSE_RESPONSE);
  await none();
}

for (const Way of [WebSocketRdg, LegacyRdg]) {
  test(`${Way.kind}: Basic opens the desktop it was made for, and no other`, async () => {
    const made = await account('echo');
    const other = await connect(Way, basic('anna', made.password));
    const refused = await other.open(undefined, ['office'], { auth: 0 });
    assert.deepEqual([refused.at, refused.status], ['channel', 0x800759db]);
    await works(await connect(Way, basic('GW\\Anna', made.password)));
    await works(await connect(Way, basic('anna', made.password))); // a sign-in takes several
    signedIn();
    const again = await connect(Way, basic('anna', made.password));
    assert.equal(again.answer.status, 401);
  });
}

test('what was proved belongs to its connection', async () => {
  const [first, second] = [await account('echo'), await account('echo')];
  const out = async (headers) => (await connect(LegacyRdg, headers, { only: 'out' }));
  const joins = async (of, headers, id = of.id) => {
    of.headers = headers;
    return (await of.join({ id }))?.status ?? 200;
  };
  assert.equal((await out(silent)).answer.status, 401);

  // The second channel must prove the same, and its body's request need not say it again.
  const rdg = await out(basic('anna', first.password));
  assert.equal(rdg.answer.status, 200);
  assert.equal(await joins(rdg, silent), 401);
  const stranger = await gateway.wire();
  open.push({ drop: () => stranger.socket.destroy() });
  rdg.headers = basic('anna', second.password);
  await rdg.join({ wire: stranger }); // its 200 says come with your body, which then finds no pair
  assert.equal((await answerHead(stranger)).status, 409);

  const line = await gateway.wire();
  const put = (lines) => line.send(`RDG_IN_DATA /remoteDesktopGateway/ HTTP/1.1\r\nHost: x\r\nRDG-Connection-Id: ${rdg.id}\r\n${lines}\r\n\r\n`);
  put(`Authorization: ${basic('anna', first.password).Authorization}\r\nContent-Length: 0`);
  assert.equal((await answerHead(line)).status, 200);
  put('Transfer-Encoding: chunked');
  rdg.in = line;
  await works(rdg);
});

test('a client that says with every request who it is, and sends its first packet at once', async () => {
  const made = await account('echo');
  const rdg = await connect(LegacyRdg, basic('anna', made.password), { only: 'out' });
  await rdg.join({ first: LegacyRdg.chunk(handshake(0)) });
  assert.equal((await rdg.expect(TYPE.HANDSHAKE_RESPONSE)).readUInt32LE(0), 0);
  // Who has proved nothing on this connection is not heard on a body's way.
  const stranger = await connect(LegacyRdg, basic('anna', (await account('echo')).password), { only: 'out' });
  const line = await gateway.wire();
  open.push({ drop: () => line.socket.destroy() });
  line.send(`RDG_IN_DATA /remoteDesktopGateway/ HTTP/1.1\r\nHost: x\r\nRDG-Connection-Id: ${stranger.id}\r\nAuthorization: ${basic('anna', made.password).Authorization}\r\nTransfer-Encoding: chunked\r\n\r\n`);
  assert.equal((await answerHead(line)).status, 401);
});

test('the answer 401 says what may be shown, and bounds how often', async () => {
  const wire = await gateway.wire();
  open.push({ drop: () => wire.socket.destroy() });
  const show = async (authorization) => {
    wire.send(`RDG_OUT_DATA /remoteDesktopGateway/ HTTP/1.1\r\nHost: x\r\nRDG-Connection-Id: {1}\r\n${authorization ? `Authorization: ${authorization}\r\n` : ''}\r\n`);
    const answer = await answerHead(wire);
    const length = Number(/content-length: (\d+)/i.exec(answer.text)[1]);
    if (length) await wire.read(length);
    return { ...answer, offers: [...answer.text.matchAll(/^www-authenticate: (.*)\r$/gim)].map((match) => match[1]) };
  };
  const both = ['NTLM', 'Basic realm="deskgate"'];
  const first = 'TlRMTVNTUAABAAAAt4II4gAAAAAAAAAAAAAAAAAAAAAGAbEdAAAADw==';
  const response = Buffer.concat([Buffer.from('NTLMSSP\0'), Buffer.from([3, 0, 0, 0]), Buffer.alloc(100)]).toString('base64');
  const none401 = await show();
  assert.deepEqual([none401.status, none401.offers], [401, both]);
  for (const name of ['NTLM', 'Negotiate', 'ntlm']) { // as often as one likes: nothing was wrong yet
    const challenged = await show(`${name} ${first}`);
    assert.equal(challenged.status, 401);
    assert.equal(challenged.offers.length, 1);
    const [scheme, text] = challenged.offers[0].split(' ');
    assert.equal(scheme.toLowerCase(), name.toLowerCase());
    const message = Buffer.from(text, 'base64');
    assert.equal(message.subarray(0, 12).toString('latin1'), 'NTLMSSP\0\x02\0\0\0');
    assert.doesNotMatch(challenged.text, /connection: close/i);
  }
  for (const wrong of ['Bearer x', 'NTLM !', `NTLM ${response}`]) {
    const denied = await show(wrong);
    assert.deepEqual([denied.status, denied.offers], [401, both]);
    assert.equal(/connection: close/i.test(denied.text), wrong.startsWith('NTLM T'), wrong);
  }
  assert.equal(await wire.read(1), null, 'the connection is closed');
});

test('a ticket still opens without any of this', async () => {
  const rdg = await connect(WebSocketRdg);
  const { status } = await rdg.open(await rdgTicket(gateway, token, 'echo'), ['echo']);
  assert.equal(status, 0);
  rdg.send(close());
  await none();
});

test('no password is in a log or readable in the database', async () => {
  for (const Way of [WebSocketRdg, LegacyRdg]) {
    const { password: waiting } = await account('echo'); // of a session only so many may wait
    assert.equal((await connect(Way, basic('nobody', waiting))).answer.status, 401, 'somebody else\'s');
    for (let i = 0; i < 4; i++) {
      const { password } = await account('echo');
      await works(await connect(Way, basic('anna', password)));
      signedIn();
      assert.equal((await connect(Way, basic('anna', password))).answer.status, 401, 'used before');
    }
  }
  assert.ok(secrets.length > 8);
  const texts = { log: gateway.log, audit: JSON.stringify(gateway.audit()) };
  for (const name of readdirSync(gateway.state).filter((file) => file.startsWith('deskgate.db'))) texts[name] = readFileSync(join(gateway.state, name), 'latin1');
  for (const [where, text] of Object.entries(texts)) {
    for (const secret of secrets) assert.ok(!text.includes(secret), `a password in ${where}`);
    if (where === 'log' || where === 'audit') assert.ok(!text.includes(anna.password), `her own password in ${where}`);
  }
});

// ---- off, which is the default ----

test('without the setting nobody gets one, and clients say why', async (t) => {
  const { password } = await account('echo');
  const offer = async (passwords) => {
    gateway.configure({ rdg: { passwords } });
    await gateway.restart();
  };
  t.after(() => offer('yes'));
  await offer('no');
  const refused = await ask('office', { token });
  assert.equal(refused.status, 404);
  assert.equal(refused.json.error, 'not_offered');
  for (const [, program] of programs.filter(([, { missing }]) => !missing)) {
    for (const way of ['websocket', 'legacy']) {
      const client = await clients.start(program, { port: gateway.port, account: { username: 'anna', password }, way });
      await ends(client);
      assert.match(client.said(), /E_PROXY_UNSUPPORTED_AUTHENTICATION_METHOD/);
    }
  }
  for (const headers of [basic('anna', password), silent]) {
    const rdg = await connect(WebSocketRdg, headers);
    assert.equal(rdg.answer.status, 101);
    rdg.send(handshake(0));
    assert.equal((await rdg.expect(TYPE.HANDSHAKE_RESPONSE)).readUInt32LE(0), 0x800759f9);
  }
});

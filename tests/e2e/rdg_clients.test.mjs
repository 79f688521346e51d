// What people do with RDP clients over an RD Gateway, beyond a first picture: both generations of
// FreeRDP, the clipboard, and networks that break.
import assert from 'node:assert/strict';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Clients, copiesTo, copy, ends, freerdp, freerdp3, paste, rdpFile, samePicture, typesThere, words } from './lib/clients.mjs';
import { shadowDesktop, xrdpDesktop } from './lib/desktop.mjs';
import { Gateway } from './lib/gateway.mjs';
import { Line } from './lib/line.mjs';
import { run } from './lib/proc.mjs';
import { tcpServer } from './lib/servers.mjs';
import { sleep, until } from './lib/wait.mjs';

const PING_SECONDS = 2; // of silence until the gateway asks whether somebody is there
const noXorg = process.getuid() !== 0 && 'xorgxrdp needs root here';
const newer = freerdp3();
if (newer.missing) console.log(`NOT TESTED WITH FREERDP 3: ${newer.missing}`);
const programs = { 'the FreeRDP of this release': freerdp };
if (newer.version !== freerdp.version) programs['FreeRDP 3'] = newer;
const noClient = (program) => program.missing && `no FreeRDP 3: ${program.missing.split('\n')[0]}`;

const clients = new Clients();
const desktops = {};
let gateway;
let token; // of one session: each sign-in waits for a fresh code

before(async () => {
  gateway = await Gateway.make({ conf: { tunnel: { ping_seconds: PING_SECONDS } } });
  const user = gateway.addUser('anna');
  token = await user.token();
  desktops.office = await shadowDesktop();
  if (!noXorg) desktops.xrdp = await xrdpDesktop('--xorg'); // it has a clipboard
  for (const [name, { port }] of Object.entries(desktops)) {
    gateway.addDesktop(name, port);
    gateway.grant(user, name);
  }
});
after(async () => {
  await clients.stop();
  for (const desktop of Object.values(desktops)) await desktop.stop();
  await gateway?.remove();
});

const tunnels = () => gateway.json('tunnel', 'list').filter((row) => row.way === 'rdg');
const ticketFor = async (name) => (await rdpFile(gateway, token, name)).ticket;

// Ten minutes and more have passed since this tunnel ended.
function longAgo(tunnel) {
  const script = 'import sqlite3, sys\nc = sqlite3.connect(sys.argv[1], timeout=10)\n' +
    'c.execute("UPDATE tunnels SET ended_at = ended_at - 601 WHERE id = ?", [sys.argv[2]])\nc.commit()\n';
  run('python3', ['-c', script, join(gateway.state, 'deskgate.db'), String(tunnel)]);
}

// Each FreeRDP by each way.
const variants = Object.entries(programs).flatMap(([title, program]) => ['websocket', 'legacy']
  .map((way) => ({ title: `${title}, ${way}`, program, way })));

for (const { title, program, way } of variants) {
  test(`${title}: picture, keys, and the clipboard both ways`, { skip: noClient(program) }, async (t) => {
    const name = noXorg ? 'office' : 'xrdp';
    const client = await clients.start(program, { port: gateway.port, ticket: await ticketFor(name), name, way, more: ['+clipboard'] });
    t.after(() => client.stop());
    await samePicture(client, desktops[name]);
    await typesThere(client, desktops[name]);
    if (noXorg) {
      t.diagnostic(`no clipboard: ${noXorg}`);
      return;
    }
    const here = client.view.display;
    const there = desktops.xrdp.display;
    await copiesTo(there, here, `from there: ü 東京 ${words(10)}`, client);
    await copiesTo(here, there, `from here: é 京都 ${words(10)}`, client);
  });
}

// ---- what a desktop forbids ----

// FreeRDP 2 does not look at it.
test('FreeRDP 3 keeps to what the desktop forbids', { skip: noClient(newer) || noXorg }, async (t) => {
  const log = join(clients.folder, 'log');
  // Its log's text since it started; what it prints itself comes late.
  async function start(forbidden) {
    gateway.cli('desktop', 'set', 'xrdp', '--forbid', forbidden);
    rmSync(log, { force: true });
    const client = await clients.start(newer, {
      port: gateway.port, ticket: await ticketFor('xrdp'), name: 'xrdp',
      more: [`/drive:share,${clients.folder}`, '/printer:paper', '+clipboard'],
      env: { WLOG_APPENDER: 'file', WLOG_FILEAPPENDER_OUTPUT_FILE_PATH: clients.folder, WLOG_FILEAPPENDER_OUTPUT_FILE_NAME: 'log' },
    });
    t.after(() => client.stop());
    await samePicture(client, desktops.xrdp);
    const said = () => readFileSync(log, 'utf8');
    const says = (due) => until(() => `${due}\n${said()}`, () => due.test(said()), { ms: 60_000 });
    await says(/device service printer \[paper\]/);
    return { client, said, says };
  }
  t.after(() => gateway.cli('desktop', 'set', 'xrdp', '--forbid', 'none'));
  const there = desktops.xrdp.display;

  const free = await start('none');
  await free.says(/device service drive \[share\]/);
  assert.doesNotMatch(free.said(), /policy denies/);
  await copiesTo(there, free.client.view.display, words(10), free.client);
  await free.client.stop();

  const bound = await start('drives,clipboard');
  await bound.says(/policy denies drive/);
  await bound.says(/policy denies clipboard/);
  assert.doesNotMatch(bound.said(), /device service drive/);
  await typesThere(bound.client, desktops.xrdp);
  const secret = words(10);
  for (let i = 0; i < 6; i++) { // far longer than it took before
    copy(there, secret);
    await sleep(500);
  }
  assert.equal(paste(bound.client.view.display), '');
});

// ---- signing in at the desktop takes several connections ----

// A desktop's own users: one line of winpr-hash, in a file.
function samFile(password) {
  const file = join(clients.folder, 'sam');
  const hash = ['winpr-hash', 'winpr-hash3'].find((name) => run('sh', ['-c', `command -v ${name}`], { allow: true }).status === 0);
  writeFileSync(file, run(hash, ['-u', 'office', '-p', password, '-f', 'sam']).stdout);
  return file;
}

// A desktop that knows nothing but RDP's old security: whoever asks for more is told so and closed
// ([MS-RDPBCGR] section 3.3.5.3.2), and asks again.
async function oldDesktop() {
  const server = await tcpServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', (request) => {
      server.asked.push(request.length > 18 && request.at(-8) === 1 ? request.readUInt32LE(request.length - 4) : 0);
      socket.end(Buffer.from(server.asked.at(-1) ? '030000130ed000001234000300080002000000' : '0300000b06d00000123400', 'hex'));
    });
  });
  return Object.assign(server, { asked: [] });
}

for (const { title, program, way } of variants) {
  const options = { skip: noClient(program) };

  test(`${title}: a mistyped password, then the right one, with one file`, options, async (t) => {
    const [wrong, right] = [words(12), words(12)];
    const desktop = await shadowDesktop('--sam', samFile(right));
    const name = `strict-${variants.findIndex((one) => one.title === title)}`;
    t.after(() => desktop.stop());
    gateway.addDesktop(name, desktop.port);
    gateway.grant('anna', name);
    const ticket = await ticketFor(name);
    const enter = (password) => clients.start(program, { port: gateway.port, ticket, name, way, security: ['/sec:nla'], more: ['/u:office', `/p:${password}`] });
    const mistyped = await enter(wrong);
    t.after(() => mistyped.stop());
    await ends(mistyped);
    assert.doesNotMatch(mistyped.said(), /E_PROXY|0x800759/i, 'it is the desktop that refuses, not the gateway');
    const good = await enter(right);
    t.after(() => good.stop());
    await samePicture(good, desktop);
  });

  test(`${title}: asks an old desktop for less and less, with one file`, options, async (t) => {
    const desktop = await oldDesktop();
    t.after(() => desktop.close());
    const name = `old-${variants.findIndex((one) => one.title === title)}`;
    gateway.addDesktop(name, desktop.port);
    gateway.grant('anna', name);
    const client = await clients.start(program, { port: gateway.port, ticket: await ticketFor(name), name, way,
      security: program.version === 2 ? ['/sec:rdp', '+sec-tls'] : ['/sec:rdp,tls'] });
    t.after(() => client.stop());
    await until(() => `it asks for RDP's own; it asked for ${desktop.asked}\n${client.said()}`, () => desktop.asked.includes(0));
    assert.notEqual(desktop.asked[0], 0);
  });
}

// ---- networks that break ----

for (const { title, program, way } of variants) {
  const options = { skip: noClient(program) };

  // A client that comes back by itself, at work behind a line of its own.
  async function onALine(t) {
    const line = await Line.to(gateway.port);
    const client = await clients.start(program, { port: line.port, ticket: await ticketFor('office'), way,
      more: ['+auto-reconnect', '/auto-reconnect-max-retries:4'] });
    t.after(async () => {
      await client.stop();
      await line.close();
      await until(() => 'its tunnels end', () => tunnels().length === 0);
    });
    await samePicture(client, desktops.office);
    return { line, client, tunnel: tunnels()[0].id };
  }

  const isBack = async ({ client, tunnel }) => {
    await until(() => `another tunnel\n${client.said()}`, () => tunnels().some(({ id }) => id !== tunnel), { ms: 120_000 });
    await samePicture(client, desktops.office);
    await typesThere(client, desktops.office);
    await until(() => `one ticket, one tunnel; there are ${JSON.stringify(tunnels())}\n${gateway.log.slice(-4000)}`, () => tunnels().length === 1);
  };

  test(`${title}: back by itself after a reset`, options, async (t) => {
    const one = await onALine(t);
    one.line.reset();
    await isBack(one);
  });

  if (way === 'legacy') {
    test(`${title}: back when one of its two channels broke`, options, async (t) => {
      const one = await onALine(t);
      for (const channel of [0, 1]) { // the one that comes down
        one.tunnel = tunnels()[0].id;
        one.line.reset(channel);
        await isBack(one);
      }
    });
  }

  // What follows is the gateway's doing: two of the variants show it.
  if (program === freerdp !== (way === 'websocket') && newer.command) continue;

  test(`${title}: back before the gateway noticed that it was gone`, options, async (t) => {
    const one = await onALine(t);
    one.line.freeze();
    one.line.forget();
    await isBack(one);
  });

  test(`${title}: silence is noticed, and the client may come back`, options, async (t) => {
    const one = await onALine(t);
    await one.line.answered(2); // a client owes no answers; one that has given any may be missed
    one.line.freeze();
    await until(() => 'the silence is noticed', () => tunnels().length === 0, { ms: 60_000 });
    one.line.forget();
    await isBack(one);
  });

  test(`${title}: not back after the grace`, options, async (t) => {
    const tooLate = () => gateway.audit().filter(({ event, detail }) => event === 'ticket-refused' && detail === 'back too late').length;
    const before = tooLate();
    const { line, client, tunnel } = await onALine(t);
    line.hold(); // however long what follows takes, it tries only once
    line.reset();
    await until(() => 'the drop is noticed', () => tunnels().length === 0);
    longAgo(tunnel);
    line.release();
    await ends(client);
    assert.equal(tunnels().length, 0);
    assert.ok(tooLate() > before);
  });
}

// A full disk, under the state folder: nobody is let in whose sign-in could not be written down, who
// is there goes on, and with some room all works again, without a restart.
import assert from 'node:assert/strict';
import { closeSync, mkdtempSync, openSync, rmSync, statfsSync, unlinkSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { House } from '../lib/fault_house.mjs';
import { sh, within } from '../lib/namespace.mjs';
import { run } from '../lib/proc.mjs';
import { until } from '../lib/wait.mjs';

if (within(fileURLToPath(import.meta.url), ['--mount'], { name: 'with a small disk of its own' })) {
  let house, gateway, disk, ballast;

  before(async () => {
    disk = mkdtempSync(join(tmpdir(), 'deskgate-disk-'));
    sh(`mount --make-rprivate / && mount -t tmpfs -o size=8m,mode=0711 none ${disk}`);
    process.env.TMPDIR = disk; // where the gateway's folder is made
    ballast = join(disk, 'ballast');
    house = await House.open({ conf: { login: { user_failures: 1000, address_failures: 100_000 } } });
    ({ gateway } = house);
  });
  after(async () => {
    await house?.close();
    sh(`umount ${disk}`);
    rmSync(disk, { recursive: true, force: true });
  });

  function fill() {
    const fd = openSync(ballast, 'a');
    for (const size of [65_536, 4_096, 1]) {
      const piece = Buffer.alloc(size);
      try {
        for (;;) writeSync(fd, piece);
      } catch (error) {
        assert.equal(error.code, 'ENOSPC');
      }
    }
    closeSync(fd);
    assert.equal(statfsSync(disk).bavail, 0);
  }
  const makeRoom = () => unlinkSync(ballast);

  // Until the room in what is allocated already (the log in front of the database) is used up, sign-ins
  // are good; the first that is not must say so.
  async function signInUntilFull() {
    for (let i = 0; i < 400; i++) {
      const answer = await house.anna.signIn({ code: '000000' });
      if (answer.status === 401) continue;
      return answer;
    }
    throw new Error('the disk is never full');
  }

  test('full: nothing is acknowledged that is not written, and whoever is there goes on', { timeout: 180_000 }, async (t) => {
    const people = Array.from({ length: 6 }, () => house.books.add());
    const at = gateway.log.length;
    fill();
    let refused = await signInUntilFull();
    assert.deepEqual([refused.status, refused.json.error], [500, 'failed'], refused.body);
    assert.match(refused.json.message, /\w{20}|again|administrator/);
    await gateway.said(/(store|audit): .*(full|disk I\/O error)/, at);
    refused = await people[0].signIn();
    assert.equal(refused.status, 500, 'with both factors, too');
    t.diagnostic(`answers: ${refused.body}`);
    const { ws, answer } = await gateway.tunnel('office', house.token);
    assert.equal(ws, null, 'no tunnel that is not written down');
    assert.equal(answer.status, 500, String(answer.body));
    const added = gateway.cli('user', 'add', 'late', '--password-stdin', { input: 'correct horse battery staple\n', allow: true });
    assert.notEqual(added.status, 0);
    assert.match(added.stderr, /full|disk/);
    assert.equal((await gateway.http('GET', '/api/session', { token: house.token })).status, 200, 'who is signed in still is');
    await house.canary.heard();

    makeRoom();
    assert.equal(await house.books.signIn(people[0]), 200, 'the code of the sign-in that failed is not used up');
    const opened = await gateway.tunnel('office', house.token);
    assert.ok(opened.ws);
    opened.wire.end();
    await house.canary.heard();
    await house.books.whole();
    assert.ok(!gateway.json('user', 'list').some((one) => one.name === 'late'), 'nothing is half there');
  });

  test('a tunnel that ends while the disk is full: its end is on record when there is room', { timeout: 180_000 }, async () => {
    const opened = await gateway.tunnel('office', house.token);
    opened.ws.send(Buffer.from('hello'));
    assert.equal(String(await opened.ws.read(5)), 'hello');
    const before = gateway.audit('--event', 'tunnel-close', '--last', '1000').length;
    fill();
    assert.equal((await signInUntilFull()).status, 500);
    opened.wire.end();
    await until('nobody but the canary is at the desktop', () => house.desktops.office.connections.size === 1);
    assert.equal(gateway.audit('--event', 'tunnel-close', '--last', '1000').length, before, 'it could not be written');
    await house.canary.heard();
    makeRoom();
    const row = await until('its end is on record', () => gateway.audit('--event', 'tunnel-close', '--last', '1000')[before], { every: 200 });
    assert.match(row.detail, /^why=client-lost .*up=5 down=5/);
    await house.canary.heard();
    await house.books.whole();
  });

  test('the keeper is killed while the disk is full', { timeout: 180_000 }, async () => {
    fill();
    assert.equal((await signInUntilFull()).status, 500);
    const keeper = gateway.part('keeper');
    process.kill(keeper, 'SIGKILL');
    await until('another keeper', () => gateway.part('keeper') && gateway.part('keeper') !== keeper);
    await house.canary.stop(); // nobody could revoke it any more
    makeRoom();
    await gateway.healthy();
    await house.gateLost();
    assert.equal(await house.books.signIn(house.books.add()), 200);
    await house.perch();
    await house.canary.heard();
    await house.books.whole();
  });

  test('a start on a full disk is refused with words, and one with room is not', { timeout: 180_000 }, async () => {
    await house.canary.stop();
    await gateway.stop();
    fill();
    const failed = run(gateway.program, ['--state', gateway.state, 'serve'], { allow: true });
    assert.notEqual(failed.status, 0);
    assert.match(failed.stderr, /full|No space left/);
    makeRoom();
    await gateway.serve();
    await house.perch();
    assert.equal(await house.books.signIn(house.books.add()), 200);
    await house.books.whole();
  });
}

// The database and the key beside it: locked by others, damaged, cut short, emptied, removed. A start
// is refused with words that say what to do; a gateway that runs acknowledges nothing that it could
// not write, and comes back by itself where that is possible.
import assert from 'node:assert/strict';
import { closeSync, copyFileSync, existsSync, fstatSync, mkdtempSync, openSync, readFileSync, renameSync, rmSync, statSync, truncateSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { House } from '../lib/fault_house.mjs';
import { isRoot } from '../lib/gateway.mjs';
import { run, start, stop } from '../lib/proc.mjs';
import { sleep, until } from '../lib/wait.mjs';

const PAGE = 4096;

// Writes rubbish over all pages from that one on.
function damage(file, first) {
  const fd = openSync(file, 'r+');
  const size = fstatSync(fd).size;
  writeSync(fd, Buffer.alloc(size - first * PAGE, 0x5a), 0, size - first * PAGE, first * PAGE);
  closeSync(fd);
}

// ---- locked, until their standard input ends; which is mostly waiting, so the others go on beside it ----

const LOCKS = {
  'a writer that does not end': ['deskgate.db', 'import sqlite3,sys,time\nc=sqlite3.connect(sys.argv[1],isolation_level=None)\n' +
    'c.execute("BEGIN EXCLUSIVE")\nprint("held",flush=True)\nsys.stdin.read()\nc.execute("ROLLBACK")\n'],
  // As a process that was stopped in the midst of recovery would: readers have to wait, too.
  'all locks of the log': ['deskgate.db-shm', 'import fcntl,sys,time\nf=open(sys.argv[1],"r+b")\n' +
    'while True:\n try:\n  fcntl.lockf(f,fcntl.LOCK_EX|fcntl.LOCK_NB,8,120)\n  break\n except OSError:\n  time.sleep(.001)\n' +
    'print("held",flush=True)\nsys.stdin.read()\n'],
};

describe('the database', { concurrency: true }, () => {
  describe('locked by another program', { concurrency: true }, () => {
    for (const [what, [name, script]] of Object.entries(LOCKS)) {
      test(what, { timeout: 300_000 }, async (t) => {
        const house = await House.open();
        const { gateway, books } = house;
        try {
          const [first, second] = [books.add(), books.add()];
          const at = gateway.log.length;
          const locker = start('python3', ['-c', script, join(gateway.state, name)], { stdio: ['pipe', 'pipe', 'pipe'] });
          t.after(() => stop(locker));
          await until(() => `it is held ${locker.err}`, () => /held/.test(locker.out));
          const begun = Date.now();
          const refused = await gateway.login({ username: first.name, password: first.password, code: await first.codes.lasting() },
            { timeout: 120_000 }); // the database is waited for more than once
          t.diagnostic(`${refused.status} after ${Date.now() - begun} ms; slowest beat ${house.canary.slowest} ms`);
          assert.ok(refused.status === 500 || (name !== 'deskgate.db' && refused.status === 200), refused.body); // readers may be early enough
          if (refused.status === 500) await gateway.said(/lock(ed|ing protocol): another program holds it/, at);
          await house.canary.heard();
          const waiting = books.signIn(second, { code: await second.codes.lasting() }); // comes while it is locked, and is good as soon as it is not
          await sleep(1_500); // of five seconds that the gateway waits
          locker.child.stdin.end();
          await locker.ended;
          assert.equal(await waiting, 200);
          assert.equal(await books.signIn(first), 200, 'a code of a sign-in that failed is not used up');
          await house.canary.heard();
          await books.whole();
        } finally {
          await house.close();
        }
      });
    }
  });

  // ---- while it is stopped ----

  describe('found at the start', { concurrency: false }, () => {
    let house, gateway, folder;
    let number = 0;

    before(async () => {
      house = await House.open();
      ({ gateway } = house);
      for (let i = 0; i < 3; i++) await house.books.signIn(house.books.add());
      await house.canary.stop();
      await gateway.stop();
      folder = mkdtempSync(join(gateway.folder, 'copies-'));
      if (isRoot) run('chmod', ['711', folder]);
    });
    after(() => house?.close());

    const DAMAGES = {
      'rubbish in its head': [/file is not a database: stop the gateway and restore your backup with 'deskgate restore'/,
        ({ db }) => damage(db, 0)],
      'rubbish behind its head': [/malformed.*restore your backup with 'deskgate restore'/, ({ db }) => damage(db, 1)],
      'half of it': [/malformed.*restore your backup with 'deskgate restore'/,
        ({ db }) => truncateSync(db, (statSync(db).size / PAGE >> 1) * PAGE)],
      'nothing in it': [/deskgate\.db is empty: restore your backup/, ({ db }) => truncateSync(db, 0)],
      'no database': [/there is no database at .*deskgate\.db: restore your backup/, ({ db }) => rmSync(db)],
      'a database that may not be read': [/unable to open database file: the gateway's user must be able to read and write/, ({ db }) => run('chown', ['root:root', db])],
      'a database that may only be read': [/deskgate\.db may only be read: the gateway's user must be able to read and write/, ({ db }) => {
        run('chown', ['root:root', db]);
        run('chmod', ['444', db]);
      }],
      'no key': [/secret\.key: No such file.*restore the file from\s+your backup/s, ({ key }) => rmSync(key)],
      'half a key': [/secret\.key is not a key of 32 bytes: restore it from your backup/, ({ key }) => truncateSync(key, 16)],
      'another key': [/not the key that people's second factors were sealed with: restore the file/,
        ({ key }) => writeFileSync(key, Buffer.alloc(32, 7))],
      'no certificate': [/cert\.pem: No such file/, ({ state }) => rmSync(join(state, 'tls/cert.pem'))],
    };

    for (const [what, [words, act]] of Object.entries(DAMAGES)) {
      const skip = !isRoot && /may/.test(what) ? 'only root can take it away' : false;
      test(what, { skip, timeout: 180_000 }, () => {
        const state = join(folder, String(number++));
        run('cp', ['-a', gateway.state, state]);
        const paths = { state, db: join(state, 'deskgate.db'), key: join(state, 'secret.key') };
        act(paths);
        const before = existsSync(paths.db) && readFileSync(paths.db);
        const told = run('timeout', ['10', gateway.program, '--state', state, 'serve'], { allow: true });
        assert.equal(told.status, 78, told.stderr);
        assert.match(told.stderr, words);
        assert.deepEqual(existsSync(paths.db) && readFileSync(paths.db), before, 'what is left is not touched');
      });
    }
  });

  // ---- while it runs ----

  describe('while the gateway runs', { concurrency: false }, () => {
    let house, gateway, books, backup, inBackup;

    // A house of its own for each: what becomes of it is different.
    async function open(t) {
      house = await House.open();
      t.after(() => house.close());
      ({ gateway, books } = house);
      for (let i = 0; i < 3; i++) await books.signIn(books.add());
      backup = join(gateway.folder, 'backup');
      gateway.cli('backup', backup);
      inBackup = [...books.people];
    }

    const path = (name) => join(gateway.state, name);

    test('removed: it stops acknowledging, says so, and is back when the file is', { timeout: 180_000 }, async (t) => {
      await open(t);
      const late = books.add();
      const at = gateway.log.length;
      const names = ['deskgate.db', 'deskgate.db-wal', 'deskgate.db-shm'];
      for (const name of names) renameSync(path(name), path(`away.${name}`));
      await until('it says so', () => /the database was removed or replaced while the gateway had it open/.test(gateway.log.slice(at)));
      await until('the canary is let go', () => house.canary.ws.wire.over);
      await house.canary.stop();
      await assert.rejects(late.signIn(), 'nobody serves');
      await until('it says what to do', () => /there is no database at .*restore your backup/.test(gateway.log.slice(at)));
      assert.ok(!existsSync(path('deskgate.db')), 'no empty one takes its place');
      for (const name of names) if (existsSync(path(`away.${name}`))) renameSync(path(`away.${name}`), path(name));
      await gateway.healthy();
      assert.equal(await books.signIn(late), 200);
      await house.gateLost();
      await house.perch();
      await books.whole();
    });

    test('the index of its log is cut off: the keeper may die of it, and is back', { timeout: 180_000 }, async (t) => {
      await open(t);
      truncateSync(path('deskgate.db-shm'), 0);
      const person = books.add();
      let status;
      await until(() => `somebody is let in again, not ${status}`, async () => {
        status = await books.signIn(person).catch((error) => error.code);
        return status === 200;
      }, { every: 300 });
      await house.canary.stop();
      await house.perch();
      await books.whole();
    });

    test('rubbish over all of it: nothing false is said, and a restore has what was in the backup', { timeout: 180_000 }, async (t) => {
      await open(t);
      const at = gateway.log.length;
      gateway.sql('PRAGMA wal_checkpoint(TRUNCATE)');
      damage(path('deskgate.db'), 1);
      const answers = {};
      for (let i = 0; i < 4; i++) {
        const answer = await house.anna.signIn({ code: '000000' }).catch((error) => ({ status: error.code }));
        answers[answer.status] = (answers[answer.status] ?? 0) + 1;
      }
      t.diagnostic(JSON.stringify(answers));
      assert.ok(!answers[200]);
      await sleep(300);
      const keeper = gateway.part('keeper'); // there is none while it is started again
      if (keeper) process.kill(keeper, 'SIGKILL'); // so that nothing of what it remembers helps
      await until('it says what to do', () => /malformed.*restore your backup with 'deskgate restore'/.test(gateway.log.slice(at)));
      await house.canary.stop();
      await gateway.stop();
      rmSync(gateway.state, { recursive: true });
      gateway.cli('restore', backup);
      if (isRoot) run('chown', ['-R', 'nobody:nogroup', gateway.state]);
      await gateway.serve();
      assert.equal((await house.anna.signIn()).status, 200);
      const names = gateway.json('user', 'list').map((one) => one.name);
      for (const name of inBackup) assert.ok(names.includes(name), name);
      gateway.cli('audit', 'verify');
      copyFileSync(backup, join(gateway.folder, 'again'));
    });
  });
});

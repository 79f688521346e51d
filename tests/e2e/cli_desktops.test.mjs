// The command line's verbs for desktops, groups, grants and limits.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EX, addDesktop, addUser, audit, bad, good, json, sql, eachAtItsOwn } from './lib/cli.mjs';

const addNamed = () => addDesktop('named', 'pc.example.com', '--port', '13390');

eachAtItsOwn();

test('desktops', () => {
  const made = json(['desktop', 'add', 'desk', '--host', '192.168.10.7']);
  assert.deepEqual(made, { name: 'desk', host: '192.168.10.7', port: 3389, mac: '', description: '',
    trust: 'first-use', fingerprint: '', same_credentials: false, forbidden: [], rdp_settings: [],
    groups: [], tunnels: 0, idle_seconds: 0, absolute_seconds: 0, step_up_seconds: 0 });
  assert.equal(json(['desktop', 'add', 'six', '--host', '[fd00::7]', '--port=3390']).host, 'fd00::7');
  const named = json(['desktop', 'add', 'named', '--host', 'pc.example.com', '--description',
    'Büro 東京', '--mac', '00-1A-2B-3C-4D-5E']);
  assert.equal(named.description, 'Büro 東京');
  assert.equal(named.mac, '00:1a:2b:3c:4d:5e');
  assert.deepEqual(json(['desktop', 'list']).map((desktop) => desktop.name), ['desk', 'named', 'six']);
  assert.match(good(['desktop', 'list']).stdout, /Büro 東京/);

  const set = json(['desktop', 'set', 'named', '--port', '13389', '--mac', '']);
  assert.deepEqual([set.host, set.port, set.mac], ['pc.example.com', 13389, '']);
  bad(EX.USAGE, /nothing to change/, ['desktop', 'set', 'named']);
  bad(EX.NO_ROW, /did you mean 'named'/, ['desktop', 'set', 'nmaed', '--port', '1']);
  bad(EX.DATA, /already a desktop/, ['desktop', 'add', 'DESK', '--host', 'x']);
  bad(EX.USAGE, /--host/, ['desktop', 'add', 'nowhere']);
  for (const host of ['', 'a b', 'desk:3389', '[fd00::1', '300.1.1.1', '127.1', '-x', 'x\x1b[2J'])
    assert.doesNotMatch(bad(EX.DATA, /--host/, ['desktop', 'add', 'n', '--host', host]).stderr, /\x1b/);
  for (const port of ['0', '65536', '-1', '3389x', ''])
    bad(EX.DATA, /1 to 65535/, ['desktop', 'add', 'n', '--host', 'x', `--port=${port}`]);
  bad(EX.DATA, /MAC/, ['desktop', 'add', 'n', '--host', 'x', '--mac', '00:11:22']);
  bad(EX.DATA, /control characters/,
    ['desktop', 'add', 'n', '--host', 'x', '--description', 'a\x1b]0;x\x07']);
  bad(EX.DATA, /200 bytes/, ['desktop', 'add', 'n', '--host', 'x', '--description', 'x'.repeat(201)]);
});

test('desktops where people have the same name', () => {
  addNamed();
  assert.equal(json(['desktop', 'set', 'named', '--same-credentials', 'yes']).same_credentials, true);
  assert.equal(json(['desktop', 'set', 'named', '--port', '13390']).same_credentials, true);
  bad(EX.DATA, /neither yes nor no/, ['desktop', 'set', 'named', '--same-credentials', 'maybe']);
  assert.equal(json(['desktop', 'set', 'named', '--same-credentials', 'no']).same_credentials, false);
});

test('what may not be redirected', () => {
  addNamed();
  const forbid = (words) => json(['desktop', 'set', 'named', '--forbid', words]).forbidden;
  const listed = () => json(['desktop', 'list']).find((desktop) => desktop.name === 'named');
  const last = () => audit('--event', 'desktop-set').at(-1).detail;
  assert.deepEqual(listed().forbidden, []);
  assert.deepEqual(forbid('printers,drives'), ['drives', 'printers']);
  assert.match(last(), /^pc2?\.example\.com port 13390 forbid=drives,printers rdp-settings=none$/);
  assert.deepEqual(json(['desktop', 'set', 'named', '--port', '13390']).forbidden,
    ['drives', 'printers'], 'it stays when something else is changed');
  assert.deepEqual(listed().forbidden, ['drives', 'printers']);
  assert.match(good(['desktop', 'show', 'named']).stdout,
    /^name +named\n(.*\n)*forbidden +drives\n +printers\nrdp settings +-\n/);
  assert.deepEqual(json(['desktop', 'show', 'NAMED']), listed());
  assert.deepEqual(forbid('all'), ['drives', 'printers', 'ports', 'clipboard', 'pnp']);
  for (const words of ['', 'drive', 'drives,', ',drives', 'drives printers', 'drives,none', 'all,pnp'])
    bad(EX.DATA, /drives, printers, ports, clipboard and pnp/, ['desktop', 'set', 'named', `--forbid=${words}`]);
  assert.deepEqual(listed().forbidden.length, 5);
  assert.deepEqual(forbid('none'), []);
  assert.match(last(), / forbid=none /);
  const made = json(['desktop', 'add', 'strict', '--host', '10.0.0.1', '--forbid', 'clipboard,pnp,clipboard']);
  assert.deepEqual(made.forbidden, ['clipboard', 'pnp']);
  good(['desktop', 'remove', 'strict']);
  bad(EX.NO_ROW, /did you mean 'named'/, ['desktop', 'show', 'nmaed']);
});

test('settings of a desktop for .rdp files', () => {
  addNamed();
  const setting = (...lines) => json(['desktop', 'set', 'named',
    ...lines.flatMap((line) => ['--rdp-setting', line])]).rdp_settings;
  const listed = () => json(['desktop', 'list']).find((desktop) => desktop.name === 'named').rdp_settings;
  assert.deepEqual(listed(), []);
  assert.deepEqual(setting('use multimon:i:1', 'audiomode:i:2'), ['use multimon:i:1', 'audiomode:i:2']);
  assert.deepEqual(json(['desktop', 'set', 'named', '--forbid', 'none']).rdp_settings.length, 2, 'they stay');
  assert.deepEqual(setting('use multimon:i:0'), ['audiomode:i:2', 'use multimon:i:0'], 'in place of the old one');
  assert.match(audit('--event', 'desktop-set').at(-1).detail,
    / rdp-settings=audiomode:i:2,use multimon:i:0$/);
  assert.match(good(['desktop', 'show', 'named']).stdout,
    /rdp settings +audiomode:i:2\n +use multimon:i:0\n/);
  for (const line of ['', 'multimon', 'use multimon:i', 'use multimon:i:yes', 'audiomode:i:1\nusername:s:x',
    'gatewayhostname:s:evil.example', 'full address:s:evil.example', 'gatewayaccesstoken:s:x',
    'username:s:anna', 'drivestoredirect:s:*', 'redirectclipboard:i:1', 'signscope:s:x'])
    bad(EX.DATA, /^deskgate: --rdp-setting '/, ['desktop', 'set', 'named', '--rdp-setting', line]);
  bad(EX.DATA, /^deskgate: --rdp-setting '/, // all or nothing
    ['desktop', 'set', 'named', '--rdp-setting', 'audiomode:i:0', '--rdp-setting', 'username:s:x']);
  assert.deepEqual(listed(), ['audiomode:i:2', 'use multimon:i:0']);
  assert.deepEqual(setting('none', 'audiomode:i:1'), ['audiomode:i:1']);
  assert.deepEqual(setting('none'), []);
  bad(EX.USAGE, /too often/, ['desktop', 'set', 'named',
    ...Array(33).fill('--rdp-setting=audiomode:i:1')]);
  const made = json(['desktop', 'add', 'wide', '--host', '10.0.0.1', '--rdp-setting=use multimon:i:1']);
  assert.deepEqual(made.rdp_settings, ['use multimon:i:1']);
  good(['desktop', 'remove', 'wide']);
});

test('which certificate of a desktop is trusted', () => {
  addNamed();
  const seen = 'ab'.repeat(32);
  const typed = `${'AB:'.repeat(16)} ${'ab '.repeat(16)}`;
  const trust = (...args) => json(['desktop', 'trust', 'named', ...args]);
  const last = () => audit('--event', 'desktop-trust').at(-1).detail;
  const listed = () => json(['desktop', 'list']).find((desktop) => desktop.name === 'named');
  const remember = (print) => sql(`UPDATE desktops SET fingerprint = x'${print}', fingerprint_at = 1000 WHERE name = 'named'`);

  assert.deepEqual(trust(), { name: 'named', trust: 'first-use', fingerprint: '', fingerprint_at: null });
  assert.match(good(['desktop', 'trust', 'named']).stdout, /the next certificate seen is remembered/);
  remember(seen);
  assert.equal(trust().fingerprint, seen);
  assert.equal(listed().fingerprint, seen);
  assert.match(good(['desktop', 'trust', 'named']).stdout, new RegExp(seen));
  assert.equal(audit('--event', 'desktop-trust').length, 0, 'looking leaves no trace');

  assert.equal(trust('--renew').fingerprint, '');
  assert.equal(last(), `first-use, not any more ${seen}`);
  remember(seen);
  assert.equal(json(['desktop', 'set', 'named', '--host', 'pc2.example.com']).name, 'named');
  assert.equal(trust().fingerprint, '', 'another machine');

  assert.deepEqual([trust('--pin', typed).trust, trust().fingerprint], ['pin', seen]);
  assert.equal(last(), `pin ${seen}`);
  assert.notEqual(trust().fingerprint_at, null);
  bad(EX.DATA, /pinned; .*--pin, or --first-use/, ['desktop', 'trust', 'named', '--renew']);
  assert.deepEqual([trust().trust, listed().fingerprint], ['pin', seen]);

  const told = good(['desktop', 'trust', 'named', '--ca']);
  assert.match(told.stderr, /warning: .*authorities/);
  assert.deepEqual([trust().trust, trust().fingerprint], ['ca', '']);
  bad(EX.DATA, /--first-use/, ['desktop', 'trust', 'named', '--renew']);
  assert.equal(trust('--first-use').trust, 'first-use');

  for (const print of ['', 'ab', 'ab'.repeat(33), `${'ab'.repeat(31)}ag`, 'ab'.repeat(31)])
    bad(EX.DATA, /64 hexadecimal digits/, ['desktop', 'trust', 'named', `--pin=${print}`]);
  bad(EX.USAGE, /one of/, ['desktop', 'trust', 'named', '--ca', '--renew']);
  bad(EX.USAGE, /one of/, ['desktop', 'trust', 'named', '--first-use', '--pin', seen]);
  bad(EX.NO_ROW, /did you mean 'named'/, ['desktop', 'trust', 'nmaed']);
});

test('ports of other services, and addresses that may not be dialled, are warned about', () => {
  for (const port of ['22', '80', '135', '443', '445', '5900', '49152', '65535']) {
    const told = good(['desktop', 'add', `p${port}`, '--host', '10.0.0.1', '--port', port]);
    assert.match(told.stderr, new RegExp(`warning: port ${port} is`));
    good(['desktop', 'remove', `p${port}`]);
  }
  const usual = good(['desktop', 'add', 'usual', '--host', '10.0.0.1', '--port', '3390']);
  assert.equal(usual.stderr, '');
  assert.match(good(['desktop', 'set', 'usual', '--host', '169.254.1.1']).stderr, /\[dial\]/);
  good(['desktop', 'remove', 'usual']);
  bad(EX.NO_ROW, /no desktop 'usual'/, ['desktop', 'remove', 'usual']);
});

test('groups', () => {
  addUser('alice');
  assert.deepEqual(json(['group', 'add', 'sales']), { name: 'sales', members: 0 });
  bad(EX.DATA, /already a group/, ['group', 'add', 'sales']);
  bad(EX.DATA, /cannot name a group/, ['group', 'add', '--', '-x y']);
  good(['group', 'join', 'sales', 'alice']);
  bad(EX.DATA, /already in group/, ['group', 'join', 'sales', 'alice']);
  bad(EX.NO_ROW, /no user 'nobody'/, ['group', 'join', 'sales', 'nobody']);
  bad(EX.NO_ROW, /no group 'nogroup'/, ['group', 'join', 'nogroup', 'alice']);
  assert.deepEqual(json(['group', 'members', 'sales']), [{ name: 'alice', disabled: false }]);
  assert.deepEqual(json(['group', 'list']), [{ name: 'sales', members: 1 }]);
  good(['group', 'leave', 'sales', 'alice']);
  bad(EX.NO_ROW, /not in group/, ['group', 'leave', 'sales', 'alice']);
  assert.deepEqual(json(['group', 'members', 'sales']), []);
});

test('groups of desktops', () => {
  addUser('alice');
  addDesktop('desk');
  good(['group', 'add', 'sales']);
  assert.deepEqual(json(['desktop-group', 'add', 'rooms']), { name: 'rooms', members: 0 });
  bad(EX.DATA, /already a desktop group/, ['desktop-group', 'add', 'ROOMS']);
  good(['desktop-group', 'join', 'rooms', 'desk']);
  bad(EX.DATA, /desk is already in desktop group rooms/, ['desktop-group', 'join', 'rooms', 'desk']);
  bad(EX.NO_ROW, /no desktop 'alice'/, ['desktop-group', 'join', 'rooms', 'alice']);
  bad(EX.NO_ROW, /no desktop-group 'room', did you mean 'rooms'/, ['desktop-group', 'members', 'room']);
  assert.deepEqual(json(['desktop-group', 'members', 'rooms']), [{ name: 'desk' }]);
  good(['grant', 'add', '--group', 'sales', '--desktop-group', 'rooms']);
  bad(EX.DATA, /group sales may already reach desktop group rooms/, ['grant', 'add', '--group', 'sales', '--desktop-group', 'rooms']);
  bad(EX.USAGE, /who and which/, ['grant', 'add', 'alice', 'desk', '--desktop-group', 'rooms']);
  assert.deepEqual(json(['grant', 'limit', '--group', 'sales', '--desktop-group', 'rooms', '--hours', 'mon 08:00-09:00']),
    { who: 'sales', desktop: 'rooms', from: null, until: null, hours: 'mon 08:00-09:00' });
  assert.deepEqual(json(['grant', 'list', '--desktop-group', 'rooms']),
    [{ kind: 'group', who: 'sales', desktop: 'rooms', desktop_group: true, from: null, until: null, hours: 'mon 08:00-09:00' }]);
  good(['grant', 'add', 'alice', '--desktop-group', 'rooms']);
  good(['grant', 'remove', 'alice', '--desktop-group', 'rooms']);
  good(['desktop-group', 'leave', 'rooms', 'desk']);
  bad(EX.NO_ROW, /not in desktop group/, ['desktop-group', 'leave', 'rooms', 'desk']);
  good(['desktop-group', 'remove', 'rooms']);
  assert.deepEqual(json(['grant', 'list']), []);
});

test('limits in time', () => {
  addUser('alice');
  addDesktop('desk');
  assert.deepEqual(json(['desktop', 'limit', 'desk', '--idle', '15m', '--absolute', '8h', '--step-up', '90s']),
    { name: 'desk', tunnels: 0, idle_seconds: 900, absolute_seconds: 28800, step_up_seconds: 90 });
  assert.equal(json(['desktop', 'limit', 'desk', '--idle', 'none']).idle_seconds, 0);
  assert.equal(json(['desktop', 'limit', 'desk', '--absolute', 'none', '--step-up', 'none']).step_up_seconds, 0);
  assert.equal(json(['user', 'limit', 'alice', '--absolute', '2d']).absolute_seconds, 172800);
  assert.equal(json(['user', 'limit', 'alice', '--absolute', 'none']).absolute_seconds, 0);
  for (const time of ['', '5', '5s', '-5m', '400d', '1h30m', 'soon'])
    bad(EX.DATA, /give a time such as 90s/, ['desktop', 'limit', 'desk', `--idle=${time}`]);
});

const always = { desktop_group: false, from: null, until: null, hours: '' };

test('grants', () => {
  for (const name of ['alice', 'bob']) addUser(name);
  for (const name of ['desk', 'six']) addDesktop(name);
  good(['group', 'add', 'sales']);
  assert.deepEqual(json(['grant', 'add', 'alice', 'desk']),
    { kind: 'user', who: 'alice', desktop: 'desk', ...always });
  good(['grant', 'add', '--user', 'bob', 'desk']);
  good(['grant', 'add', '--group', 'sales', 'six']);
  assert.equal(json(['grant', 'list']).length, 3);
  assert.deepEqual(json(['grant', 'list', '--group', 'sales']),
    [{ kind: 'group', who: 'sales', desktop: 'six', ...always }]);
  assert.equal(json(['grant', 'list', '--desktop', 'desk']).length, 2);
  bad(EX.DATA, /already/, ['grant', 'add', 'alice', 'desk']);
  bad(EX.NO_ROW, /no user 'sales'/, ['grant', 'add', 'sales', 'desk']);
  bad(EX.NO_ROW, /no desktop 'dekk', did you mean 'desk'/, ['grant', 'add', 'alice', 'dekk']);
  bad(EX.USAGE, /who and which/, ['grant', 'add', 'alice']);
  bad(EX.USAGE, /not both/, ['grant', 'add', '--user', 'a', '--group', 'b', 'desk']);
  good(['grant', 'remove', 'bob', 'desk']);
  bad(EX.NO_ROW, /no grant/, ['grant', 'remove', 'bob', 'desk']);
  good(['group', 'remove', 'sales']);
  assert.deepEqual(json(['grant', 'list']).map((grant) => grant.who), ['alice']);
});

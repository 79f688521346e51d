// What a new administrator may well do, and what is said then: words that read otherwise than they are
// taken, files that are in the way, settings that leave a trap.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Gateway } from './lib/gateway.mjs';

let gateway;
before(async () => {
  gateway = await Gateway.make({ serve: false });
});
after(() => gateway?.remove());

const refused = (status, words, ...args) => {
  const said = gateway.cli(...args, { allow: true });
  assert.equal(said.status, status, said.stdout + said.stderr);
  assert.match(said.stderr, words);
  return said;
};

// A person with a grant for a desktop, of the test's own.
function grant(person, desktop) {
  const user = gateway.addUser(person);
  gateway.addDesktop(desktop, 3389, '10.0.0.7');
  gateway.grant(user, desktop);
  return user;
}

test('hours in which a day without times stands before one with times are refused, and read on where they stand', () => {
  grant('hanna', 'hours');
  refused(65, /a day without times is the whole day/, 'grant', 'limit', 'hanna', 'hours', '--hours', 'mon,wed,fri 08:00-18:00');
  const allowed = (at) => gateway.json('explain', 'hanna', 'hours', '--at', at).allowed;
  for (const hours of ['mon 08:00-18:00, wed 08:00-18:00', 'mon-fri 08:00-18:00, sat', 'mon,tue']) gateway.cli('grant', 'limit', 'hanna', 'hours', '--hours', hours);
  assert.equal(allowed('2026-11-30T03:00'), true, 'a Monday without times');
  const grants = () => JSON.parse(gateway.cli('check', '--json', { allow: true }).stdout).items.filter(({ item }) => item === 'grant');
  assert.deepEqual(grants().map(({ level }) => level), ['ok']);
  // As a version before took them.
  gateway.sql('UPDATE grants SET hours = ? WHERE user_id = (SELECT id FROM users WHERE name = ?)', 'mon,wed 08:00-18:00', 'hanna');
  assert.equal(allowed('2026-11-30T03:00'), true);
  assert.equal(allowed('2026-12-02T03:00'), false);
  const [found] = grants();
  assert.equal(found.level, 'warning');
  assert.match(found.message, /^hanna for hours: 'mon,wed 08:00-18:00' has days without times, which are whole days$/);
  assert.match(found.mend, /grant limit/);
  gateway.sql('UPDATE grants SET hours = ?', '');
});

// The card in the middle of the viewer's page.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { paper } from './paper.mjs';
import { fresh, pretend } from './portal_rig.mjs';

const IDS = ['card', 'card-title', 'card-text', 'card-do', 'form', 'factor', 'again', 'username', 'password', 'domain', 'code', 'progress', 'card-actions', 'card-home'];

async function card(t, { shown = () => {}, desktop = 'office' } = {}) {
  const { sheet, make } = paper(t);
  for (const id of IDS) sheet.body.append(Object.assign(make('div'), { id }));
  const { Card } = await fresh('viewer/card.js');
  const got = [];
  const made = new Card({ desktop, submitted: (credentials) => got.push(credentials), shown, again() {} });
  return { sheet, got, card: made, element: (id) => sheet.getElementById(id) };
}

test('the gateway\'s password is not filled in for the desktop, unless people have the same name there', async (t) => {
  const { card: made, element } = await card(t);
  made.ask({ username: '', same: false });
  assert.deepEqual([element('username').autocomplete, element('password').autocomplete], ['off', 'new-password']);
  made.ask({ username: 'anna', same: true });
  assert.deepEqual([element('username').autocomplete, element('password').autocomplete], ['username', 'current-password']);
  assert.equal(element('username').value, 'anna');
});

test('DOMAIN\\name is taken apart, also where the domain stands in its own field', async (t) => {
  const { got, element } = await card(t);
  for (const [typed, domain, wanted] of [['anna', '', ['anna', '']], ['CORP\\anna', '', ['anna', 'CORP']], ['CORP\\anna', 'CORP', ['anna', 'CORP']],
    [' .\\anna ', 'CORP', ['anna', '.']], ['AzureAD\\anna@company.com', 'AzureAD', ['anna@company.com', 'AzureAD']], ['anna@company.com', ' ', ['anna@company.com', '']]]) {
    Object.assign(element('username'), { value: typed });
    Object.assign(element('domain'), { value: domain });
    element('form').dispatchEvent(new Event('submit', { cancelable: true }));
    assert.deepEqual([got.at(-1).username, got.at(-1).domain], wanted, typed);
  }
});

test('a code that a Japanese keyboard typed is the one that the phone shows', async (t) => {
  const shown = [];
  const { card: made, element } = await card(t, { shown: (code) => shown.push(code) });
  made.askFactor('stale-factor');
  element('code').value = '１２３ ４５６\u3000';
  element('factor').dispatchEvent(new Event('submit', { cancelable: true }));
  assert.deepEqual(shown, ['123456']);
});

test('who has to sign in comes back to this desktop, whatever it is called; from elsewhere one goes to the list', async (t) => {
  const { card: made, element } = await card(t, { desktop: '//example.org/#&?' });
  for (const reason of ['signed-out', 'password-due']) {
    made.trouble(reason);
    assert.equal(element('card-home').href, '/#open=%2F%2Fexample.org%2F%23%26%3F', reason);
  }
  made.trouble('not-allowed');
  assert.equal(element('card-home').href, '/');
});

test('the name is filled in also for who wrote the desktop\'s in other letters', async (t) => {
  pretend(t, 'fetch', async (path) => new Response(JSON.stringify(path === '/api/session' ? { username: 'anna' }
    : { desktops: [{ name: 'Lab', same_credentials: false }, { name: 'Office-PC', same_credentials: true }] })));
  const { lookUp } = await fresh('viewer/look_up.js');
  assert.deepEqual(await lookUp('office-pc'), { same: true, username: 'anna' });
  assert.deepEqual(await lookUp('LAB'), { same: false, username: '' });
  assert.deepEqual(await lookUp('office'), { same: false, username: '' });
});

// The card in the middle of the viewer's page.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { paper } from './paper.mjs';
import { fresh } from './portal_rig.mjs';

const IDS = ['card', 'card-title', 'card-text', 'card-do', 'form', 'factor', 'again', 'username', 'password', 'domain', 'code', 'progress', 'card-actions'];

async function card(t) {
  const { sheet, make } = paper(t);
  for (const id of IDS) sheet.body.append(Object.assign(make('div'), { id }));
  const { Card } = await fresh('viewer/card.js');
  return { sheet, card: new Card({ desktop: 'office', submitted() {}, shown() {}, again() {} }), element: (id) => sheet.getElementById(id) };
}

test('the gateway\'s password is not filled in for the desktop, unless people have the same name there', async (t) => {
  const { card: made, element } = await card(t);
  made.ask({ username: '', same: false });
  assert.deepEqual([element('username').autocomplete, element('password').autocomplete], ['off', 'new-password']);
  made.ask({ username: 'anna', same: true });
  assert.deepEqual([element('username').autocomplete, element('password').autocomplete], ['username', 'current-password']);
  assert.equal(element('username').value, 'anna');
});

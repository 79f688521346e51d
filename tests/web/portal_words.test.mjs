// The two languages say the same things, and all that the pages ask for.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { browser } from './portal_rig.mjs';
import { areAlikeOnlyAt, areClean, arePutTogether, areThere, areUsed, sayTheSame, sources } from './words_kit.mjs';

const { default: en } = await import('/lang/en.js');
const { default: ja } = await import('/lang/ja.js');
const { KNOWN, WEAK, words } = await import('/parts/form.js');
const { setUp } = await import('/i18n.js');

const own = sources('index.html', 'portal/', 'parts/');
const put = {
  'error.*': KNOWN,
  'error.weak_password.*': WEAK,
  'state.*': ['reachable', 'asleep', 'refused', 'unknown_host', 'forbidden', 'unknown'],
};

test('each key is in both languages, with words and the same holes', () => sayTheSame(en, ja));
test('Japanese is Japanese', () => areAlikeOnlyAt(en, ja, ['title']));
test('every key that a page names exists', () => areThere(en, own));
test('each state of a desktop and each known error has words', () => arePutTogether(en, own, put));
test('no words are there for nothing', () => areUsed(en, [...own, ...sources('admin.html', 'admin/')], put));
test('nothing writes markup or needs an inline style', () => {
  areClean(own);
  for (const [file, text] of own) assert.doesNotMatch(text, /\.style\b/, file);
});

test('an error is said in its own words, and one that is not known in those for all', async (t) => {
  browser(t);
  await setUp('portal');
  const said = (code, more = {}) => words({ code, ...more });
  assert.equal(said('not_let_in'), en['error.not_let_in']);
  assert.equal(said('password_change_due'), en['error.password_change_due']);
  assert.equal(said('weak_password', { reason: 'short' }), en['error.weak_password.short']);
  assert.equal(said('weak_password', { reason: 'something-new' }), en['error.weak_password']);
  assert.equal(said('refused', { message: 'No.' }), 'No.');
  assert.equal(said('something_new'), en['error.failed']);
});

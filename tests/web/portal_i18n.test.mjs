import assert from 'node:assert/strict';
import { test } from 'node:test';
import { browser, fresh } from './portal_rig.mjs';

const CASES = [
  { languages: ['en-GB'], want: 'en' },
  { languages: ['ja-JP', 'en'], want: 'ja' },
  { languages: ['fr', 'ja'], want: 'ja' },
  { languages: ['fr', 'de-CH'], want: 'en' },
  { languages: [], want: 'en' },
  { languages: ['en'], stored: 'ja', want: 'ja' },
  { languages: ['ja'], stored: 'xx', want: 'ja' },
  { languages: ['ja'], storage: false, want: 'ja' },
];

for (const { want, ...person } of CASES) {
  test(`${JSON.stringify(person)}: ${want}`, async (t) => {
    browser(t, person);
    const i18n = await fresh('i18n.js');
    await i18n.setUp('portal');
    assert.equal(i18n.language, want);
    assert.equal(document.documentElement.lang, want);
    assert.equal(i18n.t('signIn.title'), want === 'ja' ? 'サインイン' : 'Sign in');
  });
}

test('values are filled in as they are; what is missing stays visible', async (t) => {
  browser(t);
  const i18n = await fresh('i18n.js');
  await i18n.setUp('portal');
  assert.equal(i18n.t('setup.title', { name: '$& {name} <b>' }), 'Welcome, $& {name} <b>');
  assert.equal(i18n.t('setup.title'), 'Welcome, {name}');
  assert.match(i18n.t('error.too_many_attempts', { seconds: 0 }), / 0 s/);
  assert.equal(i18n.t('no.such.key'), 'no.such.key');
});

test('a chosen language is kept, and the document follows', async (t) => {
  const { kept, nodes } = browser(t);
  const i18n = await fresh('i18n.js');
  await i18n.setUp('portal');
  nodes.push({ dataset: { t: 'nav.account' } });
  nodes[0].setAttribute = () => {};
  nodes[0].dataset.tLabel = 'nav';
  nodes[0].dataset.tPlaceholder = 'desktops.search';
  await i18n.setLanguage('ja');
  assert.equal(kept.get('deskgate-lang'), 'ja');
  assert.equal(nodes[0].textContent, 'アカウント');
  assert.equal(nodes[0].placeholder, '検索');
  await i18n.setLanguage('en');
  assert.equal(nodes[0].textContent, 'Account');
});

test('a language is changed where storage is forbidden', async (t) => {
  browser(t, { storage: false });
  const i18n = await fresh('i18n.js');
  await i18n.setUp('portal');
  await i18n.setLanguage('ja');
  assert.equal(i18n.t('nav.account'), 'アカウント');
});

// Administration's words: the two languages say the same things, and all that the pages ask for.
import { test } from 'node:test';
import './portal_rig.mjs';
import { areAlikeOnlyAt, areClean, arePutTogether, areThere, areUsed, sayTheSame, sources } from './words_kit.mjs';

const { default: en } = await import('/lang/admin.en.js');
const { default: ja } = await import('/lang/admin.ja.js');
const { default: portal } = await import('/lang/en.js');

const own = sources('admin.html', 'admin/');
const [, views] = /const VIEWS = \{([^}]+)\}/.exec(Object.fromEntries(own)['admin/main.js']);
const put = {
  'admin.*': [...views.matchAll(/(\w+):/g)].map(([, name]) => name),
  'admin.*.lead': ['groups', 'rooms'],
  'admin.addresses.*': ['user', 'group', 'allow', 'deny'],
  'admin.bucket.*': ['person', 'person-wide', 'address', 'address-wide', 'browser', 'session'],
  'admin.explain.due.*': ['password', 'invitation', 'invitation-expired'],
  'admin.forbid.*': ['drives', 'printers', 'ports', 'clipboard', 'pnp'],
  'admin.people.*': ['must-change', 'enable', 'disable'],
  'admin.people.*Ask': ['must-change', 'disable'],
  'admin.role.*': ['user', 'administrator'],
  'admin.trust.*': ['first-use', 'pin', 'ca'],
  'admin.way.*': ['tunnel', 'rdg', 'cleanpath'],
};

test('each key is in both languages, with words and the same holes', () => sayTheSame(en, ja));
test('Japanese is Japanese', () => areAlikeOnlyAt(en, ja, ['admin.desktops.fingerprint', 'admin.addresses.user']));
test('every key that a page names exists', () => areThere({ ...portal, ...en }, own));
test('every key that is put together has words', () => arePutTogether(en, own, put));
test('no words are there for nothing', () => areUsed(en, own, put));
test('nothing writes markup or needs an inline style', () => areClean(own));

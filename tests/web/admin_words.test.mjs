// Administration's words: the two languages say the same things, and all that the pages ask for.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { test } from 'node:test';
import './portal_rig.mjs';

const web = new URL('../../web/', import.meta.url);
const { default: en } = await import('/lang/admin.en.js');
const { default: ja } = await import('/lang/admin.ja.js');
const { default: portal } = await import('/lang/en.js');

const holes = (text) => [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort();
const files = ['admin.html', ...readdirSync(new URL('admin/', web)).map((name) => `admin/${name}`)];

test('each key is in both languages, with words and the same holes', () => {
  assert.deepEqual(Object.keys(ja).sort(), Object.keys(en).sort());
  for (const key of Object.keys(en)) {
    assert.ok(en[key].trim() && ja[key].trim(), key);
    assert.deepEqual(holes(ja[key]), holes(en[key]), key);
  }
});

test('Japanese is Japanese', () => {
  const same = Object.keys(en).filter((key) => en[key] === ja[key]);
  assert.deepEqual(same, ['admin.desktops.fingerprint', 'admin.addresses.user']);
});

test('every key that a page names exists, and none is there for nothing', () => {
  const named = new Set();
  let built = []; // the beginnings of keys that end with a value
  for (const file of files) {
    const text = readFileSync(new URL(file, web), 'utf8');
    for (const [, key] of text.matchAll(/(?:\bt\('|data-t(?:-label)?=")([\w.-]+)['"]/g)) {
      assert.ok(key in en || key in portal, `${file}: ${key}`);
      named.add(key);
    }
    built = [...built, ...[...text.matchAll(/\bt\(`([\w.]+)\$\{/g)].map(([, begin]) => begin)];
  }
  for (const key of Object.keys(en)) assert.ok(named.has(key) || built.some((begin) => key.startsWith(begin)), key);
});

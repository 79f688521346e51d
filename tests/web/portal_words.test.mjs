// The two languages say the same things, and all that the pages ask for.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { test } from 'node:test';
import './portal_rig.mjs';

const web = new URL('../../web/', import.meta.url);
const { default: en } = await import('/lang/en.js');
const { default: ja } = await import('/lang/ja.js');

const STATES = ['reachable', 'asleep', 'refused', 'unknown_host', 'forbidden', 'unknown'];
const holes = (text) => [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort();

function sources() {
  const files = ['portal/', 'parts/'].flatMap((folder) => readdirSync(new URL(folder, web)).map((name) => folder + name));
  return ['index.html', ...files].map((name) => [name, readFileSync(new URL(name, web), 'utf8')]);
}

test('each key is in both languages, with words', () => {
  assert.deepEqual(Object.keys(ja).sort(), Object.keys(en).sort());
  for (const words of [en, ja]) {
    for (const [key, text] of Object.entries(words)) assert.ok(text.trim(), key);
  }
});

test('what is filled in is the same in both', () => {
  for (const key of Object.keys(en)) assert.deepEqual(holes(ja[key]), holes(en[key]), key);
});

test('Japanese is Japanese', () => {
  const same = Object.keys(en).filter((key) => en[key] === ja[key]);
  assert.deepEqual(same, ['title']);
});

test('every key that a page names exists', () => {
  for (const [file, text] of sources()) {
    for (const [, key] of text.matchAll(/(?:\bt\('|data-t(?:-label|-placeholder)?=")([\w.]+)['"]/g)) {
      assert.ok(key in en, `${file}: ${key}`);
    }
  }
});

test('each state of a desktop and each known error has words', async () => {
  for (const state of STATES) assert.ok(en[`state.${state}`], state);
  const [, list] = /const KNOWN = \[([^\]]+)\]/.exec(readFileSync(new URL('parts/form.js', web), 'utf8'));
  for (const [, code] of list.matchAll(/'(\w+)'/g)) assert.ok(en[`error.${code}`], code);
});

test('nothing writes markup or needs an inline style', () => {
  for (const [file, text] of sources()) {
    assert.doesNotMatch(text, /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\.style\b|\sstyle="|\son\w+="/, file);
  }
});

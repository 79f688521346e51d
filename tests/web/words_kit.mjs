// What the tests of the words have in common: two languages that say the same things, and pages that
// ask for all of it and for nothing else.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';

const web = new URL('../../web/', import.meta.url);

/** [[name, text]] of these files of web/, and of all scripts in these folders ('portal/'). */
export function sources(...places) {
  return places.flatMap((place) => (place.endsWith('/') ? readdirSync(new URL(place, web)).map((name) => place + name) : [place]))
    .map((name) => [name, readFileSync(new URL(name, web), 'utf8')]);
}

const holes = (text) => [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort();

/** The same keys, each with words, and with the same to fill in. */
export function sayTheSame(en, ja) {
  assert.deepEqual(Object.keys(ja), Object.keys(en));
  for (const key of Object.keys(en)) {
    assert.ok(en[key].trim() && ja[key].trim(), key);
    assert.deepEqual(holes(ja[key]), holes(en[key]), key);
  }
}

/** Both say the same word for word only at these keys. */
export function areAlikeOnlyAt(en, ja, keys) {
  assert.deepEqual(Object.keys(en).filter((key) => en[key] === ja[key]), keys);
}

/** Each key that is named as a whole is among these words. */
export function areThere(words, pages) {
  for (const [file, text] of pages) {
    for (const [, key] of text.matchAll(/(?:\bt\('|data-t(?:-label|-placeholder)?=")([\w.-]+)['"]/g)) {
      assert.ok(key in words, `${file}: ${key}`);
    }
  }
}

/** The forms of keys that are put together: 'state.*' for t(`state.${state}`). */
function forms(pages) {
  const found = pages.flatMap(([, text]) => [...text.matchAll(/`((?:[\w-]+\.)+)\$\{[\w.]+\}([\w.]*)`/g)]);
  return [...new Set(found.map(([, begin, end]) => `${begin}*${end}`))].sort();
}

/** `put` says for each form of these pages, what may stand in the place of the star; all of it has words. */
export function arePutTogether(words, pages, put) {
  assert.deepEqual(forms(pages), Object.keys(put).sort());
  for (const key of whole(put)) assert.ok(key in words, key);
}

const whole = (put) => Object.entries(put).flatMap(([form, middles]) => middles.map((middle) => form.replace('*', middle)));

/** No words are there for nothing: each key stands in a page, or is put together there. */
export function areUsed(words, pages, put) {
  const text = pages.map(([, one]) => one).join('\n');
  const made = new Set(whole(put));
  const idle = Object.keys(words).filter((key) => !made.has(key) && !["'", '"', '`'].some((quote) => text.includes(quote + key + quote)));
  assert.deepEqual(idle, []);
}

/** Nothing that the content security policy forbids, and no markup in strings. */
export function areClean(pages) {
  for (const [file, text] of pages) {
    assert.doesNotMatch(text, /innerHTML|outerHTML|insertAdjacentHTML|document\.write|<style|\sstyle="|\son\w+="|<script(?! type="module" src=)/, file);
  }
}

// Keyboard layouts: those that a person can choose, by the numbers that Windows has for them (xrdp
// knows the same), and a guess at theirs.

const PC = { type: 4, subtype: 0 }; // 101 or 102 keys
const JAPANESE = { type: 7, subtype: 2 }; // 106 or 109 keys
const KOREAN = { type: 8, subtype: 6 };

// [id, number, name in its own language, languages for the guess, kind]
const TABLE = [
  ['us', 0x0409, 'English (US)', ['en']],
  ['us-intl', 0x20409, 'English (US, international)', []],
  ['gb', 0x0809, 'English (UK)', ['en-GB', 'en-IE']],
  ['ja', 0x0411, '日本語', ['ja'], JAPANESE],
  ['de', 0x0407, 'Deutsch', ['de', 'de-AT']],
  ['de-ch', 0x0807, 'Deutsch (Schweiz)', ['de-CH', 'de-LI']],
  ['fr', 0x040c, 'Français', ['fr']],
  ['fr-be', 0x080c, 'Français (Belgique)', ['fr-BE', 'nl-BE']],
  ['fr-ca', 0x1009, 'Français (Canada)', ['fr-CA']],
  ['fr-ch', 0x100c, 'Français (Suisse)', ['fr-CH']],
  ['es', 0x040a, 'Español', ['es-ES']],
  ['es-la', 0x080a, 'Español (Latinoamérica)', ['es']],
  ['it', 0x0410, 'Italiano', ['it']],
  ['pt', 0x0816, 'Português', ['pt']],
  ['pt-br', 0x0416, 'Português (Brasil)', ['pt-BR']],
  ['nl', 0x0413, 'Nederlands', []],
  ['sv', 0x041d, 'Svenska', ['sv']],
  ['nb', 0x0414, 'Norsk', ['nb', 'nn', 'no']],
  ['da', 0x0406, 'Dansk', ['da']],
  ['fi', 0x040b, 'Suomi', ['fi']],
  ['pl', 0x0415, 'Polski', ['pl']],
  ['cs', 0x0405, 'Čeština', ['cs']],
  ['hu', 0x040e, 'Magyar', ['hu']],
  ['tr', 0x041f, 'Türkçe', ['tr']],
  ['ru', 0x0419, 'Русский', ['ru']],
  ['ko', 0x0412, '한국어', ['ko'], KOREAN],
];

/** What there is to choose from: [{id, name}]. */
export const LAYOUTS = TABLE.map(([id, , name]) => ({ id, name }));

/** The numbers of a layout for the wire, {layout, type, subtype}; null if there is none so named. */
export function layoutNumbers(id) {
  const found = TABLE.find(([known]) => known === id);
  return found ? { layout: found[1], ...(found[4] ?? PC) } : null;
}

// Keys that tell layouts apart, as the browser's layout map has them: all must match.
const SIGNS = [
  ['ja', { BracketLeft: '@', Quote: ':' }],
  ['de-ch', { KeyY: 'z', BracketLeft: 'ü', Minus: "'" }],
  ['de', { KeyY: 'z', BracketLeft: 'ü' }],
  ['hu', { KeyY: 'z', BracketLeft: 'ő' }],
  ['cs', { Digit2: 'ě', BracketLeft: 'ú' }],
  ['fr-be', { KeyQ: 'a', Minus: ')', Equal: '-' }],
  ['fr', { KeyQ: 'a', Semicolon: 'm' }],
  ['fr-ch', { KeyY: 'z', BracketLeft: 'è' }],
  ['sv', { BracketLeft: 'å', Semicolon: 'ö' }],
  ['nb', { BracketLeft: 'å', Semicolon: 'ø' }],
  ['da', { BracketLeft: 'å', Semicolon: 'æ' }],
  ['it', { BracketLeft: 'è', Semicolon: 'ò' }],
  ['pt-br', { Semicolon: 'ç', Quote: '~' }],
  ['pt', { Semicolon: 'ç', Quote: 'º' }],
  ['es', { Semicolon: 'ñ', Equal: '¡' }],
  ['es-la', { Semicolon: 'ñ' }],
  ['tr', { KeyI: 'ı', Semicolon: 'ş' }],
  ['ru', { KeyQ: 'й' }],
  ['gb', { Backslash: '#', Quote: "'" }],
];

/**
 * The likely layout. keys: Map of code to character without modifiers, or null where the browser
 * does not tell. languages: those that the person prefers.
 */
export function guessLayout(keys, languages) {
  if (keys?.size > 0) {
    const seen = SIGNS.find(([, signs]) => Object.entries(signs).every(([code, char]) => keys.get(code) === char));
    if (seen) return seen[0];
    // Plain Latin keys: what the languages say, when that layout has no sign of its own.
    const spoken = byLanguage(languages);
    return keys.get('KeyQ') !== 'q' || SIGNS.some(([id]) => id === spoken) ? 'us' : spoken;
  }
  return byLanguage(languages);
}

function byLanguage(languages) {
  for (const language of languages) {
    const [short] = language.split('-');
    const found = TABLE.find((line) => line[3].includes(language)) ?? TABLE.find((line) => line[3].includes(short));
    if (found) return found[0];
  }
  return 'us';
}

/** As guessLayout(), of this browser. */
export async function layoutHere() {
  let keys = null;
  try {
    keys = await navigator.keyboard?.getLayoutMap();
  } catch {
    // not allowed here: the languages must do
  }
  return guessLayout(keys ?? null, navigator.languages);
}

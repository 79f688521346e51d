// Characters to keys, for keyboards on the glass: those tell what was written, not which key. Only
// ASCII, for the layouts listed here; everything else goes as a Unicode event, which Windows takes
// and xrdp does not.
import { scancode } from './scancodes.js';

// Each row: keys, what they write, and what they write with Shift.
const LETTERS = [...'abcdefghijklmnopqrstuvwxyz'].map((letter) => [`Key${letter.toUpperCase()}`, letter, letter.toUpperCase()]);
const DIGITS = [...'1234567890'];
const digitRow = (shifted) => DIGITS.map((digit, i) => [`Digit${digit}`, digit, shifted[i]]);

const TABLES = {
  us: [...LETTERS, ...digitRow([...'!@#$%^&*()']), ['Minus', '-', '_'], ['Equal', '=', '+'], ['BracketLeft', '[', '{'],
    ['BracketRight', ']', '}'], ['Backslash', '\\', '|'], ['Semicolon', ';', ':'], ['Quote', "'", '"'],
    ['Backquote', '`', '~'], ['Comma', ',', '<'], ['Period', '.', '>'], ['Slash', '/', '?']],
  ja: [...LETTERS, ...digitRow([...'!"#$%&\'()', null]), ['Minus', '-', '='], ['Equal', '^', '~'], ['IntlYen', '\\', '|'],
    ['BracketLeft', '@', '`'], ['BracketRight', '[', '{'], ['Semicolon', ';', '+'], ['Quote', ':', '*'],
    ['Backslash', ']', '}'], ['Comma', ',', '<'], ['Period', '.', '>'], ['Slash', '/', '?'], ['IntlRo', null, '_']],
  de: [...LETTERS.map(([code, ...rest]) => [{ KeyY: 'KeyZ', KeyZ: 'KeyY' }[code] ?? code, ...rest]),
    ...digitRow([...'!"', null, ...'$%&/()=']), ['Minus', 'ß', '?'], ['BracketLeft', 'ü', 'Ü'], ['BracketRight', '+', '*'],
    ['Semicolon', 'ö', 'Ö'], ['Quote', 'ä', 'Ä'], ['Backslash', '#', "'"], ['IntlBackslash', '<', '>'],
    ['Comma', ',', ';'], ['Period', '.', ':'], ['Slash', '-', '_']],
};

/** The key for a character: {code (scan code), shift}, or null. */
export function keyFor(character, layout) {
  if (character === '\n') return { code: scancode('Enter'), shift: false };
  if (character === '\t') return { code: scancode('Tab'), shift: false };
  if (character === ' ') return { code: scancode('Space'), shift: false };
  for (const [key, plain, shifted] of Object.hasOwn(TABLES, layout) ? TABLES[layout] : []) {
    if (character === plain) return { code: scancode(key), shift: false };
    if (character === shifted) return { code: scancode(key), shift: true };
  }
  return null;
}

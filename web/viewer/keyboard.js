// Keys of the person to keys of the desktop.
//
// While the picture has the focus every key that the browser lets us have goes to the desktop, except
// the Windows key by itself, and Ctrl+Alt+Home, which leads to the toolbar (as in Windows' own client):
// nobody may be caught in the picture. What is held down is released when the focus goes, or it would
// stay down there.
//
// An Alt or a Windows key that is pressed and let go with no key between is one of its own on Windows: it
// opens a menu. Of Alt+Tab and the like here, the page sees no more than that.
import { scancode } from './scancodes.js';

const CONTROL = scancode('ControlLeft');
const OPENERS = ['AltLeft', 'AltRight', 'MetaLeft', 'MetaRight'].map(scancode); // of a menu, when pressed alone
const LOCKS = ['ScrollLock', 'NumLock', 'CapsLock'];
const MODIFIER = /^(Shift|Control|Alt|Meta|OS)(Left|Right)$/;
// What keys of Japanese and Korean keyboards mean that change what is written by those after them.
const MODES = new Set(['Zenkaku', 'Hankaku', 'ZenkakuHankaku', 'Hiragana', 'Katakana', 'HiraganaKatakana', 'Romaji', 'KanaMode',
  'KanjiMode', 'Eisu', 'Alphanumeric', 'Convert', 'NonConvert', 'HangulMode', 'HanjaMode']);
const ALTGR_MS = 50;
// Those of which Windows tells no release, or that of another one: its key is another after each press.
const ENDLESS = new Set(['Zenkaku', 'Hankaku', 'Hiragana', 'Katakana', 'Romaji', 'KanaMode', 'Eisu', 'Alphanumeric']);
const isMac = /^Mac|^iP/.test(navigator.platform);
const isWindows = /^Win/.test(navigator.platform);

// Command does on a Mac what Ctrl does elsewhere; the Windows key is in the menu.
// macOS tells of a press of Caps Lock when that goes on, and of a release when it goes off: each is a tap.
const isMacCaps = ({ code }) => isMac && code === 'CapsLock';

// Whether nobody will tell that the key is let go: it is a tap then. macOS tells of none while Command is held.
const hasNoEnd = (event) => isMacCaps(event) || (isWindows && ENDLESS.has(event.key)) ||
  (isMac && event.metaKey && !MODIFIER.test(event.code));

// Whether nobody has told that it was pressed: Print Screen is the system's on Windows, which only tells of its end.
const hasNoBeginning = (event) => isMacCaps(event) || (isWindows && event.code === 'PrintScreen');

function scancodeHere(code) {
  return isMac && code.startsWith('Meta') ? scancode('ControlLeft') : scancode(code);
}

/**
 * target: the element with the picture. leave(): Ctrl+Alt+Home. beforePaste(event): true if the key
 * is held back (see clipboard.js). isLocked(): the system leaves its own keys to the page.
 */
export class Keyboard {
  #input;
  #leave;
  #beforePaste;
  #isLocked;
  #down = new Map(); // code to scan code
  #locks = ''; // the states last told to the desktop
  #control = null; // a left Ctrl that may only be the half of an AltGr
  #meta = null; // a Windows key that is down here, and not there: its code

  constructor({ target, input, leave, beforePaste, isLocked }) {
    this.#isLocked = isLocked;
    this.#input = input;
    this.#leave = leave;
    this.#beforePaste = beforePaste;
    this.listen(target);
    addEventListener('blur', () => this.releaseAll());
  }

  /** Takes the keys of this element; hasKey(event): those of them that are keys (see typing.js). */
  listen(element, { hasKey = () => true } = {}) {
    element.addEventListener('keydown', (event) => { if (hasKey(event)) this.#pressed(event); });
    element.addEventListener('keyup', (event) => { if (this.#down.has(event.code) || hasKey(event)) this.#released(event); });
    element.addEventListener('blur', () => this.releaseAll());
    element.addEventListener('focus', () => { this.#locks = ''; });
  }

  /** A new session knows nothing of what went before. */
  reset() {
    this.#down.clear();
    this.#locks = '';
  }

  releaseAll() {
    this.#dropControl();
    this.#meta = null;
    const codes = [...this.#down.values()];
    this.#down.clear();
    if (codes.some((code) => OPENERS.includes(code))) this.#input.chord([CONTROL]); // then it was not alone
    if (codes.length > 0) this.#input.releaseAll();
  }

  #pressed(event) {
    if (event.code === 'Home' && event.ctrlKey && event.altKey) {
      event.preventDefault();
      this.releaseAll();
      this.#leave();
      return;
    }
    if (this.#beforePaste(event)) return; // neither here nor there: it comes again with the text
    event.preventDefault();
    if (event.repeat && this.#isSteady(event)) return;
    if (event.code === 'Pause') {
      this.#input.keys([[0x1d, true], [0x45, true], [0x1d, false], [0x45, false]]);
      return;
    }
    const code = scancodeHere(event.code);
    if (code === null) return;
    this.#tellLocks(event);
    if (this.#keepsMeta(event) || this.#altGr(event, code)) return;
    if (hasNoEnd(event)) {
      this.#input.chord([code]);
      return;
    }
    this.#down.set(event.code, code);
    this.#input.key(code, true);
  }

  // Where the system keeps the shortcuts of the Windows key to itself, that key goes to the desktop with the
  // first other one that comes here all the same. By itself it is in the menu.
  #keepsMeta({ code, metaKey }) {
    if (isMac || this.#isLocked()) return false;
    if (/^(Meta|OS)/.test(code)) {
      this.#meta = code;
      return true;
    }
    const meta = metaKey && !MODIFIER.test(code) ? this.#meta : null;
    if (!metaKey || meta) this.#meta = null;
    if (meta) {
      this.#down.set(meta, scancode(meta));
      this.#input.key(scancode(meta), true);
    }
    return false;
  }

  // A key that does something by being held, or by each press, does nothing by its repeats, of which the package
  // makes a release and another press. Those of a modifier may be all that tells of it, when it was down before
  // the picture had the focus.
  #isSteady({ code, key }) {
    if (MODIFIER.test(code)) return this.#down.has(code);
    return LOCKS.includes(code) || MODES.has(key) || /^(Lang\d|KanaMode)$/.test(code);
  }

  #released(event) {
    event.preventDefault();
    this.#flushControl();
    if (event.code === this.#meta) this.#meta = null;
    const code = this.#down.get(event.code);
    if (code === undefined) {
      if (!hasNoBeginning(event)) return;
      this.#tellLocks(event);
      this.#input.chord([scancodeHere(event.code)]);
      return;
    }
    this.#down.delete(event.code);
    this.#input.key(code, false);
    if (isMac && event.code.startsWith('Meta')) this.#releaseUntold();
  }

  // Those that were down before Command was, and may have been let go before it. Of modifiers a Mac tells.
  #releaseUntold() {
    for (const [name, code] of this.#down) {
      if (MODIFIER.test(name)) continue;
      this.#down.delete(name);
      this.#input.key(code, false);
    }
  }

  // Windows makes AltGr of a left Ctrl and a right Alt, and repeats both while it is held. Linux desktops
  // take that Ctrl at its word, so it waits a moment for the Alt that would explain it.
  #altGr(event, code) {
    if (!isWindows) return false;
    if (event.code === 'AltRight' && this.#control) {
      this.#dropControl();
      return false;
    }
    this.#flushControl();
    if (event.code !== 'ControlLeft' || this.#down.has('ControlLeft')) return false;
    if (event.repeat && this.#down.has('AltRight')) return true;
    this.#control = { code, timer: setTimeout(() => this.#flushControl(), ALTGR_MS) };
    return true;
  }

  #flushControl() {
    const control = this.#control;
    this.#dropControl();
    if (!control) return;
    this.#down.set('ControlLeft', control.code);
    this.#input.key(control.code, true);
  }

  #dropControl() {
    clearTimeout(this.#control?.timer);
    this.#control = null;
  }

  // Only when they differ from what we last said, and with no key down, because the desktop lets all
  // keys go at it. A lock key changes the state on both sides, or so one hopes: asked again after it.
  #tellLocks(event) {
    if (LOCKS.includes(event.code)) {
      this.#locks = '';
      return;
    }
    const [scroll, num, caps] = LOCKS.map((name) => event.getModifierState(name));
    const states = [scroll, num || isMac, caps]; // a Mac's number pad has only numbers
    if (this.#locks === states.join() || this.#down.size > 0) return;
    this.#locks = states.join();
    this.#input.locks(...states);
  }
}

// Text through the clipboard, both ways, and only when the person has said yes: on this page, and
// where the browser asks as well, there.
//
// To the desktop: with Ctrl+V, Ctrl+Shift+V or Shift+Insert, whose "paste" event gives the text in every browser without a
// question; besides, where the browser lets us read the clipboard, when the window gets the focus.
// From the desktop: at once where the browser allows it, or with the person's next key or click.
//
// Lines end with CR and LF in the format between the two (CF_UNICODETEXT is Windows' own). Here they end
// with LF alone; what is given to either side gets the ends that it wants: the browser those of its
// system, the desktop CR and LF unless it is an xrdp, which hands them on to programs that do not
// expect a CR.

import { scancode } from './scancodes.js';

const PLAIN = 'text/plain';
const EVENT_MS = 60; // the paste event follows its key at once, or not at all
const TAKEN_MS = 150; // until a desktop has taken note of a new clipboard
const isMac = /^Mac|^iP/.test(navigator.platform);
const isWindows = /^Win/.test(navigator.platform);
const chordOf = (...codes) => codes.map(scancode);
const withLf = (text) => text.replaceAll('\r\n', '\n');
const withCrLf = (text) => text.replaceAll('\n', '\r\n');

// The keys with which this one pastes, also where terminals paste by others; or null.
function pasteChord({ code, ctrlKey, shiftKey, altKey, metaKey }) {
  const control = ctrlKey || (isMac && metaKey);
  if (altKey || (metaKey && !isMac)) return null;
  if (code === 'Insert' && shiftKey && !control) return chordOf('ShiftLeft', 'Insert');
  if (code !== 'KeyV' || !control) return null;
  return shiftKey ? chordOf('ControlLeft', 'ShiftLeft', 'KeyV') : chordOf('ControlLeft', 'KeyV');
}

export class Clipboard {
  #input;
  #settings;
  #show;
  #client = null;
  #session = null;
  #crLf = false; // the desktop wants them
  #last = null; // the text that both sides have
  #here = null; // the text last seen here; what is still the same was not copied lately
  #theirs = false; // what the desktop has is newer than what is here, until something can have been copied here
  #pending = null; // text from the desktop that the browser has not let us put away yet
  #looking = null; // while what is here is being read
  #pasting = null;
  #chord = []; // that will paste
  #owed = false; // the desktop has asked before there was a session

  /** target: the element with the picture. show: {remoteText(text), written()}, told to the page. */
  constructor({ target, input, settings, show }) {
    this.#input = input;
    this.#settings = settings;
    this.#show = show;
    // Not of the picture: Firefox sends it to the body.
    document.addEventListener('paste', (event) => this.#pasted(event));
    // Safari's asks first whether anything here takes one; it sees no field that does.
    document.addEventListener('beforepaste', (event) => {
      if (this.on && document.activeElement === target) event.preventDefault();
    });
    for (const type of ['copy', 'cut']) document.addEventListener(type, () => { this.#theirs = false; });
    addEventListener('blur', () => { this.#theirs = false; });
    addEventListener('focus', () => this.#look());
    for (const type of ['pointerdown', 'keydown']) addEventListener(type, () => this.#writePending());
  }

  get on() {
    return this.#settings.clipboard === 'on';
  }

  /** crLf: whether lines that go to the desktop are to end with CR and LF. */
  use(client, session, crLf = false) {
    this.#client = client;
    this.#session = session;
    this.#crLf = crLf;
    this.#last = null;
    this.#theirs = false;
    if (this.#pending === null) this.#here = null; // to be sent again
    if (this.#owed) this.wanted();
    this.#look();
  }

  /** The person's choice. Must come from a click: the browser may ask now, once. */
  async share(yes) {
    this.#settings.clipboard = yes ? 'on' : 'off';
    if (!yes) {
      this.#pending = null;
      return;
    }
    this.#here = null; // to be sent again
    const text = await navigator.clipboard?.readText?.().catch(() => null);
    if (!text) return;
    this.#here = withLf(text);
    this.send(text);
  }

  /** Puts text into the desktop's clipboard. */
  send(given) {
    const text = withLf(given);
    if (!this.#session || text === this.#last) return;
    this.#last = text;
    this.#pending = null; // it is older
    this.#theirs = false;
    this.#give();
  }

  // Sends text that is in the clipboard here, unless what the desktop has is newer; whether it was sent.
  #found(given) {
    const text = withLf(given);
    const isNew = text !== '' && text !== this.#here && text !== this.#last && !this.#theirs;
    this.#here = text;
    if (isNew) this.send(text);
    return isNew;
  }

  #give() {
    const data = new this.#client.Backend.ClipboardData();
    if (this.#last !== null) data.addText(PLAIN, this.#crLf ? withCrLf(this.#last) : this.#last);
    this.#session.onClipboardPaste(data).catch(() => {});
  }

  /** For connect(): the desktop asks what we have. It must get an answer to go on. */
  wanted() {
    this.#owed = !this.#session;
    if (!this.#owed) this.#give();
  }

  /** For connect(): the desktop's clipboard has changed. */
  received(data) {
    if (!this.on) {
      this.#last = null; // whatever it is, the two differ
      return;
    }
    const items = data.items();
    const came = items.find((item) => item.mimeType() === PLAIN)?.value();
    if (typeof came !== 'string') {
      if (items.length > 0) this.#isOther(document.hasFocus());
      return;
    }
    const text = withLf(came);
    if (text === this.#last) return;
    this.#last = text;
    this.#theirs = document.hasFocus(); // elsewhere something may be copied without our hearing of it
    this.#pending = isWindows ? withCrLf(text) : text;
    this.#show.remoteText(text);
    void this.#writePending();
  }

  /** For files.js: files were made the desktop's clipboard, here (fromHere) or there. */
  hasFiles(fromHere) {
    this.#isOther(fromHere || document.hasFocus());
  }

  // The desktop's clipboard is no text any more, but pictures or files; isNewer: than what is here.
  #isOther(isNewer) {
    this.#last = null;
    this.#theirs = isNewer;
  }

  /**
   * For the keyboard: holds Ctrl+V and its likes back until their text is there. The browser then makes a paste
   * event of it, provided that nobody prevents the key's default.
   */
  holdsBack(event) {
    const chord = pasteChord(event);
    if (!chord || !this.on || !this.#session) return false;
    if (!event.repeat) {
      this.#chord = chord;
      this.#pasting = setTimeout(() => this.#press(), EVENT_MS);
    }
    return true;
  }

  #pasted(event) {
    if (!this.#pasting) return;
    event.preventDefault();
    clearTimeout(this.#pasting);
    const isNew = this.#found(event.clipboardData.getData(PLAIN));
    this.#pasting = setTimeout(() => this.#press(), isNew ? TAKEN_MS : 0);
  }

  // As a chord: the person may have let go of what is held with it by now, or hold it for what comes next.
  #press() {
    this.#pasting = null;
    this.#input.chord(this.#chord);
  }

  #look() {
    if (!this.on || !this.#session || !document.hasFocus()) return;
    const looking = this.#read().finally(() => { if (this.#looking === looking) this.#looking = null; });
    this.#looking = looking;
  }

  async #read() {
    const permission = await navigator.permissions?.query({ name: 'clipboard-read' }).catch(() => null);
    if (permission?.state !== 'granted') return;
    const text = await navigator.clipboard.readText().catch(() => null);
    if (text !== null && this.#session) this.#found(text);
  }

  async #writePending() {
    if (this.#looking) await this.#looking; // what is here may be newer: the click that wakes the window comes with its focus
    const text = this.#pending;
    if (text === null) return;
    try {
      await navigator.clipboard.writeText(text);
      this.#here = withLf(text);
      if (this.#pending === text) {
        this.#pending = null;
        this.#theirs = false;
      }
      this.#show.written();
    } catch {
      // not now; with the next key or click
    }
  }
}

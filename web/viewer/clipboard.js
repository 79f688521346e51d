// Text through the clipboard, both ways, and only when the person has said yes: on this page, and
// where the browser asks as well, there.
//
// To the desktop: with Ctrl+V, whose "paste" event gives the text in every browser without a
// question; besides, where the browser lets us read the clipboard, when the window gets the focus.
// From the desktop: at once where the browser allows it, or with the person's next key or click.
//
// Lines end with CR and LF in the format between the two (CF_UNICODETEXT is Windows' own). Here they end
// with LF alone; what is given to either side gets the ends that it wants: the browser those of its
// system, the desktop CR and LF unless it is an xrdp, which hands them on to programs that do not
// expect a CR.

const PLAIN = 'text/plain';
const EVENT_MS = 60; // the paste event follows its key at once, or not at all
const TAKEN_MS = 150; // until a desktop has taken note of a new clipboard
const CONTROL = 0x1d;
const V = 0x2f;
const isWindows = /^Win/.test(navigator.platform);
const withLf = (text) => text.replaceAll('\r\n', '\n');
const withCrLf = (text) => text.replaceAll('\n', '\r\n');

export class Clipboard {
  #input;
  #settings;
  #show;
  #client = null;
  #session = null;
  #crLf = false; // the desktop wants them
  #last = null; // the text that both sides have
  #pending = null; // text from the desktop that the browser has not let us put away yet
  #pasting = null;
  #owed = false; // the desktop has asked before there was a session

  /** show: {remoteText(text), written()}, told to the page. */
  constructor({ input, settings, show }) {
    this.#input = input;
    this.#settings = settings;
    this.#show = show;
    // Not of the picture: Firefox sends it to the body.
    document.addEventListener('paste', (event) => this.#pasted(event));
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
    if (this.#owed) this.wanted();
    void this.#look();
  }

  /** The person's choice. Must come from a click: the browser may ask now, once. */
  async share(yes) {
    this.#settings.clipboard = yes ? 'on' : 'off';
    if (!yes) {
      this.#pending = null;
      return;
    }
    const text = await navigator.clipboard?.readText?.().catch(() => null);
    if (text) this.send(text);
  }

  /** Puts text into the desktop's clipboard. */
  send(given) {
    const text = withLf(given);
    if (!this.#session || text === this.#last) return;
    this.#last = text;
    this.#give();
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
    if (!this.on) return;
    const came = data.items().find((item) => item.mimeType() === PLAIN)?.value();
    if (typeof came !== 'string') return;
    const text = withLf(came);
    if (text === this.#last) return;
    this.#last = text;
    this.#pending = isWindows ? withCrLf(text) : text;
    this.#show.remoteText(text);
    void this.#writePending();
  }

  /**
   * For the keyboard: holds Ctrl+V back until its text is there. The browser then makes a paste
   * event of it, provided that nobody prevents the key's default.
   */
  holdsBack(event) {
    const isPaste = event.code === 'KeyV' && (event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey;
    if (!isPaste || !this.on || !this.#session) return false;
    if (!event.repeat) this.#pasting = setTimeout(() => this.#press(), EVENT_MS);
    return true;
  }

  #pasted(event) {
    if (!this.#pasting) return;
    event.preventDefault();
    clearTimeout(this.#pasting);
    const text = event.clipboardData.getData(PLAIN);
    const isNew = text !== '' && withLf(text) !== this.#last;
    if (text) this.send(text);
    this.#pasting = setTimeout(() => this.#press(), isNew ? TAKEN_MS : 0);
  }

  // As a chord: the person may have let go of Ctrl by now, or hold it for what comes next.
  #press() {
    this.#pasting = null;
    this.#input.chord([CONTROL, V]);
  }

  async #look() {
    if (!this.on || !this.#session || !document.hasFocus()) return;
    const permission = await navigator.permissions?.query({ name: 'clipboard-read' }).catch(() => null);
    if (permission?.state !== 'granted') return;
    const text = await navigator.clipboard.readText().catch(() => '');
    if (text) this.send(text);
  }

  async #writePending() {
    const text = this.#pending;
    if (text === null) return;
    try {
      await navigator.clipboard.writeText(text);
      if (this.#pending === text) this.#pending = null;
      this.#show.written();
    } catch {
      // not now; with the next key or click
    }
  }
}

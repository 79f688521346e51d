// What keyboard, pointer and menus do, as the package's events. Without a session it goes nowhere.

const WHEEL_STEP = 120; // [MS-RDPBCGR] 2.2.8.1.1.3.1.1.3
const PIXELS = 0; // RotationUnit of the package: passes the number as it is

export class Input {
  #client = null;
  #session = null;
  #used = new Set(); // scan codes of keys that have been pressed on this page
  #down = new Set(); // … that are down now

  /**
   * release(codes): lets these keys go on the desktop, down or not. Not every desktop does so by
   * itself when a connection breaks, and a key that is held then would repeat there for ever.
   */
  use(client, session, release) {
    this.#client = client;
    this.#session = session;
    this.#down.clear();
    if (session && this.#used.size > 0) release([...this.#used]);
  }

  #send(make) {
    if (!this.#session) return;
    const { DeviceEvent, InputTransaction } = this.#client.Backend;
    const transaction = new InputTransaction();
    for (const event of [make(DeviceEvent)].flat()) transaction.addEvent(event);
    this.#tell((session) => session.applyInputs(transaction));
  }

  #tell(what) {
    if (!this.#session) return;
    try {
      what(this.#session);
    } catch {
      this.#session = null; // it has ended; who waits for that will tell
    }
  }

  /** A key, by scan code, down or up. */
  key(code, down) {
    this.keys([[code, down]]);
  }

  /** Several, in one go: [[code, down], …]. */
  keys(list) {
    for (const [code, down] of list) {
      this.#used.add(code);
      if (down) this.#down.add(code);
      else this.#down.delete(code);
    }
    this.#send((event) => list.map(([code, down]) => (down ? event.keyPressed(code) : event.keyReleased(code))));
  }

  /** Keys together, as in Ctrl+Alt+Del: down in this order, up in the other. Those that are held stay so. */
  chord(codes) {
    const free = codes.filter((code) => !this.#down.has(code));
    if (free.length === 0) return;
    this.keys([...free.map((code) => [code, true]), ...[...free].reverse().map((code) => [code, false])]);
  }

  /** A character for which there is no key. */
  character(text) {
    this.#send((event) => [event.unicodePressed(text), event.unicodeReleased(text)]);
  }

  move({ x, y }) {
    this.#send((event) => event.mouseMove(x, y));
  }

  /** A button as in MouseEvent.button. */
  button(number, down) {
    this.#send((event) => (down ? event.mouseButtonPressed(number) : event.mouseButtonReleased(number)));
  }

  /** The wheel, in steps; positive is up, or right. */
  wheel(vertical, steps) {
    for (let i = 0; i < Math.abs(steps); i++) {
      this.#send((event) => event.wheelRotations(vertical, Math.sign(steps) * WHEEL_STEP, PIXELS));
    }
  }

  locks(scroll, num, caps) {
    this.#tell((session) => session.synchronizeLockKeys(scroll, num, caps, false));
  }

  releaseAll() {
    this.#down.clear();
    this.#tell((session) => session.releaseAllInputs());
  }
}

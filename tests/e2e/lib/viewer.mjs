// The viewer's page as a person uses it, in either browser; and what is on its canvas.
import { run } from './proc.mjs';
import { difference, screenshot } from './desktop.mjs';

// The remote picture itself, whatever the page scales it to: {width, height, pixels}.
export async function picture(evaluate) {
  const url = await evaluate(`document.querySelector('canvas').toDataURL('image/png')`);
  const png = Buffer.from(url.slice(url.indexOf(',') + 1), 'base64');
  return { width: png.readUInt32BE(16), height: png.readUInt32BE(20), pixels: run('convert', ['png:-', '-alpha', 'off', '-depth', '8', 'rgb:-'], { input: png, encoding: 'buffer' }).stdout };
}

// How much of the canvas differs from what the server's display shows; 1 when the sizes differ.
export async function differs(evaluate, desktop) {
  const here = await picture(evaluate);
  return difference(screenshot(desktop.display), here.pixels);
}

// For addInitScript(), before those below: of a message of whole packets, whether one is a Font Map,
// which ends the opening of a desktop and every change of its size.
export function fontMaps() {
  globalThis.hasFontMap = (bytes) => {
    for (let at = 0; at + 4 <= bytes.length;) {
      const short = bytes[at + 1] & 0x80 ? ((bytes[at + 1] & 0x7f) << 8) | bytes[at + 2] : bytes[at + 1];
      const size = bytes[at] === 3 ? (bytes[at + 2] << 8) | bytes[at + 3] : short;
      const control = at + (bytes[at + 13] & 0x80 ? 15 : 14); // behind the lengths of TPKT, X.224 and MCS
      if (bytes[at] === 3 && bytes[at + 7] === 0x68 && (bytes[control + 2] & 0xf) === 7 && bytes[control + 14] === 0x28) return true;
      if (size < 3) return false;
      at += size;
    }
    return false;
  };
}

// For a context's addInitScript(): in every desktop that its pages open, the last packet of the
// opening (Font Map) comes in one message with the first picture, as it does on a busy machine.
// `joined` counts.
export function joinOpening() {
  globalThis.joined = 0;
  globalThis.WebSocket = class extends WebSocket {
    #held = null;

    addEventListener(type, listener, options) {
      super.addEventListener(type, type === 'message' ? (event) => this.#message(event, listener) : listener, options);
    }

    #message(event, listener) {
      const bytes = new Uint8Array(event.data);
      if (this.#held) {
        this.#held = new Uint8Array([...this.#held, ...bytes]);
        if (bytes.length < 2000) return; // no picture yet
        const data = this.#held.buffer;
        this.#held = null;
        globalThis.joined++;
        listener.call(this, new MessageEvent('message', { data }));
      } else if (hasFontMap(bytes)) {
        this.#held = bytes;
      } else {
        listener.call(this, event);
      }
    }
  };
}

// For addInitScript(): once `lose` is set, nothing comes any more behind the next Font Map, until the
// next connection.
export function losePicture() {
  globalThis.lose = false;
  globalThis.WebSocket = class extends WebSocket {
    #lost = false;

    addEventListener(type, listener, options) {
      super.addEventListener(type, type !== 'message' ? listener : (event) => {
        if (this.#lost) return;
        if (globalThis.lose && hasFontMap(new Uint8Array(event.data))) {
          globalThis.lose = false;
          this.#lost = true;
        }
        listener.call(this, event);
      }, options);
    }
  };
}

// For addInitScript(): as many messages as `spoil` says, once a desktop is open, come as something
// that the page's client cannot read.
export function spoilMessages() {
  globalThis.spoil = 0;
  globalThis.WebSocket = class extends WebSocket {
    addEventListener(type, listener, options) {
      super.addEventListener(type, type !== 'message' ? listener : (event) => {
        const open = !document.querySelector('#tools').hidden && document.querySelector('#waiting').hidden;
        const spoilt = open && globalThis.spoil > 0;
        if (spoilt) globalThis.spoil--;
        listener.call(this, spoilt ? new MessageEvent('message', { data: Uint8Array.of(3, 0, 0, 8, 2, 0xf0, 0x80, 0xff).buffer }) : event);
      }, options);
    }
  };
}

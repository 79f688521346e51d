// Codes as an authenticator app makes them (RFC 6238: SHA-1, 30 s, six digits).
//
// Each code works once, and the gateway takes the step before and after the present one, too. So a
// user can sign in three times in a row, and then every 30 s: next() hands out steps in order and
// waits when the next one is not good yet. A test that signs in often takes more users.
import { createHmac } from 'node:crypto';
import { sleep } from './wait.mjs';

const STEP = 30_000;
const MARGIN = 10_000; // a code is not handed out in the last moments in which it is good

export function decode32(text) {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  let bits = 0;
  let value = 0;
  const bytes = [];
  for (const letter of text.replace(/[\s=]/g, '')) {
    value = (value << 5) | alphabet.indexOf(letter);
    bits += 5;
    if (bits >= 8) {
      bits -= 8;
      bytes.push((value >>> bits) & 255);
      value &= (1 << bits) - 1;
    }
  }
  return Buffer.from(bytes);
}

export function codeAt(secret, step) {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(step));
  const mac = createHmac('sha1', decode32(secret)).update(counter).digest();
  const at = mac[19] & 15;
  return String((mac.readUInt32BE(at) & 0x7fffffff) % 1_000_000).padStart(6, '0');
}

export const stepNow = () => Math.floor(Date.now() / STEP);

export class Codes {
  #last = 0;

  constructor(secret) {
    this.secret = secret;
  }

  async #of(step) {
    this.#last = Math.max(this.#last + 1, step);
    const at = this.#last; // who asks meanwhile gets another one
    const wait = (at - 1) * STEP + 500 - Date.now();
    if (wait > 0) await sleep(wait);
    return codeAt(this.secret, at);
  }

  // A code that was not used and is good for some seconds, waiting for it if need be.
  next() {
    return this.#of(Math.floor((Date.now() + MARGIN) / STEP) - 1);
  }

  // One that is good for half a minute, for what takes its time before the code is shown.
  lasting() {
    return this.#of(stepNow());
  }

  // How many can be had without waiting.
  ready() {
    const first = Math.max(this.#last + 1, Math.floor((Date.now() + MARGIN) / STEP) - 1);
    return Math.max(0, stepNow() + 1 - first + 1);
  }

  // A code that is wrong at every step near the present one.
  wrong() {
    const near = new Set();
    for (let step = stepNow() - 3; step <= stepNow() + 3; step++) near.add(codeAt(this.secret, step));
    for (let guess = 0; ; guess++) {
      const code = String(guess).padStart(6, '0');
      if (!near.has(code)) return code;
    }
  }
}

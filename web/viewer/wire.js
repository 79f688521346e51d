// What the client sends to the desktop, amended on its way out.
//
// The package leaves no choice in some fields that decide what the person gets, so they are set
// here, in the two messages that carry them ([MS-RDPBCGR]):
//
// - MCS Connect Initial, client core data (2.2.1.3.2): 24 bits per pixel and "32 wanted" (at the
//   package's 16 bits xrdp sends a picture that comes out sheared), the keyboard of the person, and
//   how large a pixel is on their screen.
// - Client Info (2.2.1.11): automatic sign-in, without which xrdp asks for the password again, and the
//   person's name, which the package is given in another form (account.js).
//
// Everything else passes as it is, as do messages that do not look as expected. No message changes
// its length. Pure functions over bytes; `socket.js` applies them.
import { packageAccount } from './account.js';

const CORE = 0xc001; // CS_CORE
const CORE_KEYBOARD_LAYOUT = 16;
const CORE_CLIENT_BUILD = 20;
const CORE_KEYBOARD_TYPE = 56; // then subtype and number of function keys, 32 bits each
const CORE_HIGH_COLOR_DEPTH = 140;
const CORE_EARLY_FLAGS = 144;
const CORE_DESKTOP_SCALE = 226; // then the device scale factor
const WANT_32BPP = 0x0002;
const CLIENT_BUILD = 18363; // what FreeRDP says
const SEC_INFO_PKT = 0x0040;
const INFO_AUTOLOGON = 0x00000008;
const INFO_TEXTS = 14; // behind the flags and five lengths: domain, name and more, each with a NUL that does not count

const CONNECT_INITIAL = [0x7f, 0x65]; // BER application tag 101
const SEND_DATA_REQUEST = 0x64; // PER, MCS DomainMCSPDU choice 25
const CLIENT_KEY = [0x44, 0x75, 0x63, 0x61]; // "Duca", the h221 key before the client's data

/** How far a conversation has come, by what the client has sent. */
export const Phase = Object.freeze({ asked: 'asked', signingIn: 'signing-in', starting: 'starting', started: 'started' });

/**
 * The bounds of the TPKT packets (RFC 1006) in a message: [{start, end}]; none if the message is
 * not made of whole packets.
 */
export function packets(bytes) {
  const found = [];
  for (let at = 0; at < bytes.length;) {
    if (bytes.length - at < 4 || bytes[at] !== 3 || bytes[at + 1] !== 0) return [];
    const size = (bytes[at + 2] << 8) | bytes[at + 3];
    if (size < 7 || at + size > bytes.length) return [];
    found.push({ start: at, end: at + size });
    at += size;
  }
  return found;
}

// Where the payload of an X.224 data packet begins, or -1.
function payload(bytes, { start }) {
  return bytes[start + 4] === 2 && bytes[start + 5] === 0xf0 ? start + 7 : -1;
}

function find(bytes, wanted, from, to) {
  for (let at = from; at + wanted.length <= to; at++) {
    if (wanted.every((byte, i) => bytes[at + i] === byte)) return at;
  }
  return -1;
}

// A PER length (X.691 10.9): {value, next}, or null where it is longer than we know.
function perLength(bytes, at) {
  if (at + 2 > bytes.length) return null;
  if (!(bytes[at] & 0x80)) return { value: bytes[at], next: at + 1 };
  if (bytes[at] & 0x40) return null;
  return { value: ((bytes[at] & 0x3f) << 8) | bytes[at + 1], next: at + 2 };
}

/** Where the client's core data lies in an MCS Connect Initial: {start, size}, or null. */
export function coreData(bytes, packet) {
  const body = payload(bytes, packet);
  if (body < 0 || CONNECT_INITIAL.some((byte, i) => bytes[body + i] !== byte)) return null;
  const key = find(bytes, CLIENT_KEY, body, packet.end);
  if (key < 0) return null;
  const length = perLength(bytes, key + CLIENT_KEY.length);
  if (!length || length.next + length.value > packet.end) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const end = length.next + length.value;
  for (let at = length.next; at + 4 <= end;) {
    const size = view.getUint16(at + 2, true);
    if (size < 4 || at + size > end) return null;
    if (view.getUint16(at, true) === CORE) return { start: at, size };
    at += size;
  }
  return null;
}

/** Where the flags of a Client Info packet lie, or -1. */
export function infoFlags(bytes, packet) {
  const body = payload(bytes, packet);
  if (body < 0 || bytes[body] !== SEND_DATA_REQUEST) return -1;
  const length = perLength(bytes, body + 6); // after initiator, channel and priority
  if (!length || length.value < 12 || length.next + length.value > packet.end) return -1;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  if (!(view.getUint16(length.next, true) & SEC_INFO_PKT)) return -1;
  return length.next + 8; // security header, code page
}

function amendCore(bytes, { start, size }, { keyboard, scale }) {
  const view = new DataView(bytes.buffer, bytes.byteOffset + start, size);
  const has = (offset, width) => offset + width <= size;
  if (keyboard && has(CORE_KEYBOARD_TYPE, 12)) {
    view.setUint32(CORE_KEYBOARD_LAYOUT, keyboard.layout, true);
    view.setUint32(CORE_KEYBOARD_TYPE, keyboard.type, true);
    view.setUint32(CORE_KEYBOARD_TYPE + 4, keyboard.subtype, true);
    view.setUint32(CORE_KEYBOARD_TYPE + 8, 12, true);
  }
  if (has(CORE_EARLY_FLAGS, 2)) {
    view.setUint32(CORE_CLIENT_BUILD, CLIENT_BUILD, true);
    view.setUint16(CORE_HIGH_COLOR_DEPTH, 24, true);
    view.setUint16(CORE_EARLY_FLAGS, view.getUint16(CORE_EARLY_FLAGS, true) | WANT_32BPP, true);
  }
  if (scale && has(CORE_DESKTOP_SCALE, 8)) {
    view.setUint32(CORE_DESKTOP_SCALE, scale, true);
    view.setUint32(CORE_DESKTOP_SCALE + 4, 100, true);
  }
}

const utf16 = (text) => Array.from({ length: 2 * text.length }, (_, i) => (text.charCodeAt(i >> 1) >> (i & 1 ? 8 : 0)) & 0xff);

// What the package was given is one character longer than domain and name: one NUL more behind the name.
function amendAccount(bytes, flags, end, account) {
  const given = packageAccount(account);
  const before = utf16(`${given.domain}\0${given.username}\0`);
  const at = flags + INFO_TEXTS;
  if (given.username === account.username || at + before.length > end || before.some((byte, i) => bytes[at + i] !== byte)) return;
  const view = new DataView(bytes.buffer, bytes.byteOffset + flags);
  if (view.getUint16(4, true) !== 2 * given.domain.length || view.getUint16(6, true) !== 2 * given.username.length) return;
  view.setUint16(4, 2 * account.domain.length, true);
  view.setUint16(6, 2 * account.username.length + 2, true);
  bytes.set(utf16(`${account.domain}\0${account.username}\0\0`), at);
}

/**
 * Amends one conversation's messages.
 *
 * options: keyboard {layout, type, subtype} (Windows' numbers), scale (per cent, 100–500), autologon,
 * account {username, domain} as the person typed it, onPhase(phase) when a new one begins.
 */
export class Amender {
  constructor(options) {
    this.options = options;
    this.phase = null;
  }

  #enter(phase) {
    if (this.phase === phase) return;
    this.phase = phase;
    this.options.onPhase?.(phase);
  }

  /** Nothing is left to amend. */
  get done() {
    return this.phase === Phase.started;
  }

  /** From here on, both sides speak RDP (no longer RDCleanPath or CredSSP). */
  get started() {
    return this.phase === Phase.starting || this.phase === Phase.started;
  }

  /** The message to send instead of this one (which it may be). */
  apply(message) {
    const inside = packets(message);
    if (inside.length === 0) {
      // First the RDCleanPath request, then CredSSP: both DER sequences.
      this.#enter(this.phase ? Phase.signingIn : Phase.asked);
      return message;
    }
    const bytes = message.slice();
    for (const packet of inside) this.#amend(bytes, packet);
    return bytes;
  }

  #amend(bytes, packet) {
    const core = coreData(bytes, packet);
    if (core) {
      amendCore(bytes, core, this.options);
      this.#enter(Phase.starting);
      return;
    }
    const flags = infoFlags(bytes, packet);
    if (flags < 0) return;
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    if (this.options.autologon) view.setUint32(flags, view.getUint32(flags, true) | INFO_AUTOLOGON, true);
    amendAccount(bytes, flags, packet.end, this.options.account);
    this.#enter(Phase.started);
  }
}

const EVENTS_MOST = 15; // of one fast-path input PDU (2.2.8.1.2), counted in its first byte
const RELEASE = 0x01;
const EXTENDED = 0x02;

/** Messages in one that let these keys (scan codes, 0xe0xx when extended) go. */
export function keyReleases(codes) {
  const bytes = [];
  for (let at = 0; at < codes.length; at += EVENTS_MOST) {
    const some = codes.slice(at, at + EVENTS_MOST);
    bytes.push(some.length << 2, 2 + 2 * some.length);
    for (const code of some) bytes.push(RELEASE | (code > 0xff ? EXTENDED : 0), code & 0xff);
  }
  return Uint8Array.from(bytes);
}

// What the desktop sends, mended where the package cannot read it.
//
// xrdp shortens the PDU that opens a change of size (Deactivate All, [MS-RDPBCGR] 2.2.3.1) to its
// header; the package insists on the fields behind it and gives up. They are added here. Nothing
// else is touched, and what is not understood passes as it came.
//
// Besides, what comes with the last packet of the opening (Font Map, 2.2.1.22) in one message is lost
// there: the package reads on and throws away what it has read too much, up to a kilobyte, with which
// it loses the bounds of the packets, and then the desktop. So the stream is cut there.
//
// And the reason that the desktop gives for an end (told.js) is noted here, where packets have bounds.
//
// Pure functions over bytes and one small state: where the next packet of the stream begins.
import { toldIn, TOLD_MOST } from './told.js';

const SEND_DATA_INDICATION = 0x68; // PER, MCS DomainMCSPDU choice 26
const PDU_DEACTIVATE_ALL = 0x16; // with protocol version 1 in the upper bits
const SHORT = TOLD_MOST; // a packet up to this size may be one of these; only such a one is ever held back

/** The size of the packet at `at`: 0 while its header is not complete, -1 when it is none. */
export function packetSize(bytes, at) {
  if (at + 4 > bytes.length) return 0;
  let size = bytes[at + 1];
  if (bytes[at] === 3) size = (bytes[at + 2] << 8) | bytes[at + 3]; // TPKT
  else if (size & 0x80) size = ((size & 0x7f) << 8) | bytes[at + 2]; // fast path
  return size < 3 ? -1 : size;
}

// 03 00 00 14 | 02 f0 80 | 68 user channel 70 06 | 06 00 16 00 source
function isShortDeactivate(packet) {
  const control = packet.length - 6;
  return packet.length >= 20 && packet[0] === 3 && packet[4] === 2 && packet[7] === SEND_DATA_INDICATION &&
    (control === 14 ? packet[13] === 6 : control === 15 && packet[13] === 0x80 && packet[14] === 6) &&
    packet[control] === 6 && packet[control + 1] === 0 && (packet[control + 2] & 0x1f) === PDU_DEACTIVATE_ALL;
}

// Adds shareId, the length of the source descriptor, and that: one NUL.
function lengthened(packet) {
  const more = [0, 0, 0, 0, 1, 0, 0];
  const made = new Uint8Array(packet.length + more.length);
  made.set(packet);
  made.set(more, packet.length);
  made[3] += more.length;
  made[packet.length - 7] += more.length;
  made[packet.length - 6] += more.length;
  return made;
}

function joined(parts) {
  if (parts.length === 1) return parts[0];
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

export class Mender {
  #held = null; // the beginning of a short packet whose rest has not come
  #skip = 0; // bytes left of a packet that passes
  told = null; // the last reason for an end (told.js), unless the picture went on

  /** The bytes to hand on for these; maybe none. */
  apply(chunk) {
    let bytes = chunk;
    if (this.#held) {
      bytes = joined([this.#held, chunk]);
      this.#held = null;
    }
    const out = [];
    let from = 0;
    let at = this.#skip;
    while (at < bytes.length) {
      const size = packetSize(bytes, at);
      if (size < 0) return this.#lost(out, bytes, from);
      if (size === 0 || (size <= SHORT && at + size > bytes.length)) {
        this.#held = bytes.slice(at);
        break;
      }
      const packet = bytes.subarray(at, at + size);
      if (bytes[at] !== 3) this.told = null;
      else if (size <= SHORT) this.told = toldIn(packet) ?? this.told;
      if (size <= SHORT && isShortDeactivate(packet)) {
        out.push(bytes.subarray(from, at), lengthened(packet));
        from = at + size;
      }
      at += size;
    }
    const end = this.#held ? at : bytes.length;
    this.#skip = this.#held ? 0 : at - bytes.length;
    if (end > from) out.push(bytes.subarray(from, end));
    return out.length === 0 ? new Uint8Array() : joined(out);
  }

  // Not a stream of packets (any more): everything passes from here on.
  #lost(out, bytes, from) {
    this.apply = (chunk) => chunk;
    out.push(bytes.subarray(from));
    return joined(out);
  }
}

/** Cuts the stream between its packets. */
export class Cutter {
  #left = 0; // bytes to come of the packet that has begun

  /** These bytes in pieces, none of which holds more than one packet. */
  apply(bytes) {
    const pieces = [];
    for (let at = 0; at < bytes.length;) {
      const size = this.#left || packetSize(bytes, at);
      const end = size > 0 ? Math.min(at + size, bytes.length) : bytes.length;
      this.#left = Math.max(0, at + size - end);
      pieces.push(bytes.subarray(at, end));
      at = end;
    }
    return pieces;
  }
}

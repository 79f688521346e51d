// What the desktop says of why it ends: in a packet before it hangs up ([MS-RDPBCGR] 2.2.5.1.1, Set
// Error Info), or in place of a licence (2.2.1.12.1.3). To the package both are errors without a kind.
// Pure functions over bytes; what is not understood says nothing.

const SEND_DATA_INDICATION = 0x68; // PER, MCS DomainMCSPDU choice 26
const PDU_DATA = 0x7; // with the protocol version above
const SET_ERROR_INFO = 0x2f;
const ERROR_INFO_SIZE = 22;
const COMPRESSED = 0x20;
const SEC_LICENSE_PKT = 0x80;
const ERROR_ALERT = 0xff;
const LICENCE_ERROR_LEAST = 16; // the rest tells more of it
const VALID_CLIENT = 7; // no error: no licence is needed

/** The largest packet that is looked at. */
export const TOLD_MOST = 40;

// Where the user data of a whole packet begins; -1 where there is none that ends with it.
function userData(packet) {
  if (packet[0] !== 3 || packet[4] !== 2 || packet[7] !== SEND_DATA_INDICATION) return -1;
  const long = (packet[13] & 0x80) !== 0; // PER: in one byte or two, below 16384
  const at = long ? 15 : 14;
  const size = long ? ((packet[13] & 0x3f) << 8) | packet[14] : packet[13];
  return at + size === packet.length ? at : -1;
}

/** The reason in this whole packet: {errorInfo} or {licence}, each with its code, or null. */
export function toldIn(packet) {
  const at = userData(packet);
  if (at < 0) return null;
  const size = packet.length - at;
  const view = new DataView(packet.buffer, packet.byteOffset + at, size);
  if (size === ERROR_INFO_SIZE && view.getUint16(0, true) === size && (packet[at + 2] & 0x0f) === PDU_DATA &&
    packet[at + 14] === SET_ERROR_INFO && !(packet[at + 15] & COMPRESSED)) {
    const errorInfo = view.getUint32(18, true);
    return errorInfo ? { errorInfo } : null;
  }
  if (size < LICENCE_ERROR_LEAST || !(view.getUint16(0, true) & SEC_LICENSE_PKT) || packet[at + 4] !== ERROR_ALERT) return null;
  const licence = view.getUint32(8, true);
  return licence === VALID_CLIENT ? null : { licence };
}

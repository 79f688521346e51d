// What kind of desktop it is, as far as it tells: by how it negotiates, which is in what the gateway
// answers first, in an X.224 connection confirm ([MS-RDPBCGR] 2.2.1.2).
//
// Windows offers what only Windows has, and so do FreeRDP's servers, of which GNOME's desktop is one;
// both put the line ends of a clipboard right. xrdp offers none of it, and hands on what it is given.

const TPKT_SIZE = 19; // of a confirm with a negotiation response
const CONFIRM = 0xd0;
const NEG_RSP = 2; // type; then flags, and the length 8 in 16 bits
// RDP_NEGRSP_RESERVED (Windows sets it), RESTRICTED_ADMIN_MODE_SUPPORTED, REDIRECTED_AUTHENTICATION_MODE_SUPPORTED
const OFFERS = 0x04 | 0x08 | 0x10;

const isConfirm = (bytes, at) => bytes[at] === 3 && bytes[at + 1] === 0 && bytes[at + 2] === 0 && bytes[at + 3] === TPKT_SIZE &&
  bytes[at + 5] === CONFIRM && bytes[at + 11] === NEG_RSP && bytes[at + 13] === 8 && bytes[at + 14] === 0;

/** Whether the confirm in these bytes, wherever it stands, is of a desktop that takes Windows' line ends. */
export function takesCrLf(bytes) {
  for (let at = 0; at + TPKT_SIZE <= bytes.length; at++) {
    if (isConfirm(bytes, at)) return (bytes[at + 12] & OFFERS) !== 0;
  }
  return false;
}

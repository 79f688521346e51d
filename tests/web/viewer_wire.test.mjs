// What is amended and mended on the wire: messages as the package and xrdp really send them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import './portal_rig.mjs';

const { Amender, coreData, infoFlags, keyReleases, packets, Phase } = await import('/viewer/wire.js');
const { takesCrLf } = await import('/viewer/desktop_kind.js');
const { Cutter, Mender, packetSize } = await import('/viewer/incoming.js');

const hex = (text) => Uint8Array.from(Buffer.from(text.replaceAll(/\s/g, ''), 'hex'));
const toHex = (bytes) => Buffer.from(bytes).toString('hex');

// MCS Connect Initial of @devolutions/iron-remote-desktop-rdp 0.7.0 (1280 by 800 asked for 1024 by 768).
const CONNECT_INITIAL = hex(`
  0300019302f0807f65820187040101040101 0101ff301a020122020102020100020101020100020101020300ffff020102
  3019020101020101020101020101020100020101020204200201023020020300ffff020300fc17020300ffff020101
  020100020101020300ffff02010204820121 000500147c00018116 0008001000 01c00044756361810a
  01c0ea00 04000800 0004 0003 01ca03aa 00000000 00000000
  690072006f006e007200640070002d00770065006200 00000000000000000000
  04000000 00000000 0c000000 ${'00'.repeat(64)}
  01ca 0100 00000000 1000 0f00 2908 ${'00'.repeat(64)} 06 00 02000000 ${'00'.repeat(18)}
  02c00c000000000000000000 03c0140001000000636c6970726472000000 8000`);

// Client Info, shortened: user name "ada", password "pw".
const CLIENT_INFO = hex(`
  0300003802f08064000403eb70 2a 40000000 00000000 73014b00 0000 0600 0400 0000 0000
  0000 610064006100 0000 70007700 0000 0000 0000`);

const options = { keyboard: { layout: 0x411, type: 7, subtype: 2 }, scale: 150, autologon: true, account: { username: 'ada@home', domain: '' } };
const together = (...parts) => new Uint8Array(parts.flatMap((part) => [...part]));
const view = (bytes, start) => new DataView(bytes.buffer, bytes.byteOffset + start);

test('the samples are whole packets', () => {
  assert.deepEqual(packets(CONNECT_INITIAL), [{ start: 0, end: CONNECT_INITIAL.length }]);
  assert.deepEqual(packets(CLIENT_INFO), [{ start: 0, end: CLIENT_INFO.length }]);
});

test('core data: colours, keyboard, build and scale are set, and nothing else', () => {
  const amender = new Amender(options);
  const amended = amender.apply(CONNECT_INITIAL);
  const { start, size } = coreData(amended, { start: 0, end: amended.length });
  const core = view(amended, start);
  assert.equal(size, 234);
  assert.equal(core.getUint32(16, true), 0x411);
  assert.equal(core.getUint32(20, true), 18363);
  assert.deepEqual([56, 60, 64].map((offset) => core.getUint32(offset, true)), [7, 2, 12]);
  assert.equal(core.getUint16(140, true), 24);
  assert.equal(core.getUint16(144, true), 0x0829 | 2);
  assert.deepEqual([226, 230].map((offset) => core.getUint32(offset, true)), [150, 100]);
  const touched = [16, 20, 56, 60, 64, 226, 230].flatMap((offset) => [0, 1, 2, 3].map((i) => start + offset + i))
    .concat([140, 141, 144, 145].map((offset) => start + offset));
  amended.forEach((byte, i) => { if (!touched.includes(i)) assert.equal(byte, CONNECT_INITIAL[i]); });
  assert.equal(amender.phase, Phase.starting);
});

test('client info: automatic sign-in is added to the flags, once, and then all is done', () => {
  const amender = new Amender(options);
  const amended = amender.apply(CLIENT_INFO);
  const flags = infoFlags(amended, { start: 0, end: amended.length });
  assert.equal(view(amended, flags).getUint32(0, true), 0x004b0173 | 8);
  assert.ok(amender.done);
  assert.equal(toHex(new Amender({ ...options, autologon: false }).apply(CLIENT_INFO)), toHex(CLIENT_INFO));
});

const utf16 = (text) => Buffer.from(text, 'utf16le');

/** A Client Info packet with this name and domain in it, as the package is given them. */
function clientInfo(domain, name) {
  const words = [domain, name, 'pw', '', ''];
  const sizes = Buffer.alloc(10);
  words.forEach((word, i) => sizes.writeUInt16LE(2 * word.length, 2 * i));
  const data = Buffer.concat([hex('40000000 00000000 73014b00'), sizes, utf16(`${words.join('\0')}\0`)]);
  return together(hex(`0300 ${(data.length + 15).toString(16).padStart(4, '0')} 02f080 64000403eb70 ${(0x8000 | data.length).toString(16)}`), data);
}

test('client info: a name with an @ stands there as the person typed it, in the same room', () => {
  for (const [domain, name] of [['', 'anna@company.com'], ['MicrosoftAccount', 'anna@outlook.com']]) {
    const given = clientInfo('', `${name}@${domain}`);
    const amended = new Amender({ ...options, account: { username: name, domain } }).apply(given);
    const flags = infoFlags(amended, { start: 0, end: amended.length });
    assert.equal(amended.length, given.length);
    assert.deepEqual([4, 6, 8].map((offset) => view(amended, flags).getUint16(offset, true)), [2 * domain.length, 2 * name.length + 2, 4]);
    assert.equal(Buffer.from(amended.subarray(flags + 14)).toString('utf16le'), `${domain}\0${name}\0\0pw\0\0\0`);
  }
  const plain = clientInfo('CORP', 'anna');
  assert.equal(toHex(new Amender({ ...options, autologon: false, account: { username: 'anna', domain: 'CORP' } }).apply(plain)), toHex(plain));
  const other = clientInfo('', 'boris@company.com@');
  assert.equal(toHex(new Amender({ ...options, autologon: false, account: { username: 'anna@company.com', domain: '' } }).apply(other)), toHex(other));
});

test('the input is left alone', () => {
  const before = toHex(CONNECT_INITIAL);
  new Amender(options).apply(CONNECT_INITIAL);
  assert.equal(toHex(CONNECT_INITIAL), before);
});

test('several packets in one message', () => {
  const message = new Uint8Array([...hex('0300000c02f080040100010 0'), ...CLIENT_INFO]);
  const amender = new Amender(options);
  assert.equal(amender.apply(message).length, message.length);
  assert.ok(amender.done);
});

test('the phases, and the callback for each', () => {
  const told = [];
  const amender = new Amender({ ...options, onPhase: (phase) => told.push(phase) });
  const der = hex('3003020101');
  for (const message of [der, der, der, CONNECT_INITIAL, CLIENT_INFO]) amender.apply(message);
  assert.deepEqual(told, ['asked', 'signing-in', 'starting', 'started']);
});

test('cut or bent messages pass unchanged or amended, but never throw or grow', () => {
  for (const sample of [CONNECT_INITIAL, CLIENT_INFO, Uint8Array.from(clientInfo('', 'ada@home@'))]) {
    for (let size = 0; size < sample.length; size++) {
      const cut = sample.slice(0, size);
      if (size >= 4) new DataView(cut.buffer).setUint16(2, size); // a whole packet of that size
      assert.equal(new Amender(options).apply(cut).length, size);
    }
    for (let at = 4; at < sample.length; at++) {
      for (const byte of [0x00, 0x7f, 0x80, 0xff]) {
        const bent = sample.slice();
        bent[at] = byte;
        assert.equal(new Amender(options).apply(bent).length, sample.length);
      }
    }
  }
});

test('keys that are let go: fast-path input, fifteen at most in each', () => {
  assert.equal(toHex(keyReleases([0x1e, 0xe01d])), toHex(hex('08 06 011e 031d')));
  const many = keyReleases(Array.from({ length: 17 }, (_, i) => i + 1));
  assert.equal(many.length, 2 + 30 + 2 + 4);
  assert.equal(toHex(many.slice(0, 4)), '3c200101');
  assert.equal(toHex(many.slice(32)), '080601100111');
});

// ---- from the desktop ----

const SHORT_DEACTIVATE = hex('0300001402f080 68000103eb70 06 060016 00ea03');
const LONG_DEACTIVATE = hex('0300001b02f080 68000103eb70 0d 0d0016 00ea03 00000000 0100 00');
const FAST_PATH = hex('00 05 aabbcc');
const FAST_PATH_LONG = hex(`00 8064 ${'01'.repeat(97)}`);
const OTHER = hex('0300000c02f08068000103eb');

test('the size of a packet', () => {
  assert.equal(packetSize(SHORT_DEACTIVATE, 0), 20);
  assert.equal(packetSize(FAST_PATH, 0), 5);
  assert.equal(packetSize(FAST_PATH_LONG, 0), 100);
  assert.equal(packetSize(hex('030000'), 0), 0);
});

test('a short Deactivate All gets its missing fields', () => {
  assert.equal(toHex(new Mender().apply(SHORT_DEACTIVATE)), toHex(LONG_DEACTIVATE));
});

test('a complete one, and everything else, passes as it came', () => {
  for (const bytes of [LONG_DEACTIVATE, OTHER, FAST_PATH, FAST_PATH_LONG, together(OTHER, FAST_PATH_LONG, LONG_DEACTIVATE)]) {
    assert.equal(toHex(new Mender().apply(bytes)), toHex(bytes));
  }
});

test('wherever the stream is cut, the same comes out', () => {
  const stream = together(FAST_PATH_LONG, OTHER, SHORT_DEACTIVATE, FAST_PATH, SHORT_DEACTIVATE, FAST_PATH_LONG);
  const wanted = toHex(together(FAST_PATH_LONG, OTHER, LONG_DEACTIVATE, FAST_PATH, LONG_DEACTIVATE, FAST_PATH_LONG));
  for (let first = 0; first <= stream.length; first++) {
    for (let second = first; second <= stream.length; second++) {
      const mender = new Mender();
      const parts = [stream.slice(0, first), stream.slice(first, second), stream.slice(second)];
      assert.equal(toHex(together(...parts.map((part) => mender.apply(part)))), wanted);
    }
  }
});

test('byte by byte', () => {
  const stream = together(OTHER, SHORT_DEACTIVATE, FAST_PATH_LONG, SHORT_DEACTIVATE);
  const mender = new Mender();
  const out = [...stream].map((byte) => mender.apply(Uint8Array.of(byte)));
  assert.equal(toHex(together(...out)), toHex(together(OTHER, LONG_DEACTIVATE, FAST_PATH_LONG, LONG_DEACTIVATE)));
});

test('what is no stream of packets passes, for good', () => {
  const mender = new Mender();
  const nonsense = hex('0000 0000 0000 ffff');
  assert.equal(toHex(mender.apply(nonsense)), toHex(nonsense));
  assert.equal(toHex(mender.apply(SHORT_DEACTIVATE)), toHex(SHORT_DEACTIVATE));
});

// Set Error Info ([MS-RDPBCGR] 2.2.5.1.1) and Licensing Error Message (2.2.1.12.1.3), as Windows sends them.
const le = (value) => Buffer.from(Uint32Array.of(value).buffer);
const errorInfo = (code) => together(hex('0300 0025 02f080 68000103eb70 8016 1600 1700 ea03 ea030100 00 01 1600 2f 00 0000'), le(code));
const licenceError = (code) => together(hex('0300 0023 02f080 68000103eb70 8014 8000 0000 ff 03 1000'), le(code), hex('02000000 0400 0000'));
const ULTIMATUM = hex('03000009 02f080 2180');

test('what the desktop says of its reason is noted, and passes as it came, wherever the stream is cut', () => {
  for (const [packet, told] of [[errorInfo(5), { errorInfo: 5 }], [errorInfo(0x101), { errorInfo: 0x101 }], [licenceError(2), { licence: 2 }]]) {
    const stream = together(FAST_PATH_LONG, packet, ULTIMATUM);
    for (let cut = 0; cut <= stream.length; cut++) {
      const mender = new Mender();
      assert.equal(toHex(together(mender.apply(stream.slice(0, cut)), mender.apply(stream.slice(cut)))), toHex(stream));
      assert.deepEqual(mender.told, told);
    }
  }
});

test('no reason: none is given, the licence is fine, or the picture goes on', () => {
  for (const stream of [errorInfo(0), licenceError(7), together(errorInfo(5), FAST_PATH), OTHER, SHORT_DEACTIVATE]) {
    const mender = new Mender();
    mender.apply(stream);
    assert.equal(mender.told, null);
  }
});

test('a bent reason passes as it came', () => {
  for (const sample of [errorInfo(5), licenceError(2)]) {
    for (let at = 7; at < sample.length; at++) {
      for (const byte of [0x00, 0x7f, 0x80, 0xff]) {
        const bent = Uint8Array.from(sample);
        bent[at] = byte;
        assert.equal(toHex(new Mender().apply(bent)), toHex(bent));
      }
    }
  }
});

test('the cutter: no piece has bytes of two packets, and none is lost, wherever messages end', () => {
  const all = [OTHER, FAST_PATH_LONG, LONG_DEACTIVATE, FAST_PATH, FAST_PATH_LONG];
  const stream = together(...all);
  const bounds = all.map((_, i) => together(...all.slice(0, i + 1)).length);
  assert.deepEqual(new Cutter().apply(stream).map(toHex), all.map(toHex));
  for (let first = 0; first <= stream.length; first++) {
    for (let second = first; second <= stream.length; second++) {
      const mender = new Mender(); // which it comes after, and which leaves no header in two
      const cutter = new Cutter();
      const pieces = [stream.slice(0, first), stream.slice(first, second), stream.slice(second)]
        .flatMap((part) => cutter.apply(mender.apply(part)));
      assert.equal(toHex(together(...pieces)), toHex(stream));
      let end = 0;
      for (const piece of pieces) {
        const begin = end;
        end += piece.length;
        assert.ok(piece.length > 0 && !bounds.some((bound) => begin < bound && bound < end), `${first} ${second}`);
      }
    }
  }
});

test('the cutter: what is no stream of packets is not cut', () => {
  const nonsense = hex('0000 0000 0000 ffff');
  assert.deepEqual(new Cutter().apply(together(OTHER, nonsense)).map(toHex), [OTHER, nonsense].map(toHex));
});

test('what kind of desktop it is: by its confirm, wherever that stands in the answer', () => {
  const confirm = (flags) => hex(`030000130ed000001234000 2${flags}080001000000`);
  const answer = (flags) => Uint8Array.of(...hex('303ba00402020d3e a615 0413'), ...confirm(flags), ...hex('a710 300e 040c 300a0208 1234567812345678'));
  for (const [flags, wanted] of [['1f', true], ['0f', true], ['07', true], // Windows 10 and its likes, 2012 R2, 2012
    ['09', true], // FreeRDP's servers
    ['01', false], ['03', false], ['00', false]]) { // xrdp, without and with its graphics pipeline; older ones
    assert.equal(takesCrLf(answer(flags)), wanted, flags);
    assert.equal(takesCrLf(confirm(flags)), wanted, flags);
    for (let size = 0; size < 19; size++) assert.equal(takesCrLf(confirm(flags).subarray(0, size)), false, 'cut');
  }
  assert.equal(takesCrLf(hex('0300000b06d00000123400')), false, 'no negotiation');
  assert.equal(takesCrLf(hex('030000130ed0000012340003ff080001000000')), false, 'a failure');
});

// The server's half of TLS handshakes by hand (RFC 5246, RFC 8446), for desktops that show keys nobody
// would have: a certificate with any public key, signatures and parameters that are rubbish. None of
// it takes a private key, so it costs such a desktop nothing.
import { createCipheriv, createHash, createHmac, createPrivateKey, createPublicKey, createSign, diffieHellman, generateKeyPairSync, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { CONFIRM_TLS, der } from './cleanpath.mjs';
import { tcpServer } from './servers.mjs';

const HANDSHAKE = 22;
const DATA = 23;
const RECORD_MOST = 16_000;

const hex = (text) => Buffer.from(text, 'hex');
const u16 = (n) => Buffer.from([n >> 8, n & 255]);
const u24 = (n) => Buffer.from([n >> 16, (n >> 8) & 255, n & 255]);
const with16 = (bytes) => Buffer.concat([u16(bytes.length), bytes]);
const with24 = (bytes) => Buffer.concat([u24(bytes.length), bytes]);
const message = (type, body) => Buffer.concat([Buffer.from([type]), with24(body)]);

function records(type, bytes) {
  const made = [];
  for (let at = 0; at < bytes.length; at += RECORD_MOST) {
    made.push(Buffer.from([type, 3, 3]), with16(bytes.subarray(at, at + RECORD_MOST)));
  }
  return Buffer.concat(made);
}

// An odd number of so many bits.
export function oddNumber(bits) {
  const bytes = randomBytes(bits / 8);
  bytes[0] |= 0x80;
  bytes[bytes.length - 1] |= 1;
  return bytes;
}

const integer = (bytes) => der(2, bytes[0] & 0x80 ? [0] : [], bytes);

// DER of a certificate with this RSA key; nobody has signed it.
export function rsaCertificate(modulus, exponent) {
  const sha256WithRsa = der(0x30, hex('06092a864886f70d01010b'), hex('0500'));
  const name = der(0x30, der(0x31, der(0x30, hex('0603550403'), der(0x0c, Buffer.from('desktop')))));
  const dates = der(0x30, der(0x17, Buffer.from('250101000000Z')), der(0x17, Buffer.from('450101000000Z')));
  const key = der(0x30, der(0x30, hex('06092a864886f70d010101'), hex('0500')),
    der(3, [0], der(0x30, integer(modulus), integer(exponent))));
  const body = der(0x30, der(2, [1]), sha256WithRsa, name, dates, name, key);
  return der(0x30, body, sha256WithRsa, der(3, [0], randomBytes(256)));
}

// ---- TLS 1.2: {suite, exchange(hello, random): the body of the ServerKeyExchange} ----

const serverHello = (random, session, suite, extensions) => message(2, Buffer.concat([hex('0303'), random,
  Buffer.from([session.length]), session, hex(suite), Buffer.from([0]), with16(extensions)]));

export function flight12(hello, certificates, { suite, exchange }) {
  const random = randomBytes(32);
  const list = Buffer.concat(certificates.map(with24));
  return Buffer.concat([
    serverHello(random, Buffer.alloc(0), suite, hex('ff01000100')),
    message(11, with24(list)),
    message(12, exchange(hello, random)),
    message(14, Buffer.alloc(0)),
  ].map((one) => records(HANDSHAKE, one)));
}

// ECDHE by X25519, signed with rubbish of `size` bytes.
export const ecdhe = (size) => ({
  suite: 'c02f',
  exchange: () => Buffer.concat([hex('03001d20'), randomBytes(32), hex('0401'), with16(Buffer.concat([Buffer.alloc(1), randomBytes(size - 1)]))]),
});

// DHE with a prime of so many bits, signed with `key`.
export const dhe = (bits, key) => ({
  suite: '009e',
  exchange: (hello, random) => {
    const parameters = Buffer.concat([oddNumber(bits), Buffer.from([2]), Buffer.concat([Buffer.from([1]), randomBytes(bits / 8 - 1)])].map((one, i) => with16(i === 2 ? one.subarray(1) : one)));
    const signature = createSign('RSA-SHA256').update(Buffer.concat([hello.subarray(11, 43), random, parameters])).sign(key);
    return Buffer.concat([parameters, hex('0401'), with16(signature)]);
  },
});

// ---- TLS 1.3 ----

const hash = (...parts) => createHash('sha256').update(Buffer.concat(parts)).digest();
const extract = (salt, secret) => createHmac('sha256', salt).update(secret).digest();

// RFC 8446 section 7.1, for at most one block.
function expand(secret, label, context, size) {
  const name = Buffer.from(`tls13 ${label}`);
  const info = Buffer.concat([u16(size), Buffer.from([name.length]), name, Buffer.from([context.length]), context, Buffer.from([1])]);
  return createHmac('sha256', secret).update(info).digest().subarray(0, size);
}

// The client's share for X25519, of its hello's extensions.
function shareOf(hello) {
  const at = hello.indexOf(hex('001d0020'));
  if (at < 0) throw new Error('no share for X25519');
  return hello.subarray(at + 4, at + 36);
}

export function flight13(record, certificates, signatureSize) {
  const hello = record.subarray(5);
  const session = hello.subarray(39, 39 + hello[38]);
  const own = generateKeyPairSync('x25519');
  const jwk = { kty: 'OKP', crv: 'X25519' };
  const shared = diffieHellman({ privateKey: own.privateKey, publicKey: createPublicKey({ key: { ...jwk, x: shareOf(hello).toString('base64url') }, format: 'jwk' }) });
  const share = Buffer.from(own.publicKey.export({ format: 'jwk' }).x, 'base64url');
  const answer = serverHello(randomBytes(32), session, '1301', Buffer.concat([hex('002b00020304'), hex('00330024001d0020'), share]));
  const early = extract(Buffer.alloc(32), Buffer.alloc(32));
  const secret = expand(extract(expand(early, 'derived', hash(), 32), shared), 's hs traffic', hash(hello, answer), 32);
  const [key, iv] = [expand(secret, 'key', Buffer.alloc(0), 16), expand(secret, 'iv', Buffer.alloc(0), 12)];
  const list = Buffer.concat(certificates.map((one) => Buffer.concat([with24(one), u16(0)])));
  const inside = Buffer.concat([
    message(8, u16(0)),
    message(11, Buffer.concat([Buffer.from([0]), with24(list)])),
    message(15, Buffer.concat([hex('0804'), with16(Buffer.concat([Buffer.alloc(1), randomBytes(signatureSize - 1)]))])),
  ]);
  const sealed = [];
  for (let at = 0; at < inside.length; at += RECORD_MOST) {
    const plain = Buffer.concat([inside.subarray(at, at + RECORD_MOST), Buffer.from([HANDSHAKE])]);
    const head = Buffer.concat([Buffer.from([DATA, 3, 3]), u16(plain.length + 16)]);
    const nonce = Buffer.from(iv);
    nonce.writeUInt32BE((nonce.readUInt32BE(8) ^ sealed.length) >>> 0, 8);
    const cipher = createCipheriv('aes-128-gcm', key, nonce).setAAD(head);
    sealed.push(Buffer.concat([head, cipher.update(plain), cipher.final(), cipher.getAuthTag()]));
  }
  return Buffer.concat([records(HANDSHAKE, answer), ...sealed]);
}

// ---- a desktop ----

// Agrees on TLS, and answers the client's hello (its record) with what `flight` makes of it.
export const hostileDesktop = (flight) => tcpServer(async (socket) => {
  try {
    await once(socket, 'data');
    socket.write(CONFIRM_TLS);
    const [hello] = await once(socket, 'data');
    socket.write(flight(hello));
    socket.resume();
  } catch {
    socket.destroy();
  }
});

// An RSA key and the certificate of it that is its own: {key, certificate (DER)}.
export function ownRsa(pem) {
  const key = createPrivateKey(pem);
  const { n, e } = key.export({ format: 'jwk' });
  return { key, certificate: rsaCertificate(Buffer.from(n, 'base64url'), Buffer.from(e, 'base64url')) };
}

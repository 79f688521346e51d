// An RD Gateway client that can misbehave, over WebSocket or over the legacy pair of channels.
// Written from [MS-TSGU] section 2.2.10; independent of the gateway's codec.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { OP, frame } from './wire.mjs';

export const TYPE = {
  HANDSHAKE: 1, HANDSHAKE_RESPONSE: 2, EXTENDED_AUTH: 3, TUNNEL_CREATE: 4, TUNNEL_RESPONSE: 5,
  TUNNEL_AUTH: 6, TUNNEL_AUTH_RESPONSE: 7, CHANNEL_CREATE: 8, CHANNEL_RESPONSE: 9, DATA: 10,
  SERVICE_MESSAGE: 11, REAUTH: 12, KEEPALIVE: 13, CLOSE: 16, CLOSE_RESPONSE: 17,
};
export const CAPS = 0x3f; // what Windows asks for
const PATH = '/remoteDesktopGateway/';

export function packet(type, ...parts) {
  const body = Buffer.concat(parts);
  const head = Buffer.alloc(8);
  head.writeUInt16LE(type, 0);
  head.writeUInt32LE(8 + body.length, 4);
  return Buffer.concat([head, body]);
}

const u16 = (...values) => Buffer.from(values.flatMap((value) => [value & 0xff, value >> 8]));
const u32 = (value) => {
  const made = Buffer.alloc(4);
  made.writeUInt32LE(value >>> 0);
  return made;
};
export function text(words) {
  const body = Buffer.from(`${words}\0`, 'utf16le');
  return Buffer.concat([u16(body.length), body]);
}

export const handshake = (auth = 2) => packet(TYPE.HANDSHAKE, Buffer.from([1, 0]), u16(0, auth));
export const tunnelCreate = (ticket, caps = CAPS) => packet(TYPE.TUNNEL_CREATE, u32(caps),
  u16(ticket === undefined ? 0 : 1, 0), ...(ticket === undefined ? [] : [text(ticket)]));
// The ticket once more, for the tunnel of `context` (8 bytes).
export const tunnelAgain = (ticket, context) => packet(TYPE.TUNNEL_CREATE, u32(CAPS), u16(3, 0), context, text(ticket));
export const tunnelAuth = (name = 'LAPTOP') => packet(TYPE.TUNNEL_AUTH, u16(0), text(name));
export const channelCreate = (...names) => packet(TYPE.CHANNEL_CREATE,
  Buffer.from([1, names.length - 1]), u16(3389, 3), ...names.map(text));
export const data = (bytes) => packet(TYPE.DATA, u16(bytes.length), bytes);
export const keepalive = () => packet(TYPE.KEEPALIVE);
export const close = (status = 0x4ca) => packet(TYPE.CLOSE, u32(status));

const head = (method, gateway, lines) => [`${method} ${PATH} HTTP/1.1`, `Host: localhost:${gateway.port}`,
  ...Object.entries(lines).filter(([, value]) => value !== undefined).map(([name, value]) => `${name}: ${value}`), '', ''].join('\r\n');

// {status, text} of an answer's head on `wire`.
export async function answerHead(wire) {
  const got = await wire.readTo('\r\n\r\n');
  assert.ok(got, 'the gateway ended the connection');
  const lines = got.toString('latin1');
  return { status: Number(lines.split(' ')[1]), text: lines };
}

// The ticket in the .rdp file of a desktop.
export const ticketIn = (file) => /^gatewayaccesstoken:s:(\S+)\r$/m.exec(file)[1];

// What it takes to open a desktop: the ticket in a fresh file.
export async function rdgTicket(gateway, token, desktop = 'office') {
  const answer = await gateway.http('GET', `/api/desktops/${desktop}/rdp`, { token });
  assert.equal(answer.status, 200, answer.body);
  return ticketIn(answer.body);
}

class Rdg {
  buffer = Buffer.alloc(0);

  // The next packet: {type, body}; null at the end.
  async read(ms = 30_000) {
    for (;;) {
      if (this.buffer.length >= 8 && this.buffer.length >= this.buffer.readUInt32LE(4)) {
        const size = this.buffer.readUInt32LE(4);
        const whole = this.buffer.subarray(0, size);
        this.buffer = this.buffer.subarray(size);
        return { type: whole.readUInt16LE(0), body: whole.subarray(8), size };
      }
      const more = await this.more(ms);
      if (!more) return null;
      this.buffer = Buffer.concat([this.buffer, more]);
    }
  }

  async expect(type, ms) {
    const got = await this.read(ms);
    assert.ok(got, `the end came where packet ${type} was due`);
    assert.equal(got.type, type, `packet ${got.type} where ${type} was due: ${got.body.toString('hex')}`);
    return got.body;
  }

  // Up to the open channel, or the first refusal: {status, at, …}.
  async open(ticket, names = ['office'], { caps = CAPS, auth = 2 } = {}) {
    const said = {};
    this.send(handshake(auth));
    said.handshake = await this.expect(TYPE.HANDSHAKE_RESPONSE);
    if (said.handshake.readUInt32LE(0)) return { status: said.handshake.readUInt32LE(0), at: 'handshake', said };
    this.send(tunnelCreate(ticket, caps));
    said.tunnel = await this.expect(TYPE.TUNNEL_RESPONSE);
    if (said.tunnel.readUInt32LE(2)) return { status: said.tunnel.readUInt32LE(2), at: 'tunnel', said };
    this.send(tunnelAuth());
    said.auth = await this.expect(TYPE.TUNNEL_AUTH_RESPONSE);
    this.send(channelCreate(...names));
    said.channel = await this.expect(TYPE.CHANNEL_RESPONSE);
    return { status: said.channel.readUInt32LE(0), at: 'channel', said };
  }

  // Payload of data packets until there are `size` bytes.
  async take(size, ms) {
    const pieces = [];
    for (let have = 0; have < size;) {
      const body = await this.expect(TYPE.DATA, ms);
      assert.equal(body.readUInt16LE(0), body.length - 2);
      pieces.push(body.subarray(2));
      have += body.length - 2;
    }
    return Buffer.concat(pieces);
  }
}

export class WebSocketRdg extends Rdg {
  static kind = 'WebSocket';

  // `from`: an address of this machine to come from.
  static async connect(gateway, headers = {}, { from } = {}) {
    const rdg = new WebSocketRdg();
    rdg.wire = await gateway.wire(from ? { localAddress: from } : {});
    rdg.wire.send(head('RDG_OUT_DATA', gateway, {
      Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Version': 13,
      'Sec-WebSocket-Key': 'YQXEXOYGSAUGL]E', 'RDG-Connection-Id': `{${randomUUID()}}`,
      'RDG-Auth-Scheme': 'PAA', ...headers,
    }));
    rdg.answer = await answerHead(rdg.wire);
    return rdg;
  }

  send(bytes, cut = 0) {
    if (!cut) this.wire.send(frame({ payload: bytes }));
    for (let at = 0; cut && at < bytes.length; at += cut) this.wire.send(frame({ payload: bytes.subarray(at, at + cut) }));
  }

  async more(ms) {
    const first = await this.wire.read(2, ms);
    if (!first) return null;
    let size = first[1] & 0x7f;
    if (size === 126) size = (await this.wire.read(2, ms)).readUInt16BE();
    else if (size === 127) size = Number((await this.wire.read(8, ms)).readBigUInt64BE());
    const payload = await this.wire.read(size, ms);
    if ((first[0] & 0xf) === OP.CLOSE) {
      this.closed = { code: payload.readUInt16BE(0), reason: payload.subarray(2).toString() };
      return null;
    }
    return payload;
  }

  drop() {
    this.wire.socket.destroy();
  }
}

export class LegacyRdg extends Rdg {
  static kind = 'legacy pair';

  // `id` names the pair; `only` 'out' leaves the other channel to the test.
  static async connect(gateway, headers = {}, { id = `{${randomUUID()}}`, only } = {}) {
    const rdg = new LegacyRdg();
    Object.assign(rdg, { gateway, id, headers });
    rdg.wire = await gateway.wire();
    rdg.wire.send(head('RDG_OUT_DATA', gateway, rdg.#lines()));
    rdg.answer = await answerHead(rdg.wire);
    if (rdg.answer.status !== 200) return rdg;
    assert.equal((await rdg.wire.read(10)).length, 10, 'the seed');
    if (only !== 'out') await rdg.join();
    return rdg;
  }

  #lines() {
    return { 'RDG-Connection-Id': this.id, 'RDG-Auth-Scheme': 'PAA', Accept: '*/*', ...this.headers };
  }

  // The channel that gives. Its first bytes may travel with the head.
  async join({ wire, first = Buffer.alloc(0), id = this.id } = {}) {
    this.in = wire ?? await this.gateway.wire();
    const lines = { ...this.#lines(), 'RDG-Connection-Id': id };
    this.in.send(head('RDG_IN_DATA', this.gateway, { ...lines, 'Content-Length': 0 }));
    const answer = await answerHead(this.in);
    if (answer.status !== 200) return answer;
    this.in.send(Buffer.concat([Buffer.from(head('RDG_IN_DATA', this.gateway, { ...lines, 'Transfer-Encoding': 'chunked' })), first]));
    return answer;
  }

  static chunk(bytes) {
    return Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n')]);
  }

  send(bytes, cut = 0) {
    if (!cut) this.in.send(LegacyRdg.chunk(bytes));
    for (let at = 0; cut && at < bytes.length; at += cut) this.in.send(LegacyRdg.chunk(bytes.subarray(at, at + cut)));
  }

  async more(ms) {
    const one = await this.wire.read(1, ms);
    if (!one) return null;
    const rest = this.wire.buffer;
    this.wire.buffer = Buffer.alloc(0);
    return Buffer.concat([one, rest]);
  }

  drop() {
    this.wire.socket.destroy();
    this.in?.socket.destroy();
  }
}

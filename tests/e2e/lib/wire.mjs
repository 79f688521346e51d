// A WebSocket client that can misbehave: it sends exactly what it is told and shows exactly what
// comes back. Written from RFC 6455; independent of the gateway's codec.
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect as tcpConnect } from 'node:net';
import { connect as tlsConnect } from 'node:tls';
import { patiently } from './wait.mjs';

export const OP = { MORE: 0, TEXT: 1, BINARY: 2, CLOSE: 8, PING: 9, PONG: 10 };

// One frame in wire form. `mask`: true (a random key), false, or the four bytes. `length` claims
// another length than the payload's; `form` forces 7, 16 or 64 bits for it.
export function frame({ fin = true, rsv = 0, opcode = OP.BINARY, mask = true, payload = Buffer.alloc(0), length, form } = {}) {
  const data = Buffer.from(payload);
  const size = length ?? data.length;
  const bits = form ?? (size < 126 ? 7 : size < 65536 ? 16 : 64);
  const head = Buffer.alloc({ 7: 2, 16: 4, 64: 10 }[bits]);
  head[0] = (fin ? 0x80 : 0) | (rsv << 4) | opcode;
  head[1] = (mask ? 0x80 : 0) | { 7: size, 16: 126, 64: 127 }[bits];
  if (bits === 16) head.writeUInt16BE(size, 2);
  if (bits === 64) head.writeBigUInt64BE(BigInt(size), 2);
  if (!mask) return Buffer.concat([head, data]);
  const key = mask === true ? randomBytes(4) : mask;
  for (let i = 0; i < data.length; i++) data[i] ^= key[i & 3];
  return Buffer.concat([head, key, data]);
}

export function closeBody(code, reason = '') {
  const body = Buffer.alloc(2 + Buffer.byteLength(reason));
  body.writeUInt16BE(code);
  body.write(reason, 2);
  return body;
}

// A byte stream that can be read in exact pieces.
export class Wire {
  constructor(socket) {
    this.socket = socket;
    this.buffer = Buffer.alloc(0);
    this.over = false; // the peer ended or broke
    this.error = null;
    socket.setNoDelay?.(true);
    socket.on('data', (piece) => {
      this.buffer = this.buffer.length ? Buffer.concat([this.buffer, piece]) : piece;
      this.wake?.();
    });
    for (const event of ['end', 'close']) {
      socket.on(event, () => {
        this.over = true;
        this.wake?.();
      });
    }
    socket.on('error', (error) => {
      this.error = error;
      this.over = true;
      this.wake?.();
    });
  }

  static async tcp(port, host = '127.0.0.1') {
    const socket = tcpConnect({ port, host });
    const wire = new Wire(socket);
    await Promise.race([once(socket, 'connect'), once(socket, 'close')]);
    if (wire.error) throw wire.error;
    return wire;
  }

  static async tls(port, options = {}) {
    const socket = tlsConnect({ port, host: '127.0.0.1', servername: 'localhost', ...options });
    const wire = new Wire(socket);
    await Promise.race([once(socket, 'secureConnect'), once(socket, 'close').catch(() => {})]);
    if (wire.error) throw wire.error;
    return wire;
  }

  send(data) {
    if (!this.socket.destroyed) this.socket.write(data);
  }

  async #more(ms) {
    let done;
    const late = new Promise((_, fail) => {
      done = patiently(ms, () => fail(new Error(`nothing came for ${ms} ms; have ` +
        `${JSON.stringify(this.buffer.subarray(0, 200).toString('latin1'))}`)));
    });
    const woken = new Promise((fulfil) => { this.wake = fulfil; });
    try {
      await Promise.race([woken, late]);
    } finally {
      done();
      this.wake = undefined;
    }
  }

  // Exactly `size` bytes; null when the stream ended before.
  async read(size, ms = 30_000) {
    while (this.buffer.length < size) {
      if (this.over) return null;
      await this.#more(ms);
    }
    const data = this.buffer.subarray(0, size);
    this.buffer = this.buffer.subarray(size);
    return data;
  }

  // Up to and including `mark`; null when the stream ended before.
  async readTo(mark, ms = 30_000) {
    let at;
    while ((at = this.buffer.indexOf(mark)) < 0) {
      if (this.over) return null;
      await this.#more(ms);
    }
    return this.read(at + mark.length);
  }

  // Everything until the peer's end.
  async rest(ms = 30_000) {
    while (!this.over) await this.#more(ms);
    const data = this.buffer;
    this.buffer = Buffer.alloc(0);
    return data;
  }

  // An HTTP answer with Content-Length, or until the end: {status, headers, body}.
  async answer(ms = 30_000) {
    const head = await this.readTo('\r\n\r\n', ms);
    if (!head) return null;
    const [first, ...lines] = head.toString('latin1').trimEnd().split('\r\n');
    const headers = {};
    for (const line of lines) {
      const colon = line.indexOf(':');
      headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim();
    }
    const code = Number(first.split(' ')[1]);
    const size = headers['content-length'];
    let body = Buffer.alloc(0);
    if (code !== 101 && size !== undefined) body = await this.read(Number(size), ms) ?? body;
    return { status: code, headers, body };
  }

  end() {
    this.socket.destroy();
  }
}

// The client's half of a WebSocket. open() gives {ws, answer}: `ws` is null when it was refused.
export class RawSocket {
  constructor(wire) {
    this.wire = wire;
    this.pongs = [];
  }

  static async open(wire, path, headers = {}, { method = 'GET', key = randomBytes(16).toString('base64') } = {}) {
    const lines = {
      Host: 'localhost', Upgrade: 'websocket', Connection: 'Upgrade', 'Sec-WebSocket-Version': '13',
      'Sec-WebSocket-Key': key, ...headers,
    };
    const text = Object.entries(lines).filter(([, value]) => value !== null)
      .map(([name, value]) => `${name}: ${value}\r\n`).join('');
    wire.send(`${method} ${path} HTTP/1.1\r\n${text}\r\n`);
    const answer = await wire.answer();
    if (answer?.status !== 101) return { ws: null, answer };
    const due = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
    if (answer.headers['sec-websocket-accept'] !== due) throw new Error('a wrong Sec-WebSocket-Accept');
    return { ws: new RawSocket(wire), answer };
  }

  send(payload, options = {}) {
    this.wire.send(frame({ payload, ...options }));
  }

  // The next frame as it came, or null at the end of the stream.
  async next(ms) {
    const head = await this.wire.read(2, ms);
    if (!head) return null;
    if (head[1] & 0x80) throw new Error('a masked frame from the server');
    let size = head[1] & 127;
    if (size === 126) size = (await this.wire.read(2, ms)).readUInt16BE();
    else if (size === 127) size = Number((await this.wire.read(8, ms)).readBigUInt64BE());
    return {
      fin: (head[0] & 0x80) !== 0, rsv: (head[0] >> 4) & 7, opcode: head[0] & 15,
      payload: await this.wire.read(size, ms),
    };
  }

  // Payload bytes of binary messages, pings answered, pongs kept; null when it ends before `size`
  // came.
  async read(size, ms) {
    const pieces = [this.inbox ?? Buffer.alloc(0)];
    try {
      for (let have = pieces[0].length; have < size;) {
        const got = await this.next(ms);
        if (!got || got.opcode === OP.CLOSE) return null;
        if (got.opcode === OP.PING) this.send(got.payload, { opcode: OP.PONG });
        if (got.opcode === OP.PONG) this.pongs.push(got.payload);
        if (got.opcode !== OP.BINARY && got.opcode !== OP.MORE) continue;
        pieces.push(got.payload);
        have += got.payload.length;
      }
    } finally {
      this.inbox = Buffer.concat(pieces); // once: of many megabytes it would keep this process from all else
    }
    const data = this.inbox.subarray(0, size);
    this.inbox = this.inbox.subarray(size);
    return data;
  }

  // What a client does that is only there: takes all and forgets it, answers pings, until the end.
  // The answer is that of closed().
  async stay(ms = 60_000) {
    for (;;) {
      const got = await this.next(ms).catch(() => null);
      if (!got?.payload) return { code: 1006, reason: '' };
      if (got.opcode === OP.PING) this.send(got.payload, { opcode: OP.PONG });
      if (got.opcode !== OP.CLOSE) continue;
      this.send(got.payload, { opcode: OP.CLOSE });
      return { code: got.payload.readUInt16BE(), reason: got.payload.subarray(2).toString('utf8') };
    }
  }

  // Reads on to the close frame and answers it: {code, reason}; {code: 1006} when there is none.
  async closed(ms) {
    for (;;) {
      const got = await this.next(ms);
      if (!got) return { code: 1006, reason: '' };
      if (got.opcode !== OP.CLOSE) continue;
      this.send(got.payload, { opcode: OP.CLOSE });
      if (got.payload.length < 2) return { code: 1005, reason: '' };
      return { code: got.payload.readUInt16BE(), reason: got.payload.subarray(2).toString('utf8') };
    }
  }
}

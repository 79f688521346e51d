// A gateway that does as it is told: for what a good one never does, and for faults that cannot be
// had on demand. TLS by Node, HTTP and WebSocket by hand, so that every byte can be wrong.
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:tls';

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'; // RFC 6455 section 1.3

export const accept = (key) => createHash('sha1').update(key + GUID).digest('base64');

export function answer(status, body, fields = {}) {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const lines = Object.entries({ 'Content-Length': Buffer.byteLength(text), ...fields });
  return `HTTP/1.1 ${status} Words\r\n${lines.map(([k, v]) => `${k}: ${v}\r\n`).join('')}\r\n${text}`;
}

export function frame(payload, opcode = 2) {
  const data = Buffer.from(payload);
  let head;
  if (data.length < 126) {
    head = Buffer.from([0x80 | opcode, data.length]);
  } else if (data.length < 65536) {
    head = Buffer.from([0x80 | opcode, 126, data.length >> 8, data.length & 255]);
  } else {
    head = Buffer.alloc(10);
    head[0] = 0x80 | opcode;
    head[1] = 127;
    head.writeBigUInt64BE(BigInt(data.length), 2);
  }
  return Buffer.concat([head, data]);
}

export const closeFrame = (code, reason) =>
  frame(Buffer.concat([Buffer.from([code >> 8, code & 255]), Buffer.from(reason)]), 8);

// The client's frames out of a growing buffer; throws on what a client must never send.
export function* frames(state, piece) {
  state.rest = Buffer.concat([state.rest ?? Buffer.alloc(0), piece]);
  for (;;) {
    const at = state.rest;
    if (at.length < 2) return;
    let size = at[1] & 127;
    let head = 2;
    if (size === 126) { if (at.length < 4) return; size = at.readUInt16BE(2); head = 4; }
    if (size === 127) { if (at.length < 10) return; size = Number(at.readBigUInt64BE(2)); head = 10; }
    if (!(at[1] & 128)) throw new Error('a client frame without a mask');
    if (at[0] & 0x70) throw new Error('reserved bits');
    if (at.length < head + 4 + size) return;
    const mask = at.subarray(head, head + 4);
    const data = Buffer.from(at.subarray(head + 4, head + 4 + size));
    for (let i = 0; i < size; i++) data[i] ^= mask[i & 3];
    state.rest = at.subarray(head + 4 + size);
    yield { opcode: at[0] & 15, data };
  }
}

export const upgraded = (request) =>
  `HTTP/1.1 101 Words\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
  `Sec-WebSocket-Accept: ${accept(request.fields['sec-websocket-key'])}\r\n\r\n`;

// A tunnel that sends back what comes; `deaf`: it answers no goodbye.
export function echo(request, socket, greeting = '', deaf = false) {
  const state = {};
  socket.write(Buffer.concat([Buffer.from(upgraded(request)), greeting ? frame(greeting) : Buffer.alloc(0)]));
  socket.on('data', (piece) => {
    for (const { opcode, data } of frames(state, piece)) {
      if (opcode === 8 && deaf) return;
      if (opcode === 8) socket.end(frame(data, 8));
      else if (opcode === 9) socket.write(frame(data, 10));
      else if (opcode === 2 || opcode === 0) socket.write(frame(data));
    }
  });
}

const TOKEN = (number) => `token-${number}-`.padEnd(43, 'x');

// Sign-in, list and sign-out as they should be; `rules` ("POST /api/login": (request, socket) => …)
// replace any of them. Everything that was asked is in `seen`.
export async function startGateway({ cert, key, rules = {}, codes = null, host = '127.0.0.1' }) {
  const gateway = { seen: [], sockets: new Set(), tokens: new Set(), rules, wanted: codes };
  const normal = {
    'POST /api/login': (request, socket) => {
      const { password, code } = JSON.parse(request.body);
      if (password !== gateway.password || gateway.usedCodes.has(code))
        return socket.end(answer(401, { error: 'sign_in_refused', message: 'Not right.', id: '00aa' }));
      gateway.usedCodes.add(code);
      const token = TOKEN(gateway.usedCodes.size);
      gateway.tokens.add(token);
      return socket.end(answer(200, { token, expires: '2099-01-01T00:00:00Z', username: 'anna' }));
    },
    'POST /api/logout': (request, socket) => {
      gateway.tokens.delete(request.token);
      socket.end(answer(200, { status: 'signed_out' }));
    },
    'GET /api/desktops': (request, socket) =>
      socket.end(answer(200, { desktops: [{ name: 'pc', description: '' }, { name: 'other', description: '' }] })),
    'GET /tunnel/pc': (request, socket) => echo(request, socket),
  };
  gateway.password = 'pass "word" \\ äöü';
  gateway.usedCodes = new Set();

  function serve(request, socket) {
    const name = `${request.method} ${request.path}`;
    gateway.seen.push(name);
    const rule = gateway.rules[name];
    if (rule) return rule(request, socket);
    if (name !== 'POST /api/login' && !gateway.tokens.has(request.token))
      return socket.end(answer(401, { error: 'no_session', message: 'Sign in first.', id: '00bb' }));
    return (normal[name] ?? ((_, s) => s.end(answer(404, { error: 'not_found' }))))(request, socket);
  }

  const server = createServer({ cert, key, minVersion: 'TLSv1.2' }, (socket) => {
    let text = Buffer.alloc(0);
    gateway.sockets.add(socket);
    socket.on('close', () => gateway.sockets.delete(socket));
    socket.on('error', () => {});
    const take = (piece) => {
      text = Buffer.concat([text, piece]);
      const end = text.indexOf('\r\n\r\n');
      if (end < 0) return;
      const [first, ...lines] = text.subarray(0, end).toString().split('\r\n');
      const fields = Object.fromEntries(lines.map((l) => [l.slice(0, l.indexOf(':')).toLowerCase(), l.slice(l.indexOf(':') + 1).trim()]));
      const body = text.subarray(end + 4);
      if (body.length < Number(fields['content-length'] ?? 0)) return;
      socket.off('data', take);
      const [method, path] = first.split(' ');
      serve({ method, path, fields, body: body.toString(), token: (fields.authorization ?? '').replace('Bearer ', '') }, socket);
    };
    socket.on('data', take);
  });
  server.on('tlsClientError', () => {});
  server.listen(0, host);
  await once(server, 'listening');
  gateway.port = server.address().port;
  gateway.stop = () => {
    for (const socket of gateway.sockets) socket.destroy();
    server.close();
  };
  return gateway;
}

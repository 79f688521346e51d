// The browser's side of RDCleanPath, and a desktop that speaks just enough RDP for it: X.224, then
// TLS. DER by hand from X.690, independent of the gateway's codec.
import { once } from 'node:events';
import { createSecureContext, TLSSocket } from 'node:tls';
import { run } from './proc.mjs';
import { tcpServer } from './servers.mjs';
import { until } from './wait.mjs';
import { OP, RawSocket } from './wire.mjs';

// ---- DER ----

export function der(tag, ...contents) {
  const body = Buffer.concat(contents.map((content) => Buffer.from(content)));
  const size = body.length;
  if (size < 128) return Buffer.concat([Buffer.from([tag, size]), body]);
  if (size < 256) return Buffer.concat([Buffer.from([tag, 0x81, size]), body]);
  return Buffer.concat([Buffer.from([tag, 0x82, size >> 8, size & 255]), body]);
}

const field = (number, content) => der(0xa0 + number, content);
const text = (value) => der(0x0c, Buffer.from(value));

// An X.224 connection request with TLS, CredSSP and its early form ([MS-RDPBCGR] 2.2.1.1).
export const X224 = Buffer.from('030000130ee000000000000100080 00b000000'.replace(' ', ''), 'hex');

// `fields` overrides or (null) leaves out parts; `tail` is appended behind the PDU.
export function requestPdu({ version = 3390, destination, ticket, x224 = X224, more = [] }) {
  return der(0x30,
    field(0, der(0x02, [version >> 8, version & 255])),
    ...(destination === null ? [] : [field(2, text(destination))]),
    ...(ticket === null ? [] : [field(3, text(ticket))]),
    ...more,
    ...(x224 === null ? [] : [field(6, der(0x04, x224))]));
}

function element(buffer, at = 0) {
  let size = buffer[at + 1];
  let head = 2;
  if (size & 0x80) {
    const count = size & 0x7f;
    size = buffer.readUIntBE(at + 2, count);
    head += count;
  }
  return { tag: buffer[at], body: buffer.subarray(at + head, at + head + size), next: at + head + size };
}

function* elements(buffer) {
  for (let at = 0; at < buffer.length;) {
    const one = element(buffer, at);
    yield one;
    at = one.next;
  }
}

const integer = (body) => body.readIntBE(0, body.length);

// {version, error: {code, http, wsa, alert}, x224, chain, address}
export function readPdu(pdu) {
  const answer = {};
  for (const { tag, body } of elements(element(pdu).body)) {
    const inner = element(body).body;
    if (tag === 0xa0) answer.version = integer(inner);
    if (tag === 0xa6) answer.x224 = inner;
    if (tag === 0xa7) answer.chain = [...elements(inner)].map((one) => one.body);
    if (tag === 0xa9) answer.address = inner.toString();
    if (tag === 0xa1) {
      const names = ['code', 'http', 'wsa', 'alert'];
      answer.error = {};
      for (const part of elements(inner)) answer.error[names[part.tag - 0xa0]] = integer(element(part.body).body);
    }
  }
  return answer;
}

// ---- the browser ----

const originOf = (gateway) => `https://localhost:${gateway.port}`;

// A ticket as the page gets it: {ticket, visit, …}.
export async function ticketFor(gateway, token, desktop) {
  const made = await gateway.post(`/api/desktops/${desktop}/ticket`, {}, { token });
  if (made.status !== 200) throw new Error(`no ticket: ${made.status} ${made.body}`);
  return made.json;
}

export async function visit(gateway, token, number) {
  return (await gateway.http('GET', `/api/visits/${number}`, { token })).json;
}

// A visit whose end is known. The client may hear of it before the keeper does.
export function visitOver(gateway, token, number) {
  return until('the visit is over', async () => {
    const now = await visit(gateway, token, number);
    return ['ended', 'refused'].includes(now.state) && now;
  });
}

// The upgraded WebSocket: {ws, answer, wire}.
export async function openCleanpath(gateway, token, headers = {}) {
  const wire = await gateway.wire();
  const opened = await RawSocket.open(wire, '/rdcleanpath', {
    Host: `localhost:${gateway.port}`, Origin: originOf(gateway),
    Cookie: `__Host-deskgate=${token}`, ...headers,
  });
  return { ...opened, wire };
}

// Sends the PDU (cut at `cuts`) and reads ours: {ws, wire, pdu, answer}; `pdu` is null when the
// connection closed without one.
export async function present(gateway, token, fields, { cuts = [], tail = Buffer.alloc(0) } = {}) {
  const { ws, wire, answer } = await openCleanpath(gateway, token);
  if (!ws) throw new Error(`not upgraded: ${answer?.status}`);
  const data = Buffer.concat([Buffer.isBuffer(fields) ? fields : requestPdu(fields), tail]);
  let from = 0;
  for (const cut of [...cuts, data.length]) {
    ws.send(data.subarray(from, cut));
    from = cut;
  }
  const frame = await ws.next();
  const pdu = frame?.opcode === OP.BINARY ? frame.payload : null;
  return { ws, wire, frame, pdu, answer: pdu && readPdu(pdu) };
}

// ---- a desktop ----

export const CONFIRM_TLS = Buffer.from('030000130ed00000123400020008000100 0000'.replace(' ', ''), 'hex');
export const CONFIRM_REFUSED = Buffer.from('030000130ed0000012340003000800050 00000'.replace(' ', ''), 'hex');

// A self-signed certificate of its own: {key, cert}.
const EC = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'];
// As Windows makes its own for RDP: its key is for encipherment, and signs all the same.
export const WINDOWS = ['-newkey', 'rsa:2048', '-addext', 'keyUsage=keyEncipherment,dataEncipherment', '-addext', 'extendedKeyUsage=serverAuth'];

export function selfSigned(name = 'desktop', kind = EC) {
  const made = run('openssl', ['req', '-x509', ...kind, '-nodes', '-keyout', '-', '-days', '2', '-subj', `/CN=${name}`]).stdout;
  return {
    key: made.slice(made.indexOf('-----BEGIN PRIVATE'), made.indexOf('-----BEGIN CERT')),
    cert: made.slice(made.indexOf('-----BEGIN CERT')),
  };
}

// Answers X.224 with `confirm` (a function may do as it likes with the socket), then TLS, then
// echoes. `.pair` may be replaced while it runs; `versions` are options of its TLS; `.secured` is the
// last TLSSocket.
export async function rdpServer({ pair = selfSigned(), confirm = CONFIRM_TLS, versions = {} } = {}) {
  const server = await tcpServer(async (socket) => {
    const [request] = await once(socket, 'data').catch(() => []);
    if (!request) return;
    server.requests.push(request);
    if (typeof confirm === 'function') {
      confirm(socket);
      return;
    }
    socket.write(confirm);
    if (confirm[11] !== 2) return;
    const secure = new TLSSocket(socket, { isServer: true, secureContext: createSecureContext({ ...server.pair, ...versions }) });
    server.secured = secure;
    secure.on('error', () => {});
    secure.pipe(secure);
  });
  return Object.assign(server, { pair, requests: [] });
}

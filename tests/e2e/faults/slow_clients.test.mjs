// Clients that are slow on purpose, many at a time: before TLS, in the midst of records, heads and
// bodies, and in taking what they asked for. Each is let go when its time is over; a client that is
// slow but honest gets everything.
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { Duplex } from 'node:stream';
import { after, afterEach, before, test } from 'node:test';
import { connect as tlsConnect } from 'node:tls';
import { House } from '../lib/fault_house.mjs';
import { tcpServer } from '../lib/servers.mjs';
import { sleep, until } from '../lib/wait.mjs';
import { Wire } from '../lib/wire.mjs';

const LIMIT = 4; // seconds, of everything
const MANY = 30;
const PATIENCE = 30_000; // for the limit, a look a second, and a busy machine

let house, gateway, token;

before(async () => {
  house = await House.open({
    conf: {
      metrics: { listen: '127.0.0.1:0' },
      server: { request_seconds: LIMIT, handshake_seconds: LIMIT, keepalive_seconds: LIMIT, handshakes_per_address: 256, connections_per_address: 1000 },
    },
  });
  ({ gateway, token } = house);
});
after(() => house?.close());
afterEach((t) => house.whole(t));

const many = (make) => Promise.all(Array.from({ length: MANY }, (_, i) => make(i)));

// A TCP connection that can be told to pass on a byte a second.
class Drip extends Duplex {
  constructor(port) {
    super();
    this.socket = connect({ port, host: '127.0.0.1', noDelay: true });
    this.socket.on('data', (piece) => this.push(piece)).on('end', () => this.push(null))
      .on('error', () => this.destroy()).on('close', () => this.destroy());
  }

  _read() {}

  async _write(piece, encoding, done) {
    if (!this.slow) {
      this.socket.write(piece, () => done());
      return;
    }
    for (const byte of piece) {
      if (this.socket.destroyed) break;
      this.socket.write(Buffer.from([byte]));
      await sleep(1000);
    }
    done();
  }

  _destroy(error, done) {
    this.socket.destroy();
    done(error);
  }
}

// Sends a byte a second until the gateway has had enough: {status, ms}.
async function drip(wire, text) {
  const begun = Date.now();
  const bytes = [...text];
  const timer = setInterval(() => wire.send(bytes.shift() ?? ' '), 1000);
  try {
    const answer = await wire.answer(PATIENCE);
    await wire.rest(PATIENCE);
    return { status: answer?.status, ms: Date.now() - begun };
  } finally {
    clearInterval(timer);
    wire.end();
  }
}

test('handshakes that never end', { timeout: 180_000 }, async () => {
  const failed = await house.number('deskgate_tls_handshakes_total', { result: 'failed' });
  const begun = Date.now();
  const wires = await many(() => Wire.tcp(gateway.port));
  const half = Buffer.from('1603010200010001fc0303', 'hex');
  for (const [i, wire] of wires.entries()) if (i % 2) wire.send(half);
  const drips = await many(() => {
    const below = new Drip(gateway.port);
    below.slow = true;
    return tlsConnect({ socket: below, ...gateway.tlsOptions() }).on('error', () => {});
  });
  await house.books.enter();
  await Promise.all(wires.map((wire) => wire.rest(PATIENCE)));
  await until('those that come in drops are let go, too', () => drips.every((one) => one.destroyed), { ms: PATIENCE });
  assert.ok(Date.now() - begun >= LIMIT * 1000 - 100, 'nobody was let go before');
  await until('none is under way', async () => await house.number('deskgate_connections_handshaking') === 0);
  assert.ok(await house.number('deskgate_tls_handshakes_total', { result: 'failed' }) >= failed + MANY);
  for (const wire of wires) wire.end();
  await house.calm();
});

test('heads, bodies, chunks and records, a byte a second', { timeout: 180_000 }, async () => {
  const head = `GET /healthz HTTP/1.1\r\nHost: x\r\nX: ${'a'.repeat(100)}`;
  const post = 'POST /api/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n';
  const begun = Date.now();
  const kinds = [
    (wire) => drip(wire, head),
    (wire) => {
      wire.send(`${post}Content-Length: 100\r\n\r\n`);
      return drip(wire, '{"username":"anna","password":"');
    },
    (wire) => {
      wire.send(`${post}Transfer-Encoding: chunked\r\n\r\n`);
      return drip(wire, '1\r\n{\r\n1\r\n"\r\n');
    },
    // The second request of a connection is no better.
    async (wire) => {
      wire.send('GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n');
      assert.equal((await wire.answer()).status, 200);
      return drip(wire, head);
    },
  ];
  const told = many(async (i) => kinds[i % kinds.length](await gateway.wire()));
  // A TLS record whose end does not come.
  const records = await Promise.all(Array.from({ length: 5 }, async () => {
    const below = new Drip(gateway.port);
    const wire = new Wire(tlsConnect({ socket: below, ...gateway.tlsOptions() }));
    await until('TLS is up', () => wire.socket.getProtocol() && wire.socket.authorized);
    below.slow = true;
    wire.send(head);
    return wire;
  }));
  for (const { status, ms } of await told) {
    assert.equal(status, 408);
    assert.ok(ms >= LIMIT * 1000 - 1100 && ms < PATIENCE, `${ms} ms`);
  }
  await Promise.all(records.map((wire) => wire.rest(PATIENCE)));
  for (const wire of records) wire.end();
  assert.ok(Date.now() - begun < 2 * PATIENCE);
  await house.calm();
});

test('a connection that asks for nothing more ends without a word', async () => {
  const wire = await gateway.wire();
  wire.send('GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n');
  assert.equal((await wire.answer()).status, 200);
  // A client would take it for the answer to what it is about to ask.
  assert.equal((await wire.rest(PATIENCE)).toString(), '');
  wire.end();
});

test('answers that nobody takes, and one that is taken slowly', { timeout: 180_000 }, async () => {
  const large = await gateway.http('GET', '/viewer.html', { fresh: true });
  const script = /src="([^"]+\.js)"/.exec(large.body)?.[1] ?? '/viewer.html';
  const due = await gateway.http('GET', script, { fresh: true });
  const ask = `GET ${script} HTTP/1.1\r\nHost: x\r\n\r\n`;
  const deaf = await many(async () => {
    const wire = await gateway.wire();
    wire.socket.pause();
    wire.send(ask.repeat(2_000));
    return wire;
  });
  const slow = (async () => {
    const wire = await gateway.wire();
    const hash = createHash('sha256');
    for (let i = 0; i < 5; i++) { // some six seconds of a limit of four, and never a pause as long
      wire.send(ask);
      const answer = await wire.answer(PATIENCE);
      assert.equal(answer.status, 200);
      hash.update(answer.body);
      await sleep(1200);
    }
    wire.end();
    return hash.digest('hex');
  })();
  const hash = createHash('sha256');
  for (let i = 0; i < 5; i++) hash.update(due.bytes);
  assert.equal(await slow, hash.digest('hex'), 'who is slow but there gets it all');
  // The gate has closed them, so what a reader would find is the end.
  await until('the deaf ones are let go', async () => await house.number('deskgate_connections') <= 6, { ms: 20_000, every: 200 });
  for (const wire of deaf) wire.end();
  await house.calm();
});

test('a desktop\'s long picture: taken slowly it arrives whole, and one that is not taken is not asked for', { timeout: 180_000 }, async () => {
  const picture = randomBytes(24 << 20);
  let under = 0;
  await house.desktop('picture', tcpServer((socket) => {
    socket.on('data', () => {});
    socket.write(picture, (error) => { under += error ? 0 : 1; });
  }));
  const from = house.lastRow();
  const deaf = await gateway.tunnel('picture', token);
  deaf.wire.socket.pause();
  const slow = await gateway.tunnel('picture', token);
  slow.wire.socket.pause();
  const reading = slow.ws.read(picture.length, 30_000);
  for (let i = 0; i < 10; i++) {
    slow.wire.socket.resume();
    await sleep(5);
    slow.wire.socket.pause();
    await sleep(200);
  }
  slow.wire.socket.resume();
  assert.ok((await reading).equals(picture), 'the slow one has every byte');
  assert.equal(under, 1, 'what one does not take, the desktop is not asked for');
  slow.wire.end();
  deaf.wire.end();
  await house.settled(from, { 'client-lost': 2 });
});

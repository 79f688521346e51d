// A handshake's messages may lie over several records (RFC 8446 section 5.1), and these may arrive at
// once: of clients whose hello somebody on the way has cut, and of desktops with many certificates.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { after, before, test } from 'node:test';
import { connect as tlsConnect } from 'node:tls';
import { present, rdpServer, ticketFor } from './lib/cleanpath.mjs';
import { Gateway } from './lib/gateway.mjs';
import { tcpServer } from './lib/servers.mjs';
import { soon } from './lib/wait.mjs';

const HANDSHAKE = 22;

let gateway, anna, token;

before(async () => {
  gateway = await Gateway.make({ conf: { server: { handshake_seconds: 60 } } });
  anna = gateway.addUser('anna');
  token = await anna.token(); // one for all: a code is good once
});
after(() => gateway?.remove());

// The first record of these bytes in pieces of `size`, in records of their own; what follows stays.
function cut(bytes, size) {
  const end = 5 + bytes.readUInt16BE(3);
  const made = [];
  for (let at = 5; at < end; at += size) {
    const piece = bytes.subarray(at, Math.min(at + size, end));
    made.push(bytes.subarray(0, 3), Buffer.from([piece.length >> 8, piece.length & 255]), piece);
  }
  return Buffer.concat([...made, bytes.subarray(end)]);
}

// Passes bytes between whoever comes and `port`, and cuts the first records of one direction.
const cutter = (port, size, ofServer) => tcpServer((near) => {
  const far = connect({ port, host: '127.0.0.1', noDelay: true });
  const first = (from, to, cuts) => from.on('data', (bytes) => {
    const now = cuts && bytes[0] === HANDSHAKE;
    cuts &&= !now;
    to.write(now ? cut(bytes, size) : bytes);
  }).on('end', () => to.end());
  far.on('error', () => near.destroy());
  near.on('close', () => far.destroy());
  first(near, far, !ofServer);
  first(far, near, ofServer);
});

for (const version of ['TLSv1.2', 'TLSv1.3']) {
  for (const size of [100, 1]) {
    test(`${version}: a client's hello in records of ${size} bytes, at once`, { timeout: 60_000 }, async (t) => {
      const way = await cutter(gateway.port, size, false);
      t.after(() => way.close());
      const socket = tlsConnect({ port: way.port, host: '127.0.0.1', rejectUnauthorized: false, minVersion: version, maxVersion: version });
      t.after(() => socket.destroy());
      await soon(20_000, 'the handshake', once(socket, 'secureConnect'));
      socket.write('GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n');
      const [answer] = await once(socket, 'data');
      assert.match(String(answer), /^HTTP\/1\.1 200 /);
    });

    test(`${version}: a desktop's hello in records of ${size} bytes, at once`, { timeout: 60_000 }, async (t) => {
      const desktop = await rdpServer();
      desktop.pair.maxVersion = version;
      t.after(() => desktop.close());
      const way = await cutter(desktop.port, size, true);
      t.after(() => way.close());
      const name = `cut-${version.slice(-1)}-${size}`;
      gateway.addDesktop(name, way.port);
      gateway.grant(anna, name);
      const { ticket } = await ticketFor(gateway, token, name);
      const { answer, ws } = await soon(20_000, 'the answer', present(gateway, token, { destination: name, ticket }));
      ws.wire.end();
      assert.equal(answer?.chain?.length, 1, JSON.stringify(answer?.error));
    });
  }
}

for (const version of ['TLSv1.2', 'TLSv1.3']) {
  test(`${version}: a desktop with more certificates than a record holds`, { timeout: 60_000 }, async (t) => {
    const desktop = await rdpServer();
    desktop.pair = { key: desktop.pair.key, cert: desktop.pair.cert.repeat(80), maxVersion: version };
    t.after(() => desktop.close());
    const name = `many-${version.slice(-1)}`;
    gateway.addDesktop(name, desktop.port);
    gateway.grant(anna, name);
    const { ticket } = await ticketFor(gateway, token, name);
    const { answer, ws } = await soon(20_000, 'the answer', present(gateway, token, { destination: name, ticket }));
    ws.wire.end();
    assert.ok(answer?.chain?.length, JSON.stringify(answer?.error));
  });
}

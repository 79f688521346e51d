// More connections than there may be, from one address and from many, with and without TLS, in
// bursts and at once reset, and as tunnels: the limits hold, whoever was there stays, and when the
// flood is over everything is as before.
import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { House } from '../lib/fault_house.mjs';
import { scrape, value } from '../lib/prometheus.mjs';
import { tcpFrom, tlsFrom } from '../lib/proxy.mjs';
import { until } from '../lib/wait.mjs';

const TOTAL = 60;
const STRANGERS = 45; // 75 %
const EACH = 12;
const HALF = Buffer.from('1603010200010001fc0303', 'hex'); // of a ClientHello

let house, gateway, token;

// Each test has its own: a gate tells of those that it refused once a minute only.
beforeEach(async () => {
  house = await House.open({
    conf: {
      metrics: { listen: '127.0.0.1:0' },
      server: { connections: TOTAL, connections_per_address: EACH, handshakes_per_address: EACH, handshake_seconds: 8, request_seconds: 8, keepalive_seconds: 8 },
    },
    requests: false, // newcomers may have to make room
  });
  ({ gateway, token } = house);
});
afterEach(() => house?.close());

async function calm(t) {
  await until('strangers are gone', async () => await house.number('deskgate_connections') <= 6, { every: 100 });
  await house.calm();
  await house.whole(t);
}

test('one address: so many, and not one more; another one is served', { timeout: 180_000 }, async (t) => {
  const refused = await house.number('deskgate_connections_refused_total');
  const wires = await Promise.all(Array.from({ length: EACH }, () => tlsFrom(gateway, '127.5.0.1')));
  for (const wire of wires) wire.send('GET /healthz HTTP/1.1\r\n'); // who rests would make room
  for (let i = 0; i < 3; i++) await assert.rejects(tlsFrom(gateway, '127.5.0.1'), 'one too many');
  assert.ok(await house.number('deskgate_connections_refused_total') >= refused + 3);
  await until('the log says from where', () => /accept\.refused.*too many connections.*address=127\.5\.0\.1/.test(gateway.log));
  (await tlsFrom(gateway, '127.5.0.2')).end();
  wires[0].socket.destroy();
  await until('the place of one that left is free', async () => {
    const wire = await tlsFrom(gateway, '127.5.0.1').catch(() => null);
    wire?.end();
    return wire !== null;
  });
  for (const wire of wires) wire.end();
  await calm(t);
});

test('a burst from everywhere, of TCP, of half handshakes and of connections that are reset', { timeout: 180_000 }, async (t) => {
  let most = 0, over = false;
  const watch = (async () => {
    while (!over) {
      const now = await scrape(gateway.plainPort);
      most = Math.max(most, value(now, 'deskgate_connections'));
      assert.ok(value(now, 'deskgate_connections') <= TOTAL, 'the total holds');
    }
  })();
  const held = [];
  for (let round = 0; round < 6; round++) {
    held.push(...await Promise.all(Array.from({ length: 100 }, async (_, i) => {
      const wire = await tcpFrom(gateway.port, `127.6.${round}.${1 + (i >> 2)}`);
      if (i % 3) wire.send(HALF);
      if (i % 5 === 0) wire.socket.resetAndDestroy();
      return wire;
    })));
    if (round === 2) await house.books.enter();
  }
  await house.canary.heard();
  await until('somebody new is served, if not at the first try', async () => {
    const answer = await gateway.http('GET', '/healthz', { fresh: true }).catch(() => null);
    return answer?.status === 200;
  });
  over = true;
  await watch;
  t.diagnostic(`${most} connections of ${TOTAL} at most, of ${held.length} that came`);
  for (const wire of held) await wire.rest(30_000); // closed by the gateway, at the latest when their time is over
  await calm(t);
});

test('tunnels take all places: the next one is turned away, none of them ends, and a place that is left is taken', { timeout: 180_000 }, async (t) => {
  const from = house.lastRow();
  const tunnels = [];
  let full = false;
  for (let i = 0; i < 2 * TOTAL && !full; i++) {
    const opened = await gateway.tunnel('office', token).catch(() => null);
    if (opened?.ws) tunnels.push(opened);
    else full = true;
  }
  assert.ok(full, 'there is a limit');
  const before = tunnels.length;
  assert.ok(before > STRANGERS - 10 && before < TOTAL, `${before} tunnels`);
  for (const [i, { ws }] of tunnels.entries()) {
    ws.send(Buffer.from(`tunnel ${i}.`));
    assert.equal(String(await ws.read(`tunnel ${i}.`.length)), `tunnel ${i}.`);
  }
  const { ws, wire } = tunnels.pop();
  wire.end();
  await house.ended(from, { 'client-lost': 1 });
  await until('its place is free', async () => {
    const opened = await gateway.tunnel('office', token).catch(() => null);
    if (opened?.ws) tunnels.push(opened);
    return opened?.ws !== undefined && opened?.ws !== null;
  });
  assert.ok(ws);
  for (const one of tunnels) one.wire.end();
  await house.ended(from, { 'client-lost': before + 1 });
  await calm(t);
});

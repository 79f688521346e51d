// The socket between the package and the gateway: what comes is handed on whole, in its order.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fresh, pretend } from './portal_rig.mjs';

/** A socket of the page after the opening; take(bytes) is a message, out() all that the package has got. */
async function opened(t) {
  class Plain extends EventTarget {
    static OPEN = 1;
    readyState = 1;
    send() {}
    close() {}
  }
  pretend(t, 'WebSocket', Plain);
  const { watchNext } = await fresh('viewer/socket.js');
  const { Cutter, Mender } = await import('/viewer/incoming.js');
  const watch = watchNext({ amender: { started: true, done: true }, mender: new Mender(), cutter: new Cutter(), onData() {}, onClose() {} });
  const socket = new globalThis.WebSocket();
  const got = [];
  socket.addEventListener('message', ({ data }) => got.push(...new Uint8Array(data)));
  watch.opened();
  return { take: (bytes) => socket.dispatchEvent(new MessageEvent('message', { data: Uint8Array.from(bytes).buffer })), out: () => got };
}

test('wherever messages end, all bytes come once: also where one ends as far within a packet as the one before', async (t) => {
  const stream = Array.from({ length: 30 }, (_, i) => [0, 20, ...Array(18).fill(100 + i)]).flat();
  for (const cuts of [[47, 147, 247, 407, 600], [3, 23, 43, 600], [600], [1, 2, 3, 20, 21, 600]]) {
    const { take, out } = await opened(t);
    let from = 0;
    for (const cut of cuts) {
      take(stream.slice(from, cut));
      from = cut;
    }
    assert.deepEqual(out(), stream, String(cuts));
  }
});

// The package's WebSocket, with what the package does not give: what it sends can be amended, what
// comes can be mended, is cut into packets at first, and is counted, and its end is told at once,
// with the close code.
//
// The package takes the global WebSocket and gives no socket out, so the global is replaced by a
// subclass; a socket that nobody has asked to watch behaves like any other.

const Plain = globalThis.WebSocket;
let awaited = null;

class WatchedSocket extends Plain {
  #watch;
  #amended = Promise.resolve();
  #waiting = 0;

  constructor(...parameters) {
    super(...parameters);
    this.#watch = awaited;
    awaited = null;
    this.#watch?.opened(this);
  }

  // Messages are Blobs, which only give their bytes later: a chain of promises keeps the order.
  send(message) {
    const amender = this.#watch?.amender;
    if (!amender || (amender.done && this.#waiting === 0)) {
      super.send(message);
      return;
    }
    this.#waiting++;
    this.#amended = this.#amended.then(async () => {
      const bytes = new Uint8Array(await new Response(message).arrayBuffer());
      if (this.readyState === Plain.OPEN) super.send(amender.done ? bytes : amender.apply(bytes));
      this.#waiting--;
    });
  }

  // The package listens once, for the socket's whole life; so nothing is kept for removal.
  addEventListener(type, listener, options) {
    const watch = this.#watch;
    if (!watch || type !== 'message') {
      super.addEventListener(type, listener, options);
      return;
    }
    super.addEventListener(type, (event) => {
      for (const data of watch.received(event.data)) {
        listener.call(this, data === event.data ? event : new MessageEvent('message', { data }));
      }
    }, options);
  }
}

/**
 * Watches the next WebSocket that is made on this page.
 *
 * amender: see wire.js; mender, cutter: see incoming.js, used once the amender says that RDP has begun.
 * onData(size): a message came. onAnswer(bytes): it is not RDP yet. onClose({code, clean}): once, at its end.
 * Returns {opened(), send(bytes), close()}: to be called when the package has its session, from which
 * on nothing needs to be cut; sends a message between the package's; ends the socket.
 */
export function watchNext({ amender, mender, cutter, onData, onAnswer, onClose }) {
  globalThis.WebSocket = WatchedSocket;
  let socket = null;
  let cuts = true;
  awaited = {
    amender,
    opened(made) {
      socket = made;
      made.addEventListener('close', ({ code, wasClean }) => onClose({ code, clean: wasClean }), { once: true });
    },
    received(data) {
      if (!(data instanceof ArrayBuffer)) return [data];
      onData(data.byteLength);
      if (!amender.started) {
        onAnswer(new Uint8Array(data));
        return [data];
      }
      const bytes = mender.apply(new Uint8Array(data));
      if (cuts) return cutter.apply(bytes).map((piece) => piece.slice().buffer);
      if (bytes.buffer === data && bytes.length === data.byteLength) return [data]; // as it came
      return bytes.length > 0 ? [bytes.slice().buffer] : [];
    },
  };
  const mine = awaited;
  return {
    opened() {
      cuts = false;
    },
    send(bytes) {
      if (socket?.readyState === Plain.OPEN) socket.send(bytes);
    },
    close() {
      if (awaited === mine) awaited = null;
      socket?.close();
    },
  };
}

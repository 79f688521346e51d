// A line between a client and the gateway, for the accidents of real networks.
import { connect } from 'node:net';
import { tcpServer } from './servers.mjs';

export class Line {
  #pairs = new Set();
  #server;

  // Counts: connections so far; the longest time, in ms, that nothing came from the gateway on one.
  made = 0;
  silence = 0;

  static async to(port) {
    const line = new Line();
    line.#server = await tcpServer((client) => line.#join(client, port), { allowHalfOpen: true });
    return line;
  }

  get port() {
    return this.#server.port;
  }

  #join(client, port) {
    const gateway = connect({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true });
    const pair = { ends: [client, gateway], frozen: false, heard: Date.now() };
    this.made++;
    this.#pairs.add(pair);
    gateway.on('data', () => {
      this.silence = Math.max(this.silence, Date.now() - pair.heard);
      pair.heard = Date.now();
    });
    for (const [from, to] of [[client, gateway], [gateway, client]]) {
      from.on('error', () => {});
      from.on('close', () => {
        if (pair.frozen) return;
        this.#pairs.delete(pair);
        to.destroy();
      });
      from.pipe(to);
    }
  }

  // Everybody on it sees a connection reset.
  reset() {
    for (const pair of this.#take()) for (const end of pair.ends) end.resetAndDestroy();
  }

  // What is on the line gets lost from now on, and nobody is told; new connections work.
  // thaw() then resets what the client still holds, as a router does that knows nothing of it.
  freeze() {
    const frozen = this.#take();
    for (const pair of frozen) {
      pair.frozen = true;
      const [client, gateway] = pair.ends;
      client.unpipe();
      gateway.unpipe();
      client.resume(); // taken, and gone
      gateway.resume();
    }
    return { thaw: () => frozen.forEach((pair) => pair.ends.forEach((end) => end.resetAndDestroy())) };
  }

  #take() {
    const pairs = [...this.#pairs];
    this.#pairs.clear();
    return pairs;
  }

  close() {
    this.reset();
    return this.#server.close();
  }
}

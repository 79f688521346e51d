// A line between a client and the gateway, for the accidents of real networks.
import { connect } from 'node:net';
import { tcpServer } from './servers.mjs';
import { until } from './wait.mjs';

const QUIET = 1_000; // ms

export class Line {
  #pairs = new Set();
  #frozen = [];
  #held = null; // clients that wait outside
  #server;
  #asked = false;
  #answers = 0;

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
    if (this.#held) {
      this.#held.push([client, port]);
      return;
    }
    const gateway = connect({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true });
    const pair = { ends: [client, gateway], frozen: false, heard: Date.now(), bytes: 0 };
    this.made++;
    this.#pairs.add(pair);
    gateway.on('data', (bytes) => {
      pair.bytes += bytes.length;
      this.#asked ||= Date.now() - pair.heard > QUIET;
      this.silence = Math.max(this.silence, Date.now() - pair.heard);
      pair.heard = Date.now();
    });
    client.on('data', () => {
      if (this.#asked) this.#answers++;
      this.#asked = false;
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

  // Both sides see a connection reset: of all that is there, or of the nth.
  reset(nth) {
    const hit = nth === undefined ? this.#take() : [[...this.#pairs][nth]];
    for (const { ends } of hit) for (const end of ends) end.resetAndDestroy();
  }

  // Whoever comes from now on waits, connected, until release().
  hold() {
    this.#held = [];
  }

  release() {
    const held = this.#held;
    this.#held = null;
    for (const [client, port] of held) if (!client.destroyed) this.#join(client, port);
  }

  // Returns when the client has answered so many times more to what the gateway said out of silence.
  async answered(times) {
    const due = this.#answers + times;
    await until('answers', () => this.#answers >= due, { ms: 60_000 });
  }

  // The connection on which most comes from the gateway while `work` is done.
  async busiest(work) {
    for (const pair of this.#pairs) pair.bytes = 0;
    await work();
    return [...this.#pairs].reduce((most, pair) => (pair.bytes > most.bytes ? pair : most));
  }

  // What is on the line, or on this connection, gets lost from now on, and nobody is told; new
  // connections work.
  freeze(only) {
    for (const pair of only ? [only] : this.#take()) {
      pair.frozen = true;
      for (const end of pair.ends) {
        end.unpipe();
        end.resume(); // taken, and gone
      }
      this.#frozen.push(pair);
    }
  }

  // What clients still hold of what is frozen is reset, as by a router that has forgotten it; the
  // gateway hears nothing.
  forget() {
    for (const { ends: [client] } of this.#frozen) client.resetAndDestroy();
  }

  #take() {
    const pairs = [...this.#pairs];
    this.#pairs.clear();
    return pairs;
  }

  close() {
    this.reset();
    for (const [client] of this.#held ?? []) client.destroy();
    for (const { ends } of this.#frozen) for (const end of ends) end.destroy();
    return this.#server.close();
  }
}

// Somebody who just works while others misbehave: a tunnel that echoes and fresh HTTPS requests,
// without pause. It must never notice.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { sleep } from './wait.mjs';

const PATIENCE = 5_000; // ms for one echo on a loaded machine

export class Canary {
  beats = 0;

  slowest = 0;

  // `desktop` echoes; `token` may use it. Without `requests` it has its tunnel only.
  static async start(gateway, desktop, token, { requests = true } = {}) {
    const canary = new Canary();
    canary.gateway = gateway;
    canary.requests = requests;
    ({ ws: canary.ws } = await gateway.tunnel(desktop, token));
    assert.ok(canary.ws, 'the canary has a tunnel');
    canary.singing = canary.#sing();
    await canary.heard();
    return canary;
  }

  async #sing() {
    try {
      while (!this.quiet) {
        const song = randomBytes(64);
        const begun = Date.now();
        this.ws.send(song);
        const back = await this.ws.read(song.length, PATIENCE);
        assert.ok(back?.equals(song), 'the canary\'s bytes come back');
        if (this.requests && this.beats % 8 === 0) {
          const answer = await this.gateway.http('GET', '/healthz', { fresh: true, timeout: 4 * PATIENCE });
          assert.equal(answer.status, 200);
        }
        this.slowest = Math.max(this.slowest, Date.now() - begun);
        this.beats++;
        await sleep(25);
      }
    } catch (error) {
      this.error = error;
    }
  }

  // Waits for a full beat that began after now; throws when the canary has died, as it does when what
  // it waits for takes longer than it has patience.
  async heard() {
    for (const due = this.beats + 2; this.beats < due; await sleep(5)) {
      if (this.error) throw new Error('the canary died', { cause: this.error });
    }
  }

  async stop() {
    this.quiet = true;
    await this.singing;
    this.ws.wire.end();
  }
}

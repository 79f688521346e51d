// What gate and keeper hold, before and after somebody misbehaves.
import assert from 'node:assert/strict';
import { sanitized } from './gateway.mjs';
import { descriptors, status } from './proc.mjs';
import { until } from './wait.mjs';

const MEMORY_KIB = 12 * 1024; // what the allocator may keep of a flood that is over

export class Steady {
  // Call it when everything that stays is there: the canary has its tunnel.
  static of(gateway) {
    const steady = new Steady();
    steady.gateway = gateway;
    steady.gate = gateway.part('gate');
    steady.keeper = gateway.part('keeper');
    gateway.hangUp();
    Object.assign(steady, { before: steady.#look(), tunnels: steady.#tunnels() });
    return steady;
  }

  #look() {
    return { gate: descriptors(this.gate), keeper: descriptors(this.keeper), memory: status(this.gate, 'VmRSS') };
  }

  #tunnels() {
    return this.gateway.json('tunnel', 'list').length;
  }

  // KiB that the gate has taken since.
  grown() {
    return status(this.gate, 'VmRSS') - this.before.memory;
  }

  // Waits until the same processes hold no more than before. The canary may have a request under
  // way.
  async regained({ slack = 4, memory = MEMORY_KIB, ms = 30_000 } = {}) {
    const { gateway, before } = this;
    gateway.hangUp();
    assert.deepEqual([gateway.part('gate'), gateway.part('keeper')], [this.gate, this.keeper], `the same processes\n${gateway.log.slice(-2000)}`);
    await until(() => `${this.#tunnels()} tunnels, ${this.tunnels} before`, () => this.#tunnels() === this.tunnels, { ms, every: 100 });
    let now;
    await until(() => `${JSON.stringify(now)}, before ${JSON.stringify(before)}`, () => {
      now = this.#look();
      return now.gate <= before.gate + slack && now.keeper <= before.keeper + slack &&
        (sanitized || now.memory <= before.memory + memory);
    }, { ms, every: 100 });
    return now;
  }
}

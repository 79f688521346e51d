// What a gate holds and what the gateway has promised, before and after somebody misbehaves.
import assert from 'node:assert/strict';
import { sanitized } from './gateway.mjs';
import { run, start, status, until } from './proc.mjs';

const MEMORY_KIB = 12 * 1024; // what the allocator may keep of a flood that is over

// Through a shell, which is not what is measured. The gate cannot be dumped, so only root may look.
const descriptors = (pid) => (process.getuid() === 0 ? Number(run('sh', ['-c', `ls /proc/${pid}/fd | wc -l`]).stdout) : 0);

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
    return {
      gate: descriptors(this.gate), keeper: descriptors(this.keeper),
      memory: status(this.gate, 'VmRSS'),
    };
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
  async regained({ slack = 4, memory = MEMORY_KIB, ms = 15_000 } = {}) {
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

// Things that were acknowledged: a desktop by the command line, a session by the browser's API. They
// have to be there afterwards, and the audit log whole.
export class Promises {
  #desktops = [];

  #sessions = [];

  constructor(gateway) {
    this.gateway = gateway;
    this.user = gateway.addUser('witness');
  }

  // May be called in the midst of the fault; what is asked for meanwhile goes on.
  async make() {
    const name = `promise${this.#desktops.length}`;
    const cli = start(this.gateway.program, ['--state', this.gateway.state, 'desktop', 'add', name, '--host', '10.0.0.1']);
    if (this.user.codes.ready() > 0) this.#sessions.push(await this.user.token());
    assert.equal((await cli.ended).code, 0, cli.err);
    this.#desktops.push(name);
  }

  async kept() {
    const { gateway } = this;
    const names = gateway.json('desktop', 'list').map((one) => one.name);
    for (const name of this.#desktops) assert.ok(names.includes(name), `desktop ${name}`);
    for (const token of this.#sessions) {
      assert.equal((await gateway.http('GET', '/api/session', { token })).json?.username, this.user.name);
    }
    const rows = gateway.audit('--last', '100000');
    const ok = (event) => rows.filter((row) => row.event === event && row.outcome === 'ok').length;
    assert.equal(ok('sign-in'), gateway.json('session', 'list').length, 'a row for each session');
    assert.equal(ok('tunnel-open') - ok('tunnel-close'), gateway.json('tunnel', 'list').length, 'an end for each beginning');
    assert.ok(rows.every((row, i) => i === 0 || row.id === rows[i - 1].id + 1), 'the audit log has no gap');
    gateway.cli('audit', 'verify'); // throws when it is not whole
    assert.ok(this.#desktops.length && this.#sessions.length, 'something was promised');
  }
}

// The reasons of ended tunnels in the audit log since row `after`: {why: count}.
export function ends(gateway, after = 0) {
  const counts = {};
  for (const row of gateway.audit('--event', 'tunnel-close', '--last', '100000')) {
    if (row.id <= after) continue;
    const why = /^why=(\S+)/.exec(row.detail)[1];
    counts[why] = (counts[why] ?? 0) + 1;
  }
  return counts;
}

// Waits until these tunnels, and no others, have ended since row `after`: {why: count}.
export async function ended(gateway, after, due, ms = 20_000) {
  const text = (counts) => JSON.stringify(Object.entries(counts).sort());
  await until(() => `these ends: ${text(due)}, not ${text(ends(gateway, after))}`, () => text(ends(gateway, after)) === text(due), { ms, every: 100 });
}

// The gateway as it is seen through `line`, or from wherever `options` of a TLS connection say.
export const through = (gateway, options) => Object.assign(Object.create(gateway), {
  wire: (more) => gateway.wire({ ...options, ...more }),
});

// What it takes to open a desktop as an RD Gateway client.
export async function rdgTicket(gateway, token, desktop) {
  const answer = await gateway.http('GET', `/api/desktops/${desktop}/rdp`, { token });
  assert.equal(answer.status, 200, answer.body);
  return /^gatewayaccesstoken:s:(\S+)\r$/m.exec(answer.body)[1];
}

export const lastRow = (gateway) => gateway.audit('--last', '1').at(-1)?.id ?? 0;

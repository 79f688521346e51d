// The house of a fault test: a gateway, desktops, and anna, who goes on working there (the canary)
// whatever is done to it; its books, and what gate and keeper held before.
import { Books } from './books.mjs';
import { Canary } from './canary.mjs';
import { present, ticketFor } from './cleanpath.mjs';
import { Gateway } from './gateway.mjs';
import { scrape, value } from './prometheus.mjs';
import { rdgTicket } from './rdg.mjs';
import { echoServer } from './servers.mjs';
import { Steady } from './steady.mjs';
import { until } from './wait.mjs';

const ALL = ['--event', 'tunnel-close', '--last', '100000'];

export class House {
  desktops = {}; // servers, by name

  // `gateway` serves; without one it is made with `conf`. `desktops`: what makes their servers; the
  // canary sits at the office's, which echoes. `requests`: it makes HTTPS requests, too.
  static async open({ conf, gateway, desktops = {}, requests = true } = {}) {
    const house = new House();
    try {
      house.requests = requests;
      house.gateway = gateway ?? await Gateway.make({ conf });
      house.books = new Books(house.gateway);
      house.anna = house.books.addUser('anna');
      for (const [name, make] of Object.entries({ office: echoServer, ...desktops })) await house.desktop(name, make());
      house.token = await house.books.tokenOf(house.anna);
      await house.perch();
      await house.books.enter();
      await house.books.whole({ check: false }); // they know the audit log from now on
      house.remember();
    } catch (error) {
      await house.close();
      throw error;
    }
    return house;
  }

  async close() {
    await this.canary?.stop();
    await this.gateway?.remove();
    for (const server of Object.values(this.desktops)) await server.close();
  }

  // A new canary.
  async perch() {
    this.canary = await Canary.start(this.gateway, 'office', this.token, { requests: this.requests });
  }

  // What gate and keeper hold now is what they may hold later.
  remember() {
    this.steady = Steady.of(this.gateway);
  }

  // ---- desktops ----

  // One that anna may use, at an address.
  add(name, port, host) {
    this.books.addDesktop(name, port, host);
    this.books.grant(this.anna, name);
  }

  // The same of a server, which ends with the house.
  async desktop(name, making) {
    const server = await making;
    this.desktops[name] = server;
    this.add(name, server.port);
    return server;
  }

  // ---- anna's ways in besides the raw tunnel; `at` is the gateway as she sees it ----

  async rdg(Way, desktop, at = this.gateway) {
    const client = await Way.connect(at);
    const { status } = await client.open(await rdgTicket(this.gateway, this.token, desktop), [desktop]);
    return { client, status };
  }

  // {number (of the visit), ws, answer, …}
  async browse(desktop, at = this.gateway) {
    const { ticket, visit: number } = await ticketFor(this.gateway, this.token, desktop);
    return { number, ...await present(at, this.token, { destination: desktop, ticket }) };
  }

  // ---- what is on record ----

  // One of the gateway's numbers for Prometheus.
  async number(name, labels) {
    return value(await scrape(this.gateway.plainPort), name, labels);
  }

  lastRow() {
    return this.gateway.audit('--last', '1').at(-1)?.id ?? 0;
  }

  // The reasons of tunnels that ended since row `from` of the audit log: {why: count}.
  ends(from) {
    const counts = {};
    for (const row of this.gateway.audit(...ALL)) {
      if (row.id <= from) continue;
      const why = /^why=(\S+)/.exec(row.detail)[1];
      counts[why] = (counts[why] ?? 0) + 1;
    }
    return counts;
  }

  // Waits until these tunnels, and no others, have ended since row `from`: {why: count}.
  async ended(from, due) {
    const text = (counts) => JSON.stringify(Object.entries(counts).sort());
    await until(() => `these ends: ${text(due)}, not ${text(this.ends(from))}`, () => text(this.ends(from)) === text(due), { every: 100 });
  }

  // Waits until the tunnel that ended last did so with its gate.
  async gateLost() {
    await until('its end is on record', () => this.gateway.audit('--event', 'tunnel-close', '--last', '1')[0]?.detail.startsWith('why=gate-lost'), { every: 100 });
  }

  // ---- afterwards ----

  // The canary has noticed nothing, and nothing stays of what was done.
  async calm() {
    await this.canary.heard();
    await this.steady.regained();
  }

  async settled(from, due) {
    await this.ended(from, due);
    await this.calm();
  }

  // After each test, or, where the look takes long, after all of them.
  async whole(t) {
    await this.canary.heard();
    await this.books.whole();
    t.diagnostic(`the canary sang ${this.canary.beats} times and waited ${this.canary.slowest} ms at most`);
  }
}

// What the gateway has acknowledged, and must not lose whatever becomes of it: people, desktops and
// grants that the command line added, sessions of the browser's API, rows of the audit log.
import assert from 'node:assert/strict';
import { start } from './proc.mjs';
import { sleep } from './wait.mjs';

const ALL = ['--last', '100000'];
const nameOf = (one) => one.name;
const ok = (rows, event) => rows.filter((row) => row.event === event && row.outcome === 'ok');

// {user: how many} of rows with one.
const perUser = (rows) => {
  const counts = {};
  for (const { user } of rows) counts[user] = (counts[user] ?? 0) + 1;
  return counts;
};

export class Books {
  people = [];

  desktops = [];

  #grants = []; // 'who desktop'

  #sessions = []; // {name, token}; each must be good

  #rows = []; // of the audit log, as they were when it was looked at last

  #witness;

  constructor(gateway) {
    this.gateway = gateway;
  }

  // ---- what is acknowledged; each throws when it is not ----

  addUser(name) {
    const user = this.gateway.addUser(name);
    this.people.push(name);
    return user;
  }

  addDesktop(name, port, host) {
    this.gateway.addDesktop(name, port, host);
    this.desktops.push(name);
  }

  grant(user, desktop) {
    this.gateway.grant(user, desktop);
    this.#grants.push(`${user.name} ${desktop}`);
  }

  // Somebody who may use that desktop.
  add(name = `person${this.people.length}`, desktop = 'office') {
    const user = this.addUser(name);
    this.grant(user, desktop);
    return user;
  }

  // Signs in; the answer's status. Who was let in stays.
  async signIn(user, extra) {
    const answer = await user.signIn(extra);
    if (answer.status === 200) this.#sessions.push({ name: user.name, token: answer.json.token });
    return answer.status;
  }

  // The same, for a token.
  async tokenOf(user, extra) {
    assert.equal(await this.signIn(user, extra), 200, `${user.name} is let in`);
    return this.#sessions.at(-1).token;
  }

  // A desktop, by a command beside this process, which goes on meanwhile.
  async enterDesktop(name) {
    const cli = start(this.gateway.program, ['--state', this.gateway.state, 'desktop', 'add', name, '--host', '10.0.0.1']);
    const { code } = await cli.ended;
    assert.equal(code, 0, cli.err);
    this.desktops.push(name);
  }

  // A desktop and, as often as there are codes, a session: for the midst of a fault.
  async enter() {
    const first = !this.#witness;
    this.#witness ??= this.addUser('witness');
    const added = this.enterDesktop(`entry${this.desktops.length}`);
    if (first || this.#witness.codes.ready() > 0) await this.tokenOf(this.#witness);
    await added;
  }

  // ---- whether it is there ----

  async sessionsGood() {
    for (const { name, token } of this.#sessions) {
      const answer = await this.gateway.http('GET', '/api/session', { token });
      assert.deepEqual([answer.status, answer.json?.username], [200, name], `who was let in still is: ${answer.body}`);
    }
  }

  // Sessions, tunnels and the audit log at one moment, for tunnels may come and go.
  #snapshot() {
    const lists = () => ['session', 'tunnel'].map((list) => this.gateway.json(list, 'list'));
    const ids = (of) => JSON.stringify(of.map((list) => list.map((one) => one.id)));
    for (let now = lists(); ;) {
      const rows = this.gateway.audit(...ALL);
      const then = lists();
      if (ids(now) === ids(then)) return { sessions: now[0], tunnels: now[1], rows };
      now = then;
    }
  }

  #lists() {
    const { gateway } = this;
    for (const [what, due, list] of [
      ['person', this.people, gateway.json('user', 'list').map(nameOf)],
      ['desktop', this.desktops, gateway.json('desktop', 'list').map(nameOf)],
      ['grant', this.#grants, gateway.json('grant', 'list').map((one) => `${one.who} ${one.desktop}`)],
    ]) {
      const there = new Set(list);
      for (const one of due) assert.ok(there.has(one), `${what} ${one} is there`);
    }
  }

  #log({ over }) {
    const { sessions, tunnels, rows } = this.#snapshot();
    const now = new Map(rows.map((row) => [row.id, row]));
    for (const row of this.#rows) assert.deepEqual(now.get(row.id), row, 'the audit log has what it had');
    assert.ok(rows.every((row, i) => i === 0 || row.id === rows[i - 1].id + 1), 'the audit log has no gap');
    this.#rows = rows;
    if (!over) assert.deepEqual(perUser(ok(rows, 'sign-in')), perUser(sessions), 'a row for each session');
    assert.equal(ok(rows, 'tunnel-open').length - ok(rows, 'tunnel-close').length, tunnels.length, 'an end for each beginning');
  }

  // The state is whole, and nothing that was acknowledged is missing. `over`: sessions may have ended,
  // they are not looked at. `check`: 'deskgate check' looks, too (it also resolves desktops' names).
  async whole({ over = false, check = true } = {}) {
    this.#lists();
    await sleep(1); // whoever sings in this process has a turn
    this.#log({ over });
    await sleep(1);
    this.gateway.cli('audit', 'verify'); // throws when it is not whole
    if (check) assert.match(this.gateway.cli('check', { allow: true }).stdout, /database: whole/);
    if (!over) await this.sessionsGood();
    assert.ok(this.desktops.length && this.#sessions.length, 'something was acknowledged');
  }
}

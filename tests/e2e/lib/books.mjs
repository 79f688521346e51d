// What the gateway has acknowledged, for tests that then break something: a person with a live
// canary, people, desktops and grants that the command line added, sign-ins, rows of the audit log.
import assert from 'node:assert/strict';
import { Canary } from './canary.mjs';
import { echoServer } from './servers.mjs';

let number = 0;

export class Books {
  people = ['anna'];

  desktops = ['echo'];

  sessions = []; // tokens that must be good

  // `gateway` serves. `requests`: whether the canary makes HTTPS requests, too.
  static async open(gateway, { requests = false } = {}) {
    const books = new Books();
    books.gateway = gateway;
    books.echo = await echoServer();
    books.anna = gateway.addUser('anna');
    gateway.addDesktop('echo', books.echo.port);
    gateway.grant('anna', 'echo');
    books.token = await books.anna.token();
    books.sessions.push(books.token);
    await books.perch({ requests });
    books.rows = gateway.audit('--last', '100000');
    return books;
  }

  // A new canary.
  async perch({ requests = false } = {}) {
    this.canary = await Canary.start(this.gateway, 'echo', this.token, { requests });
  }

  async close() {
    await this.canary?.stop();
    await this.echo?.close();
  }

  // A person who may use the echo, by the command line; throws when it is not acknowledged.
  add(name = `person${number++}`) {
    const user = this.gateway.addUser(name);
    this.people.push(name);
    this.gateway.grant(name, 'echo');
    return user;
  }

  // Signs in; the answer's status. Who was let in stays.
  async signIn(user) {
    const answer = await user.signIn();
    if (answer.status === 200) this.sessions.push(answer.json.token);
    return answer.status;
  }

  // The state is whole, and nothing that was acknowledged is missing. `over`: the sessions are not
  // looked at. `check`: 'deskgate check' looks, too (it also resolves desktops' names).
  async whole({ over = false, check = true } = {}) {
    const { gateway } = this;
    const names = (list) => new Set(list.map((one) => one.name));
    const [people, desktops] = [names(gateway.json('user', 'list')), names(gateway.json('desktop', 'list'))];
    for (const name of this.people) assert.ok(people.has(name), `${name} is there`);
    for (const name of this.desktops) assert.ok(desktops.has(name), `${name} is there`);
    const granted = new Set(gateway.json('grant', 'list').map((one) => one.who));
    for (const name of this.people) assert.ok(granted.has(name), `${name}'s grant is there`);
    const rows = new Map(gateway.audit('--last', '100000').map((row) => [row.id, row]));
    for (const row of this.rows) assert.deepEqual(rows.get(row.id), row, 'the audit log has what it had');
    this.rows = [...rows.values()];
    gateway.cli('audit', 'verify');
    if (check) assert.match(gateway.cli('check', { allow: true }).stdout, /database: whole/);
    if (over) return;
    for (const token of this.sessions) {
      assert.equal((await gateway.http('GET', '/api/session', { token })).status, 200, 'who was let in still is');
    }
  }
}

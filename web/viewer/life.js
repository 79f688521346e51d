// The life of a desktop on this page: connections one after the other, so that a broken one, or a
// change that needs a new one, costs the person nothing but a moment.
import { connect, NoConnection } from './connect.js';
import { discardClient, loadClient, onPanic } from './client.js';
import { diagnose } from './trouble.js';
import { askVisit, isOver } from './visit.js';
import { Phase } from './wire.js';

const RETRY_SECONDS = [0, 1, 2, 4, 8, 15, 15, 15, 15, 15, 15, 15]; // two minutes in all
const SHORT_MS = 3_000; // a connection that ends so soon counts as one more attempt
// Ends behind which nobody may be there any more who would come back with the same password: whoever
// sits down next shall not.
const FORGET = ['signed-out', 'password-due', 'not-allowed', 'idle', 'limit', 'administrator', 'desktop-ended',
  'desktop-administrator', 'desktop-limit', 'desktop-full', 'desktop-denied', 'elsewhere', 'logged-off', 'licence'];
// Refusals of the account: the same name and password would be refused again, and may count against it.
const USELESS = ['locked', 'password-expired', 'disabled', 'logon-hours', 'restricted', 'ntlm-blocked'];
const UNREAD_MOST = 2; // attempts, when the package gives up on what comes
// Failures that pass while a gateway or a desktop starts; of the others, those that do unless the desktop has
// been signed in to: it may close its port again, which a port forwarder holds open for it.
const PASSING = ['gateway', 'lost', 'timeout', 'asleep', 'refused', 'busy', 'failed'];
const PASSING_EARLY = ['desktop-hung-up', 'desktop-tls'];

function mayPass({ phase }, { reason }) {
  return PASSING.includes(reason) || ([null, Phase.asked].includes(phase) && PASSING_EARLY.includes(reason));
}

/**
 * show: {step(name), open(connection), waiting({seconds}), over(trouble)}, what happens,
 * told to the page. wishes, hooks: see connect().
 */
export class Life {
  constructor({ desktop, canvas, show, wishes, hooks }) {
    Object.assign(this, { desktop, canvas, show, wishes, hooks });
    this.credentials = null;
    this.connection = null;
    this.before = null; // the last visit, which the gateway may take for alive
    this.turn = 0; // counts what was begun; an answer that comes late sees that it is
    this.wake = null;
    this.making = null; // gives up the connection that is being made
    this.panicked = false;
    onPanic(() => this.#panic());
    addEventListener('online', () => this.wake?.());
  }

  get session() {
    return this.connection?.session ?? null;
  }

  /** Begins, with these credentials; they stay in memory for what comes after a break. */
  async open(credentials) {
    this.credentials = credentials;
    await this.#run(this.#begin(), 0);
  }

  /** Ends by the person's wish. */
  leave() {
    const { connection } = this;
    this.connection = null; // it is closed below, not here
    this.#begin();
    this.credentials = null;
    try {
      connection?.session.shutdown();
    } catch {
      // it has broken, and nobody has told yet
    }
    setTimeout(() => connection?.close(), 300); // after the goodbye
    this.show.over({ reason: 'left', ask: false });
  }

  /**
   * A new connection in place of this one, because something changed that only it can bring; as much
   * is done to come back as after a break.
   */
  async renew() {
    await this.#run(this.#begin(), 1);
  }

  /** The connection is dead although nobody has said so: makes a new one. */
  presumeLost() {
    if (this.connection) void this.#again(this.#begin(), 0);
  }

  /** Asks the gateway whether the connection has ended without our hearing of it. */
  async lookForEnd() {
    const { connection, turn } = this;
    if (!connection || !await isOver(connection.facts.visit) || turn !== this.turn) return;
    await this.#ended(this.#begin(), 0, connection.facts);
  }

  /** Ends a pause between attempts. */
  tryNow() {
    this.wake?.();
  }

  #begin() {
    this.connection?.close();
    this.connection = null;
    this.making?.abort();
    this.wake?.();
    return ++this.turn;
  }

  async #run(turn, attempt) {
    let connection;
    try {
      if (attempt === 0) this.show.step('client');
      const client = await loadClient().catch(() => null);
      if (turn !== this.turn) return;
      if (!client) {
        this.#over({ reason: 'client', ask: false });
        return;
      }
      this.making = new AbortController();
      connection = await connect({ client, desktop: this.desktop, canvas: this.canvas, credentials: this.credentials,
        replaces: this.before, onVisit: (number) => { this.before = number; }, hooks: this.hooks, wishes: this.wishes,
        signal: this.making.signal });
    } catch (error) {
      if (!(error instanceof NoConnection)) throw error;
      if (turn === this.turn) await this.#failed(turn, attempt, error.facts);
      return;
    }
    if (turn !== this.turn) {
      connection.close();
      return;
    }
    this.making = null;
    this.connection = connection;
    this.show.open(connection);
    const began = performance.now();
    const facts = await connection.ended;
    if (turn !== this.turn) return;
    await this.#ended(turn, performance.now() - began < SHORT_MS ? attempt : 0, facts);
  }

  async #ended(turn, attempt, facts) {
    const trouble = diagnose(facts, await askVisit(facts.visit));
    if (turn !== this.turn) return;
    this.connection = null;
    const most = trouble.reason === 'unread' ? UNREAD_MOST : RETRY_SECONDS.length;
    if (trouble.retry && attempt < most) await this.#again(turn, attempt);
    else this.#over(trouble);
  }

  async #failed(turn, attempt, facts) {
    const trouble = diagnose(facts, await askVisit(facts.visit));
    if (turn !== this.turn) return;
    // While we try to come back, a gateway or desktop that is not there yet is no reason to give up.
    if (attempt > 0 && attempt < RETRY_SECONDS.length && mayPass(facts, trouble)) {
      await this.#again(turn, attempt);
    } else {
      this.#over(trouble);
    }
  }

  async #again(turn, attempt) {
    const seconds = RETRY_SECONDS[attempt];
    this.show.waiting({ seconds });
    await new Promise((resolve) => {
      this.wake = resolve;
      setTimeout(resolve, seconds * 1000);
    });
    this.wake = null;
    if (turn === this.turn) await this.#run(turn, attempt + 1);
  }

  #over(trouble) {
    this.connection = null;
    if (FORGET.includes(trouble.reason) || USELESS.includes(trouble.reason)) this.credentials = null;
    this.show.over(trouble);
  }

  #panic() {
    const { connection } = this;
    discardClient();
    if (!connection) return;
    const turn = this.#begin();
    if (this.panicked) {
      this.#over({ reason: 'client', ask: false });
      return;
    }
    this.panicked = true; // once; a second one would be the rule
    void this.#again(turn, 0);
  }
}

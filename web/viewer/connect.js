// One connection to the desktop, from ticket to end. Whether there will be another is decided in
// life.js, what an end means in trouble.js.
import { api } from '/api.js';
import { packageAccount } from './account.js';
import { takesCrLf } from './desktop_kind.js';
import { Amender, keyReleases } from './wire.js';
import { Cutter, Mender } from './incoming.js';
import { watchNext } from './socket.js';
import { isWaking } from './visit.js';

const TICKET_MS = 10_000;
const CONNECT_MS = 20_000; // the package has no time limit of its own
const LOOK_MS = 3_000; // whoever is awake has let us in by then
const LAST_WORDS_MS = 150; // what the package says of an end comes a little after the socket's end

// An MCS Disconnect Provider Ultimatum ([MS-RDPBCGR] 2.2.2.3) by itself, as xrdp sends it, is an error for the package.
const GOODBYE = /disconnect provider ultimatum/i;

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** The promise, or an error after this time. */
function within(ms, promise) {
  let timer;
  const limit = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new TimeIsUp()), ms);
  });
  return Promise.race([promise, limit]).finally(() => clearTimeout(timer));
}

class TimeIsUp extends Error {}

/** The promise; an error when it takes too long, not counting the time in which the desktop wakes up. */
async function withinOrWoken(promise, visit, onWaking) {
  for (let end = Date.now() + CONNECT_MS; ;) {
    const result = await Promise.race([promise.then((value) => ({ value })), pause(LOOK_MS)]);
    if (result) return result.value;
    if (await isWaking(visit)) {
      onWaking();
      end = Date.now() + CONNECT_MS;
    } else if (Date.now() > end) {
      throw new TimeIsUp();
    }
  }
}

/** What is known of a connection that failed or ended; the material of trouble.js. */
class Facts {
  visit = null; // number, for /api/visits
  phase = null; // see Phase in wire.js
  kind = null; // IronErrorKind, if the package gave one
  close = null; // {code, clean} of the WebSocket
  api = null; // ApiError, when there was no ticket
  text = ''; // the package's own words
  failed = false; // the package gave up
  timedOut = false;
  opened = false; // there was a picture
  told = null; // why it ends, by the desktop: {errorInfo} or {licence}, see told.js
  said = false; // the desktop has said goodbye, as it does at a sign-out or when somebody connects elsewhere
}

/** Thrown by connect(). */
export class NoConnection extends Error {
  constructor(facts) {
    super('no connection');
    this.facts = facts;
  }
}

function readError(facts, error) {
  facts.failed = true;
  if (typeof error?.kind === 'function') {
    facts.kind = error.kind();
    facts.text = error.backtrace();
  } else {
    facts.text = String(error);
  }
  facts.said = GOODBYE.test(facts.text);
}

function proxyAddress() {
  const address = new URL('/rdcleanpath', location.href);
  address.protocol = address.protocol === 'http:' ? 'ws:' : 'wss:';
  return address.href;
}

function prepare(client, ticket, options) {
  const { credentials, size, canvas, hooks } = options;
  const builder = new client.Backend.SessionBuilder();
  builder.proxyAddress(proxyAddress());
  builder.destination(ticket.desktop);
  builder.authToken(ticket.ticket);
  const { username, domain } = packageAccount(credentials);
  builder.username(username);
  builder.password(credentials.password);
  builder.serverDomain(domain);
  builder.desktopSize(new client.Backend.DesktopSize(size.width, size.height));
  builder.renderCanvas(canvas);
  builder.setCursorStyleCallbackContext(null);
  builder.setCursorStyleCallback(hooks.cursor);
  builder.extension(client.displayControl(true));
  if (!ticket.clipboard) return builder; // without these the package asks for no such channel
  builder.remoteClipboardChangedCallback(hooks.remoteClipboard);
  builder.forceClipboardUpdateCallback(hooks.clipboardWanted);
  for (const extension of hooks.extensions(client)) builder.extension(extension);
  return builder;
}

/**
 * Connects. Resolves to {session, facts, shares, crLf, releaseKeys, ended, close}: `ended` resolves to
 * the Facts; shares: the clipboard, which may be forbidden; crLf: the line ends of text for it;
 * releaseKeys(codes) lets keys go on the desktop, also those that the package does not know to be down.
 *
 * wishes(): {size, keyboard}, asked once hooks.shares() has told whether the clipboard may be shared;
 * size: {width, height, scale} (scale in per cent); keyboard: {layout, type, subtype}.
 * client: from client.js. desktop: its name. replaces: the visit that broke, or null: the gateway may
 * not have noticed yet, and takes it away. onVisit(number): the visit of this one. credentials: {username,
 * password, domain}. signal: aborted when nobody wants any more what is being made; it is given up then, and the
 * hooks hear no more of it.
 * hooks: {step(name), shares(yes), data(size), cursor(…), remoteClipboard(data), clipboardWanted(),
 * extensions(client)}.
 */
export async function connect(options) {
  const { client, desktop, replaces = null, onVisit, credentials, wishes, hooks, signal } = options;
  const facts = new Facts();
  const step = (name) => { if (!signal.aborted) hooks.step(name); };
  step('ticket');
  let ticket;
  try {
    ticket = await within(TICKET_MS, api('POST', `/api/desktops/${encodeURIComponent(desktop)}/ticket`,
      replaces === null ? {} : { replaces: String(replaces) }));
  } catch (error) {
    facts.api = error instanceof TimeIsUp ? { status: 0 } : error;
    throw new NoConnection(facts);
  }
  if (signal.aborted) throw new NoConnection(facts);
  facts.visit = ticket.visit;
  onVisit(ticket.visit);
  hooks.shares(ticket.clipboard);
  const { size, keyboard } = wishes();

  const amender = new Amender({ keyboard, scale: size.scale, account: credentials, autologon: credentials.password !== '',
    onPhase: step });
  let socketEnded;
  const socketEnd = new Promise((resolve) => { socketEnded = resolve; });
  let crLf = false;
  const mender = new Mender();
  const socket = watchNext({ amender, mender, cutter: new Cutter(), onData: hooks.data,
    onAnswer(bytes) { crLf ||= takesCrLf(bytes); },
    onClose(close) {
      facts.close ??= close;
      socketEnded();
    } });

  const begin = () => prepare(client, ticket, { ...options, size }).connect();
  signal.addEventListener('abort', () => socket.close());
  const session = await start(begin, { facts, amender, mender, socket, socketEnd, onWaking: () => step('waking') });
  socket.opened();
  facts.opened = true;
  const ended = wait(session, { facts, mender, socketEnd }).finally(() => socket.close());
  const releaseKeys = (codes) => socket.send(keyReleases(codes));
  return { session, facts, shares: ticket.clipboard, crLf, releaseKeys, ended, close: () => socket.close() };
}

async function start(begin, { facts, amender, mender, socket, socketEnd, onWaking }) {
  const closed = socketEnd.then(() => pause(LAST_WORDS_MS)).then(() => { throw new Error('closed'); });
  closed.catch(() => {}); // it comes, sooner or later
  try {
    return await withinOrWoken(Promise.race([begin(), closed]), facts.visit, onWaking);
  } catch (error) {
    facts.timedOut = error instanceof TimeIsUp;
    readError(facts, error);
    facts.phase = amender.phase;
    facts.told = mender.told;
    socket.close();
    throw new NoConnection(facts);
  }
}

async function wait(session, { facts, mender, socketEnd }) {
  const running = session.run().then(
    (end) => {
      facts.text = end.reason();
      facts.said = true; // what breaks is an error
    },
    (error) => readError(facts, error));
  await Promise.race([running, socketEnd.then(() => pause(LAST_WORDS_MS))]);
  facts.told = mender.told;
  return facts;
}

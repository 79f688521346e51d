// Connections one after the other, with a client that connects and breaks as the test says.
import assert from 'node:assert/strict';
import { register } from 'node:module';
import { test } from 'node:test';
import { fresh, pretend } from './portal_rig.mjs';
import { soon } from './paper.mjs';

// The package from npm is not among the sources.
register(`data:text/javascript,${encodeURIComponent(`
  export async function resolve(specifier, context, next) {
    if (!specifier.startsWith('/viewer/rdp.js')) return next(specifier, context);
    return { url: 'data:text/javascript,export const init = async () => {}, displayControl = () => {}, Backend = { get SessionBuilder() { return globalThis.Builder; }, DesktopSize: class {} };', shortCircuit: true };
  }`)}`);

/**
 * A viewer's life in front of a gateway. says(text): the desktop ends the session; breaks(text): the present connection breaks; visits: {reason} by number,
 * as /api/visits tells. tickets: what was sent for each. refused: what the package says of each attempt, if it fails; first it sends
 * the messages of `sends`. holds(what): keeps 'ticket' or 'desktop' waiting until what it gives is called. steps: that the page was told.
 */
async function life(t) {
  const made = { tickets: [], visits: {}, shown: [], told: [], clipboard: true, wanted: [], given: {}, refused: null, sends: [], steps: [], held: {}, sockets: 0 };
  const session = { run: () => new Promise((resolve, reject) => { Object.assign(made, { says: (text) => resolve({ reason: () => text }), breaks: (text) => reject({ kind: () => 0, backtrace: () => text }) }); }), shutdown() {} };
  class SessionBuilder {
    async connect() {
      made.socket = new globalThis.WebSocket();
      made.sockets++;
      made.socket.addEventListener('message', () => {});
      for (const bytes of made.sends) made.socket.send(bytes); // which takes a turn or two
      await made.held.desktop;
      return made.refused ? new Promise((_, reject) => setTimeout(reject, made.sends.length && 50, { kind: () => 0, backtrace: () => made.refused }))
        : session;
    }
  }
  for (const name of ['proxyAddress', 'destination', 'authToken', 'username', 'password', 'serverDomain', 'desktopSize', 'renderCanvas',
    'setCursorStyleCallbackContext', 'setCursorStyleCallback', 'remoteClipboardChangedCallback', 'forceClipboardUpdateCallback', 'extension']) {
    SessionBuilder.prototype[name] = (value) => {
      made.wanted.push(name);
      made.given[name] = value;
    };
  }
  pretend(t, 'Builder', SessionBuilder);
  pretend(t, 'WebSocket', class extends EventTarget {
    static OPEN = 1;
    readyState = 1;
    send() {}
    close() {
      this.readyState = 3;
      this.dispatchEvent(new Event('close'));
    }
  });
  pretend(t, 'location', new URL('https://gateway.example.com/desktop/office'));
  pretend(t, 'addEventListener', () => {});
  pretend(t, 'fetch', async (path, { body }) => {
    if (path.startsWith('/api/visits/')) return Response.json({ state: 'ended', message: '', reason: 'client-lost', ...made.visits[path.split('/').at(-1)] });
    made.tickets.push(JSON.parse(body));
    await made.held.ticket;
    return Response.json({ ticket: 't', visit: 10 + made.tickets.length, desktop: 'office', clipboard: made.clipboard });
  });
  const { Life } = await fresh('viewer/life.js');
  made.holds = (what) => {
    let goOn;
    made.held[what] = new Promise((resolve) => { goOn = resolve; });
    return goOn;
  };
  const step = (name) => made.steps.push(name);
  const tell = (name) => (what) => made.shown.push([name, what]);
  made.life = new Life({ desktop: 'office', canvas: {}, wishes() {
      made.told.push('size');
      return { size: { width: 800, height: 600, scale: 100 }, keyboard: {} };
    },
    show: { step, open: tell('open'), waiting: tell('waiting'), over: tell('over') }, hooks: { step, data() {}, shares: (yes) => made.told.push(yes), extensions: () => { made.wanted.push('files'); return []; } } });
  made.opened = (count) => soon(() => made.shown.filter(([name]) => name === 'open').length === count);
  made.begin = (name) => Promise.race([made.life.open({ username: 'anna', password: 'secret', domain: '', ...name }), made.opened(1)]);
  return made;
}

test('after a break the old visit is named, so that the gateway does not count it beside the new one', async (t) => {
  const made = await life(t);
  await made.begin();
  assert.deepEqual(made.tickets, [{}]);
  made.life.presumeLost();
  await made.opened(2);
  assert.deepEqual(made.tickets.at(-1), { replaces: '11' });
  made.breaks('read frame: not enough bytes'); // of itself, with the network
  await made.opened(3);
  assert.deepEqual(made.tickets.at(-1), { replaces: '12' });
  void made.life.renew(); // for a choice of the person's
  await made.opened(4);
  assert.deepEqual(made.tickets.at(-1), { replaces: '13' });
});

const bytes = (text) => Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'));
const CLEANPATH = bytes('3003020100'); // enough to be none of RDP's own
// From which on it is RDP.
const CLIENT_INFO = bytes('0300003802f08064000403eb70 2a 40000000 00000000 73014b00 0000 0600 0400 0000 0000 0000 610064006100 0000 70007700 0000 0000 0000');

test('a desktop that restarts may hang up at first, before or in TLS; not when it has been signed in to', async (t) => {
  for (const [reason, sends, passes] of [['desktop-lost', [], true], ['desktop', [CLEANPATH], true], ['desktop-tls', [CLEANPATH], true],
    ['desktop', [CLEANPATH, CLIENT_INFO], false], ['desktop-lost', [CLEANPATH, CLIENT_INFO], false], ['negotiation', [CLEANPATH], false]]) {
    const made = await life(t);
    await made.begin();
    Object.assign(made, { refused: 'closed', sends });
    made.visits['12'] = { reason };
    made.life.presumeLost();
    await soon(() => made.shown.length === 3);
    assert.deepEqual(made.shown.map(([name]) => name), ['open', 'waiting', passes ? 'waiting' : 'over'], reason);
    if (!passes) continue;
    made.refused = null;
    made.life.tryNow();
    await made.opened(2);
  }
});

test('where the clipboard is forbidden the client asks for none, and for no files', async (t) => {
  const made = await life(t);
  const channels = () => made.wanted.filter((name) => /clipboard|files/i.test(name));
  await made.begin();
  assert.deepEqual(channels(), ['remoteClipboardChangedCallback', 'forceClipboardUpdateCallback', 'files']);
  assert.equal(made.shown.at(-1)[1].shares, true);
  made.wanted.length = 0;
  made.clipboard = false;
  void made.life.renew();
  await made.opened(2);
  assert.deepEqual(channels(), []);
  assert.equal(made.shown.at(-1)[1].shares, false);
  assert.deepEqual(made.told, [true, 'size', false, 'size'], 'the panel is there, or is not, when the picture\'s size is asked for');
});

test('ends that presume that nobody is there take the desktop\'s password with them', async (t) => {
  for (const [reason, forgets] of [['idle', true], ['limit', true], ['tunnel-ended', true], ['desktop', true], ['signed-out', true],
    ['grant-removed', true], ['protocol', false]]) {
    const made = await life(t);
    await made.begin();
    made.visits['11'] = { reason };
    made.breaks('read frame: not enough bytes');
    await soon(() => made.shown.at(-1)[0] === 'over');
    assert.equal(made.life.credentials === null, forgets, reason);
  }
});

test('a desktop that ends the session is left alone, though its connection was reset then', async (t) => {
  for (const [how, text] of [['says', 'logoff by user'], ['breaks', 'reason: received disconnect provider ultimatum: UserRequested']]) {
    for (const reason of ['desktop-lost', 'client']) {
      const made = await life(t);
      await made.begin();
      made.visits['11'] = { reason };
      made[how](text);
      await soon(() => made.shown.length > 1);
      assert.deepEqual(made.shown.at(-1), ['over', { reason: 'desktop-ended', retry: false, ask: false }]);
      assert.equal(made.life.credentials, null);
    }
  }
});

test('who leaves while a break has not been noticed yet has left, though there is nobody to say goodbye to', async (t) => {
  const made = await life(t);
  await made.begin();
  made.life.session.shutdown = () => { throw new Error('channel closed'); };
  made.life.leave();
  assert.deepEqual(made.shown.at(-1), ['over', { reason: 'left', ask: false }]);
  assert.equal(made.life.credentials, null);
});

test('who leaves while a connection is made has left: the page is told no more of it, and the desktop is not signed in to', async (t) => {
  for (const [held, step] of [['ticket', 'ticket'], ['desktop', 'asked']]) {
    const made = await life(t);
    await made.begin();
    const goOn = made.holds(held);
    made.sends = [CLEANPATH];
    void made.life.renew();
    await soon(() => made.tickets.length === 2 && made.steps.at(-1) === step);
    const heard = () => [made.steps.length, made.told.length, made.sockets];
    const before = heard();
    made.life.leave();
    assert.deepEqual(made.shown.at(-1), ['over', { reason: 'left', ask: false }]);
    assert.equal(made.socket.readyState, 3, held);
    goOn();
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.deepEqual(heard(), before, held);
    void made.life.open({ username: 'anna', password: 'secret', domain: '' });
    await made.opened(2);
    assert.equal(made.socket.readyState, 1);
  }
});

test('a name with an @ is not cut in two at it: the package looks for the domain behind the last one', async (t) => {
  for (const [username, domain, wanted] of [['anna', 'CORP', ['anna', 'CORP']], ['anna@company.com', '', ['anna@company.com@', '']],
    ['anna@outlook.com', 'MicrosoftAccount', ['anna@outlook.com@MicrosoftAccount', '']]]) {
    const made = await life(t);
    await made.begin({ username, domain });
    assert.deepEqual([made.given.username, made.given.serverDomain], wanted);
  }
});

test('an account that the desktop refuses is not shown to it again with the same password', async (t) => {
  for (const [status, forgets] of [['0xc0000234', true], ['0xc0000071', true], ['0xc0000072', true], ['0xc000006f', true], ['0xc000006e', true],
    ['0xc0000418', true], ['0xc000005e', false]]) {
    const made = await life(t);
    made.refused = `CredSSP server returned an error status; status is [${status}]`;
    made.visits['11'] = { reason: 'client' };
    await made.begin();
    assert.equal(made.shown.at(-1)[0], 'over');
    assert.equal(made.life.credentials === null, forgets, status);
  }
});

test('who connects elsewhere is told, by the reason that the desktop gives before its goodbye', async (t) => {
  const made = await life(t);
  await made.begin();
  made.visits['11'] = { reason: 'desktop' };
  made.socket.send(CLIENT_INFO); // after a turn or two
  await new Promise((resolve) => setTimeout(resolve, 50));
  const says = bytes('0300002502f080 68000103eb70 8016 1600 1700 ea03 ea030100 00 01 1600 2f 00 0000 05000000 030000090 2f080 2180');
  made.socket.dispatchEvent(new MessageEvent('message', { data: says.buffer }));
  made.breaks('reason: received disconnect provider ultimatum: UserRequested');
  await soon(() => made.shown.length > 1);
  assert.deepEqual(made.shown.at(-1), ['over', { reason: 'elsewhere', retry: false, ask: false }]);
  assert.equal(made.life.credentials, null);
});

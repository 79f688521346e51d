// The clipboard: which of the two sides has the newer text, and that text does not go over files.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fresh, pretend } from './portal_rig.mjs';

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * A page that shares the clipboard. made.local: what is in the browser's clipboard; made.reads, made.writes: what
 * the browser permits; made.focused: the window has the focus. sent: what the desktop was given; pressed: the
 * chords that it got, each with what it had then.
 */
async function shared(t, { local = '', reads = true, writes = true } = {}) {
  const page = new EventTarget();
  const view = new EventTarget();
  const made = { local, reads, writes, focused: true, sent: [], pressed: [] };
  pretend(t, 'document', Object.assign(page, { hasFocus: () => made.focused }));
  pretend(t, 'addEventListener', view.addEventListener.bind(view));
  pretend(t, 'navigator', { platform: 'Linux x86_64',
    permissions: { query: async () => ({ state: made.reads ? 'granted' : 'prompt' }) },
    clipboard: {
      readText: async () => made.local,
      async writeText(text) {
        if (!made.writes || !made.focused) throw new Error('not now');
        made.local = text;
      },
    } });
  const { Clipboard } = await fresh('viewer/clipboard.js');
  const client = { Backend: { ClipboardData: class { addText(type, text) { this.text = text; } } } };
  const session = { onClipboardPaste: async ({ text }) => { made.sent.push(text); } };
  const input = { chord: (codes) => made.pressed.push([codes, made.sent.at(-1)]) };
  const clipboard = new Clipboard({ target: 'picture', input, settings: { clipboard: 'on' }, show: { remoteText() {}, written() {} } });
  clipboard.use(client, session);
  await pause(1);
  return Object.assign(made, { clipboard,
    async copyThere(text) {
      clipboard.received({ items: () => [{ mimeType: () => 'text/plain', value: () => text }] });
      await pause(1);
    },
    async event(type) {
      view.dispatchEvent(new Event(type));
      await pause(1);
    },
    async leave() {
      made.focused = false;
      await made.event('blur');
    },
    async comeBack() {
      made.focused = true;
      await made.event('focus');
    },
    async copyHere() {
      page.dispatchEvent(new Event('copy'));
      await pause(1);
    },
    async paste(key = { code: 'KeyV', ctrlKey: true }) {
      const count = made.pressed.length;
      assert.equal(clipboard.holdsBack(key), true);
      page.dispatchEvent(Object.assign(new Event('paste', { cancelable: true }), { clipboardData: { getData: () => made.local } }));
      for (let turn = 0; turn < 100 && made.pressed.length === count; turn++) await pause(5);
      return made.pressed.at(-1);
    } });
}

test('what was copied there while the window was not looked at yields to what was copied here later', async (t) => {
  for (const quick of [false, true]) { // the click that wakes the window comes with its focus
    const page = await shared(t);
    await page.leave();
    await page.copyThere('there, earlier');
    page.local = 'here, later';
    page.focused = true;
    const woken = page.event('focus');
    if (!quick) await woken;
    await page.event('pointerdown');
    await woken;
    await pause(1);
    assert.equal(page.local, 'here, later');
    assert.deepEqual(page.sent, ['here, later']);
  }
});

test('what was copied there while the window was not looked at goes before what was here all the time', async (t) => {
  const page = await shared(t, { local: 'old' });
  assert.deepEqual(page.sent, ['old']);
  await page.leave();
  await page.copyThere('new');
  await page.comeBack();
  await page.event('pointerdown');
  assert.equal(page.local, 'new');
  assert.deepEqual(page.sent, ['old']);
});

test('where the browser refuses to write, Ctrl+V on the desktop pastes what was copied there', async (t) => {
  for (const reads of [true, false]) {
    const page = await shared(t, { local: 'old', reads, writes: false });
    page.sent.length = 0;
    await page.copyThere('new');
    await page.paste();
    await page.paste();
    await page.leave();
    await page.comeBack();
    await page.paste();
    assert.deepEqual(page.sent, [], `nothing goes over it; reading ${reads}`);
    await page.leave();
    page.local = 'newer';
    await page.comeBack();
    await page.paste();
    assert.deepEqual(page.sent, ['newer']);
  }
});

test('text that is copied on the page itself is newer, too', async (t) => {
  const page = await shared(t, { reads: false, writes: false });
  await page.copyThere('there');
  page.local = 'of the page';
  await page.copyHere();
  await page.paste();
  assert.deepEqual(page.sent, ['of the page']);
});

test('text of the panel stays the desktop\'s until another is copied here', async (t) => {
  const page = await shared(t, { local: 'old' });
  page.clipboard.send('typed into the panel');
  await page.paste();
  assert.deepEqual(page.sent, ['old', 'typed into the panel']);
  page.local = 'copied';
  await page.paste();
  assert.equal(page.sent.at(-1), 'copied');
});

test('a new connection gets what is here', async (t) => {
  const page = await shared(t, { local: 'text' });
  page.clipboard.use({ Backend: { ClipboardData: class { addText(type, text) { this.text = text; } } } }, { onClipboardPaste: async ({ text }) => { page.sent.push(text); } });
  await pause(1);
  assert.deepEqual(page.sent, ['text', 'text']);
});

test('what is copied there while nothing is shared makes text of before new again', async (t) => {
  const page = await shared(t, { local: 'same', reads: false });
  await page.paste();
  await page.clipboard.share(false);
  await page.copyThere('other');
  await page.clipboard.share(true);
  assert.deepEqual(page.sent, ['same', 'same'], 'with the choice');
  await page.clipboard.share(false);
  await page.copyThere('other');
  page.local = '';
  await page.clipboard.share(true);
  page.clipboard.send('same'); // from the panel
  assert.deepEqual(page.sent, ['same', 'same', 'same']);
  await page.clipboard.share(false);
  await page.copyThere('other');
  await page.clipboard.share(true); // where the browser does not let us read
  page.local = 'same';
  await page.paste();
  assert.equal(page.sent.length, 4);
});

/** Such a page with files.js; give(): chosen for the desktop; offer(): copied there. told: what was said of files. */
async function withFiles(t, options) {
  const page = await shared(t, options);
  const { Files } = await fresh('viewer/files.js');
  const on = {};
  const client = { RdpFileTransferProvider: class {
    on(name, call) { on[name] = call; }
    getBuilderExtensions() { return []; }
    setSession() {}
    dispose() {}
  }, lockCallback() {}, fileContentsRequestCallback() {}, initiateFileCopy() {} };
  const session = { invokeExtension() {} };
  const told = [];
  const files = new Files({ clipboard: page.clipboard, show: { offered() {}, ready: (count) => told.push(`ready ${count}`), failed: ({ name }) => told.push(`failed ${name}`) } });
  const connect = () => files.extensions(client);
  connect();
  files.use(session);
  return Object.assign(page, { files, session, told, connect, give: () => files.give([{ name: 'a.txt' }]), offer: () => on['files-available']([{ name: 'b.txt' }]) });
}

test('where the browser asks whether a paste is wanted, it is, on the picture', async (t) => {
  await shared(t);
  for (const [focused, wanted] of [['picture', true], ['field', false]]) {
    const event = new Event('beforepaste', { cancelable: true });
    document.activeElement = focused;
    document.dispatchEvent(event);
    assert.equal(event.defaultPrevented, wanted);
  }
});

test('files that were chosen for the desktop are pasted there, and no text before that', async (t) => {
  for (const reads of [true, false]) {
    const page = await withFiles(t, { reads });
    page.local = 'old';
    page.give();
    await page.comeBack(); // from the browser's window that shows the files
    await page.paste();
    await page.paste();
    assert.deepEqual(page.sent, [], `reading ${reads}`);
    await page.leave();
    await page.comeBack();
    await page.paste();
    assert.deepEqual(page.sent, [], 'it has not changed');
    await page.leave();
    page.local = 'new';
    await page.comeBack();
    await page.paste();
    assert.deepEqual(page.sent, ['new']);
  }
});

test('files that are chosen while nothing is connected are not called ready', async (t) => {
  const page = await withFiles(t);
  page.local = 'text';
  page.files.use(null);
  page.connect(); // and it is not there yet
  page.give();
  assert.deepEqual(page.told, ['failed a.txt']);
  await page.paste();
  assert.deepEqual(page.sent, ['text'], 'which is still what is pasted');
  page.files.use(page.session);
  page.give();
  assert.deepEqual(page.told, ['failed a.txt', 'ready 1']);
});

test('after files text goes again: typed into the panel though it is the same, or copied there', async (t) => {
  const page = await withFiles(t);
  page.clipboard.send('same');
  page.give();
  page.clipboard.send('same');
  assert.deepEqual(page.sent, ['same', 'same']);
  page.give();
  await page.copyThere('there');
  page.local = 'here';
  await page.paste();
  assert.equal(page.sent.at(-1), 'here');
});

test('files and pictures that were copied on the desktop are pasted there, and no older text', async (t) => {
  const page = await withFiles(t, { reads: false });
  page.local = 'old';
  page.offer();
  await page.paste();
  page.clipboard.received({ items: () => [{ mimeType: () => 'image/png', value: () => new Uint8Array() }] });
  await page.paste();
  assert.deepEqual(page.sent, []);
});

// Keys on their way to the desktop: keyboard, clipboard and input put together as on the page.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fresh, pretend } from './portal_rig.mjs';

const CTRL = 'ControlLeft';

/** The page's keyboard on this platform; sent() gives what has gone to the desktop since it was last asked. */
async function keyboard(t, platform = 'Linux x86_64') {
  const page = new EventTarget();
  const view = new EventTarget();
  const made = { locked: false }; // the keyboard, as in full screen
  const lockKeys = []; // states of the lock keys that the desktop was told
  const written = [];
  const given = []; // to the desktop's clipboard
  let log = [];
  pretend(t, 'addEventListener', view.addEventListener.bind(view));
  pretend(t, 'document', Object.assign(page, { hasFocus: () => true }));
  pretend(t, 'navigator', { platform, clipboard: { writeText: async (text) => { written.push(text); } } });
  const [{ Keyboard }, { Input }, { Clipboard }] = await Promise.all(['viewer/keyboard.js', 'viewer/input.js', 'viewer/clipboard.js'].map(fresh));
  const client = { Backend: {
    DeviceEvent: { keyPressed: (code) => `+${code.toString(16)}`, keyReleased: (code) => `-${code.toString(16)}` },
    InputTransaction: class { addEvent(event) { log.push(event); } },
    ClipboardData: class { addText(type, text) { given.push(text); } },
  } };
  const session = { applyInputs() {}, onClipboardPaste: async () => {}, synchronizeLockKeys: (...states) => lockKeys.push(states), releaseAllInputs() { log.push('none'); } };
  const input = new Input();
  input.use(client, session, () => {});
  const clipboard = new Clipboard({ input, settings: { clipboard: 'on' }, show: { written() {}, remoteText() {} } });
  const use = async (crLf) => {
    clipboard.use(client, session, crLf);
    await pause(0); // it has looked at what is here
  };
  await use();
  const canvas = new EventTarget();
  new Keyboard({ target: canvas, input, leave() {}, beforePaste: (event) => clipboard.holdsBack(event), isLocked: () => made.locked });
  const event = (type) => (code, more = {}) => canvas.dispatchEvent(Object.assign(new Event(type, { cancelable: true }), { code, key: code, getModifierState: () => false, ...more }));
  const received = (text) => clipboard.received({ items: () => [{ mimeType: () => 'text/plain', value: () => text }] });
  return Object.assign(made, { input, lockKeys, written, given, received, use, send: (text) => clipboard.send(text), down: event('keydown'), up: event('keyup'),
    blur: () => view.dispatchEvent(new Event('blur')), renew: () => input.use(client, session, () => {}),
    /** The connection breaks, and nobody has noticed yet. */
    breaks() {
      const refuse = () => { throw new Error('channel closed'); };
      input.use(client, { applyInputs: refuse, synchronizeLockKeys: refuse, releaseAllInputs: refuse }, () => {});
    },
    sent() {
      const before = log.join(' ');
      log = [];
      return before;
    },
    paste(text) {
      page.dispatchEvent(Object.assign(new Event('paste', { cancelable: true }), { clipboardData: { getData: () => text } }));
    } });
}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
async function arrived(keys) {
  for (let sum = '', turn = 0; turn < 100; turn++) {
    await pause(20);
    sum += keys.sent();
    if (sum) return sum;
  }
  return '';
}

test('Ctrl that is held through a paste is held for the next key', async (t) => {
  const keys = await keyboard(t);
  const ctrlKey = true;
  keys.down(CTRL, { ctrlKey });
  keys.down('KeyV', { ctrlKey });
  keys.paste('text');
  assert.equal(keys.sent(), '+1d');
  assert.equal(await arrived(keys), '+2f -2f', 'V alone: Ctrl is down already, and stays so');
  keys.up('KeyV', { ctrlKey });
  keys.down('KeyZ', { ctrlKey });
  keys.up('KeyZ', { ctrlKey });
  keys.up(CTRL);
  assert.equal(keys.sent(), '+2c -2c -1d');
});

test('Ctrl that was let go before the text was there is pressed once more', async (t) => {
  const keys = await keyboard(t);
  keys.down(CTRL, { ctrlKey: true });
  keys.down('KeyV', { ctrlKey: true });
  keys.paste('text');
  keys.up(CTRL);
  assert.equal(keys.sent(), '+1d -1d');
  assert.equal(await arrived(keys), '+1d +2f -2f -1d');
});

test('terminals paste by other keys, which wait for the text, too', async (t) => {
  const keys = await keyboard(t);
  keys.down(CTRL, { ctrlKey: true });
  keys.down('ShiftLeft', { ctrlKey: true, shiftKey: true });
  keys.down('KeyV', { ctrlKey: true, shiftKey: true });
  assert.equal(keys.sent(), '+1d +2a');
  keys.paste('one');
  assert.equal(await arrived(keys), '+2f -2f');
  keys.up('KeyV', { ctrlKey: true, shiftKey: true });
  keys.up(CTRL, { shiftKey: true });
  keys.down('Insert', { shiftKey: true });
  assert.equal(keys.sent(), '-1d');
  keys.paste('two');
  keys.up('ShiftLeft');
  assert.equal(keys.sent(), '-2a');
  assert.equal(await arrived(keys), '+2a +e052 -e052 -2a');
  assert.deepEqual(keys.given, ['one', 'two']);
  keys.down('Insert', { ctrlKey: true });
  keys.down('KeyV', { ctrlKey: true, altKey: true });
  assert.equal(keys.sent(), '+e052 +2f', 'those paste nothing');
});

test('a Mac: Command is Ctrl, and is held through a paste, too', async (t) => {
  const keys = await keyboard(t, 'MacIntel');
  keys.down('MetaLeft', { metaKey: true });
  keys.down('KeyV', { metaKey: true });
  keys.paste('text');
  assert.equal(keys.sent(), '+1d');
  assert.equal(await arrived(keys), '+2f -2f');
});

test('a chord of the menu is pressed whole, also after keys were let go all at once', async (t) => {
  const keys = await keyboard(t);
  keys.input.key(0x1d, true);
  keys.input.releaseAll();
  keys.input.chord([0x1d, 0x38]);
  assert.equal(keys.sent(), '+1d none +1d +38 -38 -1d');
});

test('keys that are held do not press themselves again, but those that write', async (t) => {
  const keys = await keyboard(t);
  for (const [code, key, wanted] of [['ShiftLeft', 'Shift', '+2a -2a'], ['ControlRight', 'Control', '+e01d -e01d'], ['AltLeft', 'Alt', '+38 -38'],
    ['CapsLock', 'CapsLock', '+3a -3a'], ['NumLock', 'NumLock', '+45 -45'], ['Backquote', 'ZenkakuHankaku', '+29 -29'],
    ['KanaMode', 'KanaMode', '+70 -70'], ['Lang1', 'HangulMode', '+72 -72'], ['KeyA', 'a', '+1e +1e +1e -1e'], ['Backquote', '`', '+29 +29 +29 -29']]) {
    for (const repeat of [false, true, true]) keys.down(code, { key, repeat });
    keys.up(code, { key });
    assert.equal(keys.sent(), wanted, `${code} ${key}`);
  }
  for (let turn = 0; turn < 3; turn++) keys.down('ShiftLeft', { repeat: true });
  assert.equal(keys.sent(), '+2a', 'down since before the picture had the focus');
});

test('an Alt that is let go because the window lost the focus opens no menu on the desktop', async (t) => {
  const keys = await keyboard(t);
  for (const [code, there] of [['AltLeft', '38'], ['AltRight', 'e038']]) {
    keys.down(code, { altKey: true });
    keys.blur(); // Tab is the system's
    assert.equal(keys.sent(), `+${there} +1d -1d none`);
  }
  keys.down('ShiftLeft');
  keys.blur();
  assert.equal(keys.sent(), '+2a none');
  keys.down('AltLeft', { altKey: true });
  keys.up('AltLeft');
  assert.equal(keys.sent(), '+38 -38', 'pressed by itself');
});

test('the Windows key: not alone while its shortcuts are the system\'s, with a key that comes all the same, and as it is when locked', async (t) => {
  for (const platform of ['Win32', 'Linux x86_64']) {
    const keys = await keyboard(t, platform);
    const metaKey = true;
    for (const repeat of [false, true]) keys.down('MetaLeft', { metaKey, repeat });
    keys.up('MetaLeft'); // the arrow between them was the system's
    keys.down('MetaLeft', { metaKey });
    keys.blur();
    keys.down('KeyA');
    keys.up('KeyA');
    assert.equal(keys.sent(), '+1e -1e');
    keys.down('MetaRight', { metaKey });
    keys.down('ShiftLeft', { metaKey });
    keys.down('KeyJ', { metaKey });
    keys.up('KeyJ', { metaKey });
    keys.up('ShiftLeft', { metaKey });
    keys.up('MetaRight');
    assert.equal(keys.sent(), '+2a +e05c +24 -24 -2a -e05c');
    keys.down('MetaLeft', { metaKey });
    keys.down('KeyK'); // its end was not told
    keys.up('KeyK');
    assert.equal(keys.sent(), '+25 -25');
    keys.locked = true;
    keys.down('MetaLeft', { metaKey });
    assert.equal(keys.sent(), '+e05b');
    keys.blur();
    assert.equal(keys.sent(), '+1d -1d none');
  }
});

test('Windows: keys of Japanese keyboards of which no release is told are not down ever after', async (t) => {
  const keys = await keyboard(t, 'Win32');
  for (const [code, key, wanted] of [['Backquote', 'Zenkaku', '+29 -29'], ['Backquote', 'Hankaku', '+29 -29'], ['KanaMode', 'Katakana', '+70 -70'],
    ['KanaMode', 'Hiragana', '+70 -70'], ['CapsLock', 'Alphanumeric', '+3a -3a'], ['KanaMode', 'Romaji', '+70 -70']]) {
    keys.down(code, { key });
    assert.equal(keys.sent(), wanted, key);
  }
  keys.up('Backquote', { key: 'Hankaku' }); // of the key that it was before
  assert.equal(keys.sent(), '');
  const told = keys.lockKeys.length;
  keys.down('KeyA', { getModifierState: () => true });
  assert.equal(keys.lockKeys.length, told + 1, 'nothing is down');
  const linux = await keyboard(t);
  linux.down('Backquote', { key: 'Zenkaku' });
  assert.equal(linux.sent(), '+29');
});

test('a Mac: keys that are pressed while Command is held are let go at once, since nobody tells; modifiers are held', async (t) => {
  const keys = await keyboard(t, 'MacIntel');
  const metaKey = true;
  keys.down('MetaLeft', { metaKey });
  keys.down('ShiftLeft', { metaKey });
  for (const repeat of [false, true]) keys.down('KeyZ', { metaKey, repeat });
  keys.up('ShiftLeft', { metaKey });
  keys.down('KeyC', { metaKey });
  assert.equal(keys.sent(), '+1d +2a +2c -2c +2c -2c -2a +2e -2e');
  keys.up('MetaLeft');
  assert.equal(keys.sent(), '-1d');
});

test('a Mac: when Command is let go, modifiers that are held stay so, and what was down before it is let go', async (t) => {
  for (const [code, there] of [['ShiftLeft', '2a'], ['AltLeft', '38']]) {
    const keys = await keyboard(t, 'MacIntel');
    const metaKey = true;
    keys.down('KeyA'); // whose end is not told
    keys.down(code);
    keys.down('MetaLeft', { metaKey });
    keys.down('ArrowLeft', { metaKey });
    keys.sent();
    keys.up('MetaLeft');
    assert.equal(keys.sent(), '-1d -1e', code);
    keys.down('ArrowLeft');
    keys.up('ArrowLeft');
    keys.up(code);
    assert.equal(keys.sent(), `+e04b -e04b -${there}`, code);
  }
});

test('keys of which only one half is told are whole on the desktop: Caps Lock on a Mac, Print Screen on Windows', async (t) => {
  const mac = await keyboard(t, 'MacIntel');
  for (const half of ['down', 'up']) {
    mac[half]('CapsLock', { getModifierState: () => half === 'down' });
    assert.equal(mac.sent(), '+3a -3a', half);
    mac.down('KeyA', { getModifierState: () => half === 'down' });
    mac.up('KeyA');
    assert.deepEqual([mac.lockKeys.length, mac.lockKeys.at(-1)[2]], half === 'down' ? [1, true] : [2, false]);
    mac.sent();
  }
  const windows = await keyboard(t, 'Win32');
  windows.up('PrintScreen');
  assert.equal(windows.sent(), '+e037 -e037');
  windows.down('PrintScreen');
  windows.up('PrintScreen');
  assert.equal(windows.sent(), '+e037 -e037');
  windows.up('KeyA');
  assert.equal(windows.sent(), '');
});

test('a connection that has broken takes no keys, and none of them stays down here', async (t) => {
  const keys = await keyboard(t);
  keys.down('KeyA');
  keys.breaks();
  keys.blur();
  keys.renew();
  keys.sent();
  keys.up('KeyA');
  assert.equal(keys.sent(), '');
  keys.breaks();
  keys.down('KeyB', { getModifierState: () => true }); // would tell of the lock keys first
  keys.up('KeyB');
  await pause(0);
});

test('Windows: AltGr that is held repeats its made-up Ctrl, which never comes to the desktop', async (t) => {
  const keys = await keyboard(t, 'Win32');
  const held = { ctrlKey: true, altKey: true };
  for (const repeat of [false, true, true]) {
    keys.down(CTRL, { ...held, repeat });
    keys.down('AltRight', { ...held, repeat });
    await pause(80); // longer than a Ctrl waits for its Alt
  }
  assert.equal(keys.sent(), '+e038');
  keys.down('KeyQ', held);
  keys.up('KeyQ', held);
  keys.up(CTRL);
  keys.up('AltRight');
  assert.equal(keys.sent(), '+10 -10 -e038');
});

test('Windows: a left Ctrl that is one comes, held or pressed beside AltGr', async (t) => {
  const keys = await keyboard(t, 'Win32');
  keys.down(CTRL, { ctrlKey: true });
  assert.equal(await arrived(keys), '+1d');
  keys.down(CTRL, { ctrlKey: true, repeat: true });
  assert.equal(keys.sent(), '');
  keys.up(CTRL);
  keys.down('AltRight', { altKey: true });
  assert.equal(keys.sent(), '-1d +e038');
  keys.down(CTRL, { ctrlKey: true, altKey: true });
  assert.equal(await arrived(keys), '+1d');
});

test('Windows: AltGr that was held before the picture had the focus brings no Ctrl, either', async (t) => {
  const keys = await keyboard(t, 'Win32');
  for (let turn = 0; turn < 2; turn++) {
    keys.down(CTRL, { ctrlKey: true, altKey: true, repeat: true });
    keys.down('AltRight', { ctrlKey: true, altKey: true, repeat: true });
  }
  await pause(80);
  assert.equal(keys.sent(), '+e038');
});

test('lines of the desktop\'s clipboard end as on the browser\'s system', async (t) => {
  for (const [platform, wanted] of [['Linux x86_64', 'one\ntwo\n\rthree'], ['MacIntel', 'one\ntwo\n\rthree'], ['Win32', 'one\r\ntwo\r\n\rthree']]) {
    const keys = await keyboard(t, platform);
    keys.received('one\r\ntwo\n\rthree');
    assert.deepEqual(keys.written, [wanted], platform);
  }
});

test('lines for the desktop\'s clipboard end as the desktop wants them; what came from there does not go back', async (t) => {
  for (const platform of ['Linux x86_64', 'Win32']) {
    for (const [crLf, wanted] of [[false, 'one\ntwo\n'], [true, 'one\r\ntwo\r\n']]) {
      const keys = await keyboard(t, platform);
      await keys.use(crLf);
      keys.send('one\r\ntwo\n');
      keys.send('one\ntwo\n'); // the browser reads it back so
      assert.deepEqual(keys.given, [wanted], `${platform}, ${crLf}`);
      keys.received('three\r\nfour');
      keys.send(keys.written[0]);
      keys.send('three\nfour');
      assert.equal(keys.given.length, 1);
    }
  }
});

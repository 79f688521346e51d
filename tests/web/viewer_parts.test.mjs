// The viewer's rules: what an end means, which keys and layouts there are, sizes and places, words.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import './portal_rig.mjs';
import { areClean, arePutTogether, areThere, areUsed, sayTheSame, sources } from './words_kit.mjs';

const { diagnose } = await import('/viewer/trouble.js');
const { scancode } = await import('/viewer/scancodes.js');
const { guessLayout, layoutNumbers, LAYOUTS } = await import('/viewer/layouts.js');
const { keyFor } = await import('/viewer/characters.js');
const { pixelAt, place, wantedSize } = await import('/viewer/geometry.js');
const { grade } = await import('/viewer/quality.js');
const { Wheel } = await import('/viewer/pointer.js');
const { Phase } = await import('/viewer/wire.js');
const { default: english } = await import('/lang/viewer.en.js');
const { default: japanese } = await import('/lang/viewer.ja.js');

// ---- an end, and its reason ----

const FACTS = { visit: 1, phase: null, kind: null, close: null, api: null, text: '', failed: false, timedOut: false, opened: false, said: false, told: null };
const why = (facts, reason = '') => diagnose({ ...FACTS, ...facts }, { state: reason && 'ended', reason }).reason;

test('no ticket: the API says why', () => {
  for (const [status, reason] of [[401, 'signed-out'], [403, 'not-allowed'], [404, 'not-allowed'], [429, 'busy'],
    [503, 'busy'], [400, 'failed'], [500, 'gateway'], [0, 'gateway']]) {
    assert.equal(why({ api: { status } }), reason, String(status));
  }
});

test('not opened: what the gateway knows goes before what the package says', () => {
  assert.equal(why({ kind: 4 }, 'desktop_asleep'), 'asleep');
  assert.equal(why({ kind: 4 }, 'desktop_refused'), 'refused');
  assert.equal(why({ kind: 0, timedOut: true }, 'certificate-changed'), 'certificate-changed');
  assert.equal(why({ kind: 4 }, 'no_desktop'), 'not-allowed');
});

test('not opened: a wrong password, said clearly or by hanging up', () => {
  assert.deepEqual(diagnose({ ...FACTS, kind: 1 }, null), { reason: 'password', retry: false, ask: true });
  assert.equal(why({ kind: 2 }, 'desktop'), 'logon');
  assert.equal(why({ kind: 3 }, 'desktop'), 'denied');
  assert.equal(why({ kind: 0, phase: 'signing-in' }, 'desktop'), 'password');
  assert.equal(why({ kind: 0, phase: 'starting' }, 'desktop'), 'desktop-hung-up');
  assert.equal(why({ kind: 4, phase: 'asked' }, 'desktop-lost'), 'desktop-hung-up');
  assert.equal(why({ kind: 4, phase: 'asked' }, 'setup'), 'timeout');
  assert.equal(why({ timedOut: true, phase: 'signing-in' }), 'timeout');
});

test('not opened: a name that the package cannot read is asked for again', () => {
  const text = '[invalid username @ crates/ironrdp-connector/src/lib.rs:416] custom error: mixed username format';
  assert.deepEqual(diagnose({ ...FACTS, kind: 0, failed: true, phase: 'asked', text }, { state: 'ended', reason: 'client' }),
    { reason: 'account', retry: false, ask: true });
});

test('not opened: what Windows says of an account is told as that; only a wrong password is asked for again', () => {
  const said = (code) => `CredSSP: InvalidToken: CredSSP server returned an error status; status is ${code}`;
  for (const [code, reason, ask] of [['STATUS_PASSWORD_EXPIRED [0xc0000071]', 'password-expired', false], ['STATUS_PASSWORD_MUST_CHANGE [0xc0000224]', 'password-expired', false],
    ['STATUS_ACCOUNT_LOCKED_OUT [0xc0000234]', 'locked', false], ['STATUS_ACCOUNT_DISABLED [0xc0000072]', 'disabled', false], ['NSTATUS code 0xc0000193', 'disabled', false],
    ['STATUS_INVALID_LOGON_HOURS [0xc000006f]', 'logon-hours', false], ['STATUS_INVALID_WORKSTATION [0xc0000070]', 'logon-hours', false],
    ['STATUS_ACCOUNT_RESTRICTION [0xc000006e]', 'restricted', false], ['STATUS_LOGON_TYPE_NOT_GRANTED [0xc000015b]', 'denied', true],
    ['STATUS_NO_LOGON_SERVERS [0xc000005e]', 'no-controller', false], ['NSTATUS code 0xC0000418', 'ntlm-blocked', false], ['STATUS_NO_SUCH_USER [0xc0000064]', 'password', true]]) {
    assert.deepEqual(diagnose({ ...FACTS, kind: 0, failed: true, phase: 'signing-in', text: said(code) }, { state: 'ended', reason: 'client' }), { reason, retry: false, ask }, code);
  }
});

test('not opened: a way that breaks while signing in is no wrong password', () => {
  const signingIn = { kind: 0, phase: 'signing-in' };
  assert.equal(why(signingIn, 'client-lost'), 'lost');
  assert.equal(why({ ...signingIn, close: { code: 1006, clean: false } }), 'lost');
  assert.equal(why({ ...signingIn, close: { code: 1000, clean: true } }), 'password');
  assert.equal(why({ ...signingIn, close: { code: 1006, clean: false } }, 'desktop-lost'), 'password');
});

test('opened: when the package gives up it is tried again; it has not left', () => {
  assert.deepEqual(diagnose({ ...FACTS, opened: true, failed: true }, { state: 'ended', reason: 'client' }),
    { reason: 'unread', retry: true, ask: false });
});

test('opened: what breaks is tried again, what is ended is not', () => {
  for (const reason of ['client-lost', 'desktop-lost', 'gate-lost', 'stopping']) {
    assert.deepEqual(diagnose({ ...FACTS, opened: true }, { state: 'ended', reason }),
      { reason: 'lost', retry: true, ask: false });
  }
  for (const [reason, shown] of [['tunnel-ended', 'administrator'], ['signed-out', 'signed-out'], ['idle', 'idle'],
    ['grant-removed', 'not-allowed'], ['desktop', 'desktop-ended'], ['client', 'left'], ['limit', 'limit']]) {
    assert.deepEqual(diagnose({ ...FACTS, opened: true }, { state: 'ended', reason }),
      { reason: shown, retry: false, ask: false });
  }
  assert.equal(diagnose({ ...FACTS, opened: true, close: { code: 1006, clean: false } }, null).retry, true);
});

test('opened: after a goodbye of the desktop\'s it is no break, however the connection ends', () => {
  for (const reason of ['desktop', 'desktop-lost', 'client', 'client-lost', 'gate-lost', 'stopping', '']) {
    for (const failed of [false, true]) {
      assert.deepEqual(diagnose({ ...FACTS, opened: true, said: true, failed, close: { code: 1006, clean: false } }, { state: 'ended', reason }),
        { reason: 'desktop-ended', retry: false, ask: false }, reason);
    }
  }
  assert.equal(why({ opened: true, said: true }, 'tunnel-ended'), 'administrator');
});

test('what the desktop says of its reason goes before what the package makes of it, opened or not', () => {
  for (const [told, reason, ask = false] of [[{ errorInfo: 1 }, 'desktop-administrator'], [{ errorInfo: 2 }, 'desktop-administrator'], [{ errorInfo: 3 }, 'desktop-limit'],
    [{ errorInfo: 4 }, 'desktop-limit'], [{ errorInfo: 5 }, 'elsewhere'], [{ errorInfo: 6 }, 'desktop-full'], [{ errorInfo: 7 }, 'desktop-denied'], [{ errorInfo: 9 }, 'denied', true],
    [{ errorInfo: 0xb }, 'desktop-ended'], [{ errorInfo: 0xc }, 'logged-off'], [{ errorInfo: 0x100 }, 'licence'], [{ errorInfo: 0x10a }, 'licence'], [{ licence: 2 }, 'licence'], [{ licence: 6 }, 'licence']]) {
    for (const facts of [{ opened: true, said: true }, { opened: true, failed: true }, { opened: false, kind: 0, phase: 'started' }]) {
      for (const ended of ['desktop', 'desktop-lost', 'client', '']) {
        assert.deepEqual(diagnose({ ...FACTS, ...facts, told }, { state: 'ended', reason: ended }), { reason, retry: false, ask }, JSON.stringify(told));
      }
    }
  }
  assert.equal(why({ opened: true, said: true, told: { errorInfo: 5 } }, 'tunnel-ended'), 'administrator', 'but not before what the gateway knows');
  assert.equal(why({ opened: true, said: true, told: { errorInfo: 0x10c9 } }, 'desktop'), 'desktop-ended', 'one that nobody meets');
  assert.equal(why({ kind: 0, phase: 'started', said: true }, 'client'), 'desktop-hung-up', 'a bare goodbye while it is opened');
});

test('every reason of the gateway, and every one that is shown, has words', () => {
  const refused = 'ticket no_session password_change_due no_desktop factor_stale desktop_asleep desktop_refused desktop_name desktop_address not_now not_from_here too_many busy failed';
  const ended = 'client client-lost desktop desktop-lost protocol idle limit signed-out session-ended tunnel-ended ' +
    'user-disabled grant-removed stopping gate-lost setup negotiation desktop-tls certificate-changed certificate-untrusted';
  for (const facts of [{ opened: true }, { opened: true, failed: true }, { opened: false }]) {
    for (const reason of `${refused} ${ended} something-new`.split(' ')) {
      const shown = why(facts, reason);
      assert.ok(english[`viewer.trouble.${shown}`], shown);
      assert.ok(english[`viewer.trouble.${shown}.do`], shown);
    }
  }
  assert.equal(why({}, 'constructor'), 'failed');
  assert.equal(why({ opened: false }, 'password_change_due'), 'password-due');
  assert.equal(diagnose({ ...FACTS, api: { status: 403, code: 'password_change_due' } }, null).reason, 'password-due');
});

// ---- keys ----

test('scan codes: places that are easily mixed up', () => {
  for (const [code, wanted] of Object.entries({ Escape: 0x01, Digit0: 0x0b, Tab: 0x0f, KeyP: 0x19, Enter: 0x1c,
    ControlLeft: 0x1d, KeyA: 0x1e, Backquote: 0x29, ShiftLeft: 0x2a, Backslash: 0x2b, KeyZ: 0x2c, Slash: 0x35,
    Space: 0x39, CapsLock: 0x3a, F1: 0x3b, F10: 0x44, NumLock: 0x45, ScrollLock: 0x46, Numpad0: 0x52, IntlBackslash: 0x56,
    F11: 0x57, F12: 0x58, KanaMode: 0x70, IntlRo: 0x73, Convert: 0x79, NonConvert: 0x7b, IntlYen: 0x7d,
    ControlRight: 0xe01d, AltRight: 0xe038, Delete: 0xe053, OSLeft: 0xe05b, ContextMenu: 0xe05d })) {
    assert.equal(scancode(code), wanted, code);
  }
  assert.equal(scancode('Fn'), null);
  assert.equal(scancode('toString'), null);
});

test('layouts: guessed by the keys, or else by the languages', () => {
  const keys = (signs) => new Map(Object.entries({ KeyQ: 'q', KeyY: 'y', Semicolon: ';', BracketLeft: '[', Quote: "'", ...signs }));
  assert.equal(guessLayout(keys({}), ['ja']), 'us'); // a Japanese person at an American keyboard
  assert.equal(guessLayout(keys({ BracketLeft: '@', Quote: ':' }), ['en']), 'ja');
  assert.equal(guessLayout(keys({ KeyY: 'z', BracketLeft: 'ü' }), ['en']), 'de');
  assert.equal(guessLayout(keys({ KeyY: 'z', BracketLeft: 'ü', Minus: "'" }), ['de']), 'de-ch');
  assert.equal(guessLayout(keys({ KeyQ: 'a', Semicolon: 'm' }), ['en']), 'fr');
  assert.equal(guessLayout(null, ['ja', 'en']), 'ja');
  assert.equal(guessLayout(null, ['de-DE']), 'de');
  assert.equal(guessLayout(null, ['en-GB']), 'gb');
  assert.equal(guessLayout(null, ['xx']), 'us');
  assert.equal(guessLayout(new Map(), []), 'us');
});

test('layouts: each has its numbers', () => {
  for (const { id } of LAYOUTS) assert.ok(layoutNumbers(id).layout > 0x400, id);
  assert.deepEqual(layoutNumbers('ja'), { layout: 0x411, type: 7, subtype: 2 });
  assert.equal(layoutNumbers('auto'), null);
});

test('characters: every printable one of ASCII has its key on these layouts', () => {
  for (const layout of ['us', 'ja']) {
    for (let code = 0x20; code < 0x7f; code++) assert.ok(keyFor(String.fromCharCode(code), layout), String.fromCharCode(code));
  }
  assert.deepEqual(keyFor('@', 'ja'), { code: scancode('BracketLeft'), shift: false });
  assert.deepEqual(keyFor('Y', 'de'), { code: scancode('KeyZ'), shift: true });
  assert.equal(keyFor('あ', 'ja'), null);
  assert.equal(keyFor('a', 'fr'), null);
});

test('the wheel: a notch is a step, small movements add up, large ones are bounded', () => {
  const wheel = new Wheel();
  assert.deepEqual([53, 100, 120, -120, 240].map((pixels) => wheel.steps('y', pixels)), [1, 1, 1, -1, 2]);
  assert.deepEqual([20, 20, 20, 20, 20, 20].map((pixels) => wheel.steps('y', pixels)), [0, 0, 1, 0, 0, 1]);
  assert.deepEqual([30, -40, -25, -25].map((pixels) => wheel.steps('x', pixels)), [0, 0, 0, -1]);
  assert.equal(wheel.steps('x', -100_000), -3);
  assert.equal(wheel.steps('y', 0), 0);
});

// ---- sizes and places ----

test('the size to ask for', () => {
  assert.deepEqual(wantedSize({ width: 1203, height: 757 }, 1, false), { width: 1200, height: 756, scale: 100 });
  assert.deepEqual(wantedSize({ width: 1203, height: 757 }, 2, false), { width: 1200, height: 756, scale: 100 });
  assert.deepEqual(wantedSize({ width: 1203, height: 757 }, 2, true), { width: 2404, height: 1514, scale: 200 });
  assert.deepEqual(wantedSize({ width: 360, height: 500 }, 3, false), { width: 640, height: 500, scale: 100 });
  assert.deepEqual(wantedSize({ width: 9000, height: 90000 }, 1, false), { width: 8192, height: 8192, scale: 100 });
});

test('where the picture goes', () => {
  const stage = { width: 1000, height: 500 };
  const picture = { width: 1000, height: 1000 };
  assert.deepEqual(place(stage, picture, 'fit'), { width: 500, height: 500, left: 250, top: 0 });
  assert.deepEqual(place(stage, picture, 'fill'), { width: 1000, height: 500, left: 0, top: 0 });
  assert.deepEqual(place(stage, picture, 'real'), { width: 1000, height: 1000, left: 0, top: 0 });
  assert.deepEqual(place(stage, picture, 'real', 0.5), { width: 500, height: 500, left: 250, top: 0 });
  // Rounded down to what RDP allows: shown as it is.
  assert.deepEqual(place({ width: 1003, height: 501 }, { width: 1000, height: 500 }, 'fit'),
    { width: 1000, height: 500, left: 1, top: 0 });
});

test('the pixel under a point', () => {
  const box = { left: 10, top: 20, width: 500, height: 250 };
  const picture = { width: 1000, height: 500 };
  assert.deepEqual(pixelAt({ x: 10, y: 20 }, box, picture), { x: 0, y: 0 });
  assert.deepEqual(pixelAt({ x: 260, y: 145 }, box, picture), { x: 500, y: 250 });
  assert.deepEqual(pixelAt({ x: 510, y: 270 }, box, picture), { x: 999, y: 499 });
  assert.deepEqual(pixelAt({ x: -5, y: 9999 }, box, picture), { x: 0, y: 499 });
});

test('quality by the median', () => {
  assert.equal(grade([10, 20, 900]), 'good');
  assert.equal(grade([10, 200, 900]), 'fair');
  assert.equal(grade([400]), 'poor');
});

// ---- words ----

const own = sources('viewer.html', 'viewer/');
const quoted = own.flatMap(([, text]) => [...text.matchAll(/'([a-z-]+)'/g)].map(([, word]) => word));
const reasons = [...new Set(quoted)].filter((word) => `viewer.trouble.${word}` in english);
const put = {
  'viewer.keys.*': ['cad', 'win', 'alttab', 'taskman', 'altf4', 'escape', 'winl', 'wind', 'printscreen', 'kanji'],
  'viewer.quality.*': ['good', 'fair', 'poor'],
  'viewer.step.*': ['client', 'ticket', 'waking', ...Object.values(Phase)],
  'viewer.trouble.*': reasons,
  'viewer.trouble.*.do': reasons,
};

test('both languages have the same keys, with words and the same places for values', () => sayTheSame(english, japanese));

test('every key that the viewer asks for is there, and none is there for nothing', () => {
  areThere(english, own);
  arePutTogether(english, own, put);
  areUsed(english, own, put);
});

test('no markup in strings, no inline style or script, which the policy forbids', () => areClean(own));

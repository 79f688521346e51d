// The portal's forms, on paper: what a person's answer leads to.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { paper, soon } from './paper.mjs';
import { fresh, pretend } from './portal_rig.mjs';
import { sources } from './words_kit.mjs';

const { setUp } = await import('/i18n.js');
const { default: en } = await import('/lang/en.js');

/** A page in front of a gateway that is a function: answer(path, body) gives {status, …} or nothing for {}. */
async function portal(t, answer) {
  const { sheet } = paper(t);
  const asked = [];
  pretend(t, 'fetch', async (path, { body }) => {
    const sent = body && JSON.parse(body);
    asked.push({ path, sent });
    const { status = 200, ...said } = await answer(path, sent) ?? {};
    return new Response(JSON.stringify(said), { status });
  });
  await setUp('portal');
  const show = ({ nodes }) => sheet.body.replaceChildren(...nodes.flat(Infinity).filter(Boolean));
  const inputs = (kind) => sheet.querySelectorAll(`input[autocomplete=${kind}]`);
  const press = (name) => [...sheet.root.all()].find((one) => one.tag === 'button' && one.textContent === name).click();
  const alert = () => soon(() => sheet.querySelectorAll('.alert').find((one) => !one.hidden && one.textContent)).then((one) => one.textContent);
  const last = (path) => asked.filter((one) => one.path === path).at(-1)?.sent;
  return { sheet, asked, show, inputs, press, alert, last };
}

/** The whole portal at a fragment, in front of such a gateway; press(name), speak(language). */
async function whole(t, hash, answer) {
  const { sheet, make } = paper(t, { hash });
  pretend(t, 'history', { replaceState() {} });
  pretend(t, 'fetch', async (path) => Response.json(answer(path) ?? {}));
  for (const [tag, props] of [['a', { class: 'skip' }], ['button', { id: 'sign-out' }], ['select', { id: 'language' }], ['nav', {}],
    ['a', { id: 'administer' }], ['p', { id: 'trouble' }], ['main', {}]]) {
    const node = make(tag);
    for (const [name, value] of Object.entries(props)) node.setAttribute(name, value);
    sheet.body.append(node);
  }
  const main = sheet.querySelector('main');
  main.append(make('h1'));
  await fresh('portal/main.js');
  await soon(() => sheet.querySelector('h1').textContent && !main.hasAttribute('aria-busy'));
  const press = (name) => [...main.all()].find((one) => one.tag === 'button' && one.textContent === name).click();
  async function speak(language) {
    const menu = sheet.querySelector('#language');
    const before = sheet.querySelector('h1').textContent;
    menu.value = language;
    menu.dispatchEvent(new Event('change'));
    await soon(() => sheet.querySelector('h1').textContent !== before && sheet.activeElement === menu);
  }
  return { sheet, main, press, speak };
}

const offered = (secret) => ({ username: 'anna', secret, otpauth: `otpauth://totp/gateway:anna?secret=${secret}`, qr: ['10', '01'] });
const key = (sheet) => sheet.querySelector('.key').textContent.replaceAll(' ', '');

test('who took too long at the first sign-in is shown another picture, and what was typed stays', async (t) => {
  const { setupView } = await import('/portal/setup.js');
  const offers = ['AAAABBBB', 'CCCCDDDD'];
  const gone = [{ status: 409, error: 'offer_gone' }];
  const { sheet, show, inputs, press, alert, last } = await portal(t, (path) =>
    (path === '/api/setup' ? offered(offers.shift()) : gone.shift() ?? { recovery_codes: [] }));
  let done = null;
  show(await setupView({ invitation: 'word', done: (answer) => { done = answer; } }));
  for (const one of inputs('new-password')) one.value = 'four words that fit';
  inputs('one-time-code')[0].value = '111111';
  press(en['setup.submit']);
  assert.equal(await alert(), en['error.offer_gone']);
  assert.equal(key(sheet), 'CCCCDDDD');
  assert.deepEqual(sheet.querySelectorAll('a').map((one) => [one.href, one.textContent]),
    [['otpauth://totp/gateway:anna?secret=CCCCDDDD', en['setup.open']]], 'for who reads it on the telephone');
  assert.deepEqual(inputs('one-time-code').map((one) => one.value), ['']);
  inputs('one-time-code')[0].value = '222222';
  press(en['setup.submit']);
  await soon(() => done);
  assert.deepEqual(last('/api/setup/finish'), { invitation: 'word', password: 'four words that fit', code: '222222' });
});

test('… and so is who took too long with a new device', async (t) => {
  const { accountView } = await import('/portal/account.js');
  const offers = ['AAAABBBB', 'CCCCDDDD'];
  const gone = [{ status: 409, error: 'offer_gone' }];
  const { sheet, show, inputs, press, alert, last } = await portal(t, (path) => ({
    '/api/sessions': () => ({ sessions: [] }),
    '/api/session': () => ({ username: 'anna', recovery_codes_left: 9 }),
    '/api/totp': () => offered(offers.shift()),
    '/api/totp/confirm': () => gone.shift() ?? { recovery_codes: [] },
  })[path]());
  let enrolled = null;
  show(await accountView({ enrolled: (answer) => { enrolled = answer; } }));
  inputs('current-password').at(-1).value = 'the present one';
  press(en['account.totpSubmit']);
  await soon(() => sheet.querySelector('.key'));
  inputs('one-time-code').at(-1).value = '111111';
  press(en['account.totpConfirm']);
  assert.equal(await alert(), en['error.offer_gone']);
  assert.equal(key(sheet), 'CCCCDDDD');
  assert.deepEqual(last('/api/totp'), { password: 'the present one' });
  inputs('one-time-code').at(-1).value = '222222';
  press(en['account.totpConfirm']);
  await soon(() => enrolled);
  assert.deepEqual(last('/api/totp/confirm'), { code: '222222' });
});

/** The forced change, in front of a gateway that vouches for some seconds and takes no change without a code. */
async function forced(t, vouched) {
  const { changeView } = await import('/portal/change.js');
  const page = await portal(t, (path, sent) => {
    if (path === '/api/session') return { username: 'anna', vouched_seconds: vouched, factor: '2020-01-01T00:00:00Z' };
    return sent.code ? {} : { status: 403, error: 'wrong_code' };
  });
  let done = false;
  page.show(await changeView({ done: async () => { done = true; } }));
  page.inputs('current-password')[0].value = 'the old one';
  for (const one of page.inputs('new-password')) one.value = 'four words that fit';
  return { ...page, over: () => soon(() => done) };
}

test('a change that is due and took too long asks for one more code', async (t) => {
  const { inputs, press, alert, last, over } = await forced(t, 290); // the gateway's time, not this machine's
  assert.deepEqual(inputs('one-time-code'), []);
  press(en['account.passwordSubmit']);
  assert.equal(await alert(), en['error.code_wanted']);
  assert.equal(inputs('one-time-code').length, 1);
  inputs('one-time-code')[0].value = '123456';
  press(en['account.passwordSubmit']);
  await over();
  assert.deepEqual(last('/api/password'), { password: 'the old one', new_password: 'four words that fit', code: '123456' });
});

test('… without a wrong guess, where the page knows that the time is over', async (t) => {
  t.mock.timers.enable({ apis: ['Date'] });
  const { inputs, press, alert, last } = await forced(t, 290);
  t.mock.timers.tick(291_000);
  press(en['account.passwordSubmit']);
  assert.equal(await alert(), en['error.code_wanted']);
  assert.equal(inputs('one-time-code').length, 1);
  assert.equal(last('/api/password'), undefined);
});

test('… and at once, when nearly nothing of it is left', async (t) => {
  const { inputs } = await forced(t, 5);
  assert.equal(inputs('one-time-code').length, 1);
});

const TYPED = [['１２３４５６', '123456'], [' 123 456\t', '123456'], ['123-456', '123456'], ['\u00a0123456\u3000', '123456'],
  ['ABCD-efgh-JKMN-pqrs', 'ABCDefghJKMNpqrs'], ['ａｂｃｄ－ｅｆｇｈ', 'abcdefgh'], ['1. abcd', '1abcd'], ['', '']];

test('a code is taken as it was meant, however it was typed', async () => {
  const { plainCode } = await import('/parts/code.js');
  for (const [typed, meant] of TYPED) assert.equal(plainCode(typed), meant, JSON.stringify(typed));
});

test('who signs in with a Japanese keyboard\'s digits sends those of the phone', async (t) => {
  const { signInView } = await import('/portal/sign-in.js');
  const { sheet, show, inputs, press, last } = await portal(t, () => ({ status: 401, error: 'sign_in_refused' }));
  show(signInView({ notice: null, done() {} }));
  inputs('username')[0].value = 'anna';
  inputs('current-password')[0].value = '１ 2';
  inputs('one-time-code')[0].value = '１２３ ４５６';
  press(en['signIn.submit']);
  await soon(() => last('/api/login'));
  assert.deepEqual(last('/api/login'), { username: 'anna', password: '１ 2', code: '123456' }, 'the password is what it is');
  press(en['signIn.useRecovery']);
  inputs('off')[0].value = 'ａｂｃｄ-efgh-jkmn-pqrs';
  await soon(() => !sheet.querySelector('form').hasAttribute('aria-busy'));
  press(en['signIn.submit']);
  await soon(() => last('/api/login').code !== '123456');
  assert.equal(last('/api/login').code, 'abcdefghjkmnpqrs');
});

test('a space that the telephone set behind the name is none of the name, and nothing is corrected', async (t) => {
  const { signInView } = await import('/portal/sign-in.js');
  const { show, inputs, press, last } = await portal(t, () => ({ status: 401, error: 'sign_in_refused' }));
  show(signInView({ notice: null, done() {} }));
  assert.equal(inputs('username')[0].getAttribute('autocorrect'), 'off');
  inputs('username')[0].value = '\u3000anna ';
  inputs('current-password')[0].value = ' blanks count here ';
  inputs('one-time-code')[0].value = '123456';
  press(en['signIn.submit']);
  await soon(() => last('/api/login'));
  assert.deepEqual(last('/api/login'), { username: 'anna', password: ' blanks count here ', code: '123456' });
});

test('each form that has a password says whose it is, for password managers', async (t) => {
  const { setupView } = await import('/portal/setup.js');
  const { accountView } = await import('/portal/account.js');
  const { changeView } = await import('/portal/change.js');
  const { sheet, show } = await portal(t, (path) => ({
    '/api/setup': offered('AAAA'), '/api/sessions': { sessions: [] }, '/api/session': { username: 'anna', vouched_seconds: 300 } })[path]);
  for (const [view, forms] of [[await setupView({ invitation: 'word' }), 1], [await accountView({}), 2], [await changeView({}), 1]]) {
    show(view);
    const all = sheet.querySelectorAll('form');
    assert.equal(all.length, forms, view.title);
    for (const form of all) {
      const name = form.querySelector('input[autocomplete=username]');
      assert.deepEqual([name?.value, name?.hidden], ['anna', true], view.title);
    }
  }
});

test('a file that is handed to the browser is kept for as long as a telephone asks what to do with it', async (t) => {
  const { save } = await import('/parts/save.js');
  const { sheet } = paper(t);
  const clicked = [];
  const revoked = [];
  const { createElement } = sheet;
  sheet.createElement = (tag) => Object.assign(createElement(tag), { click() { clicked.push([this.href, this.download]); } });
  t.mock.method(URL, 'createObjectURL', () => 'blob:it');
  t.mock.method(URL, 'revokeObjectURL', (url) => revoked.push(url));
  t.mock.timers.enable({ apis: ['setTimeout'] });
  save(new Blob(['text']), 'office.rdp');
  assert.deepEqual(clicked, [['blob:it', 'office.rdp']]);
  t.mock.timers.tick(59_000);
  assert.deepEqual(revoked, []);
  t.mock.timers.tick(1_000);
  assert.deepEqual(revoked, ['blob:it']);
  const others = sources('portal/', 'viewer/', 'admin/', 'parts/').filter(([, text]) => text.includes('createObjectURL'));
  assert.deepEqual(others.map(([name]) => name), ['parts/save.js'], 'nobody does it otherwise');
});

/** The list of these desktops, on a page. */
async function list(t, names, { wanted = null } = {}) {
  const { desktopsView } = await import('/portal/desktops.js');
  const leaving = new AbortController();
  t.after(() => leaving.abort());
  const { setTimeout } = globalThis;
  pretend(t, 'setTimeout', (call, ms, ...more) => (ms < 30_000 ? setTimeout(call, ms, ...more) : null)); // no test waits for it
  const page = await portal(t, (path) => ({
    '/api/desktops': { desktops: names.map((name) => ({ name, description: '' })) } })[path]);
  const opened = [];
  page.show(await desktopsView({ signal: leaving.signal, wanted, open: (name) => opened.push(name) }));
  return { ...page, opened };
}

test('an .rdp file has the time in its name, so that it is not taken for the one before', async (t) => {
  const { sheet, press } = await list(t, ['office']);
  t.mock.method(URL, 'createObjectURL', () => 'blob:it');
  t.mock.method(URL, 'revokeObjectURL', () => {});
  const saved = [];
  const { createElement } = sheet;
  sheet.createElement = (tag) => Object.assign(createElement(tag), tag === 'a' ? { click() { saved.push(this.download); } } : {});
  const { fetch } = globalThis;
  pretend(t, 'fetch', async (path, options) => (path === '/api/desktops/office/rdp'
    ? new Response('text', { headers: { 'Content-Disposition': 'attachment; filename="office.rdp"' } }) : fetch(path, options)));
  t.mock.timers.enable({ apis: ['Date'], now: new Date(2026, 2, 1, 9, 5, 7) });
  press(en['desktops.rdp']);
  await soon(() => saved.length);
  assert.deepEqual(saved, ['office-090507.rdp']);
  await soon(() => sheet.querySelector('.notice').textContent);
  assert.equal(sheet.querySelector('.notice').textContent, en['desktops.rdpDone'].replace('{name}', 'office-090507.rdp'));
});

test('a desktop that the address asks for is opened when it is on the list, by the name that it has there', async (t) => {
  for (const [wanted, opened] of [[null, []], ['OFFICE', ['Office']], ['//example.org', []], ['', []], ['lab', []]]) {
    const { sheet, opened: found } = await list(t, ['Office', 'studio'], { wanted });
    assert.deepEqual(found, opened, wanted);
    const said = sheet.querySelector('.notice');
    assert.equal(said.hidden ? '' : said.textContent, wanted === null || opened.length ? '' : en['error.no_desktop'], wanted);
  }
});

test('in another language the codes that are kept are so still, and one may go on', async (t) => {
  const { sheet, main, press, speak } = await whole(t, '#setup=word',
    (path) => (path === '/api/setup' ? offered('AAAA') : { username: 'anna', recovery_codes: ['one', 'two'] }));
  press(en['setup.submit']);
  const box = await soon(() => sheet.querySelector('#kept'));
  const on = () => main.querySelectorAll('button').find((one) => one.getAttribute('class') === 'main');
  box.checked = true;
  box.dispatchEvent(new Event('change'));
  assert.equal(on().disabled, false);
  await speak('ja');
  assert.deepEqual([sheet.querySelector('#kept').checked, on().disabled], [true, false]);
  sheet.querySelector('#kept').checked = false;
  sheet.querySelector('#kept').dispatchEvent(new Event('change'));
  await speak('en');
  assert.deepEqual([sheet.querySelector('#kept').checked, on().disabled], [false, true]);
});

test('… and the list is searched as it was', async (t) => {
  const names = Array.from({ length: 12 }, (_, i) => `room-${i}`);
  const { setTimeout } = globalThis;
  pretend(t, 'setTimeout', (call, ms, ...more) => (ms < 30_000 ? setTimeout(call, ms, ...more) : null)); // no test waits for it
  const { sheet, main, speak } = await whole(t, '#desktops', (path) => (path === '/api/desktops' ? { desktops: names.map((name) => ({ name, description: '' })) } : {}));
  const seen = () => main.querySelectorAll('li').filter((one) => !one.hidden).length;
  const search = () => sheet.querySelector('#search');
  search().value = 'room-7';
  search().dispatchEvent(new Event('input'));
  assert.equal(seen(), 1);
  await speak('ja');
  assert.deepEqual([search().value, seen()], ['room-7', 1]);
});

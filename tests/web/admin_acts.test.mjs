// What the administration's pages send and say, without a browser.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { administration, soon } from './paper.mjs';
import { pretend } from './portal_rig.mjs';

const person = (more = {}) => ({ name: 'leaver', role: 'user', disabled: false, groups: [], signed_in_at: null, invited_until: null,
  created_at: '2026-01-01T00:00:00Z', from: null, until: null, tunnels: 0, idle_seconds: 0, absolute_seconds: 0, ...more });
const office = (more = {}) => ({ name: 'office', host: '10.0.0.1', port: 3389, description: '', mac: '', groups: [], forbidden: [], same_credentials: false, ...more });
const grant = { kind: 'user', who: 'leaver', desktop: 'office', desktop_group: false, from: null, until: null, hours: '' };
const saved = (page) => soon(() => /^Saved/.test(page.told().textContent));

// ---- a page that is older than what somebody else has done ----

test('limits of a person: only what was changed on the page is sent', async (t) => {
  const page = await administration(t, '#people/leaver', (method, path) => (path === 'user/list' ? { result: [person({ until: '2027-01-31T00:00:00Z' })] } : null));
  page.field('Connections at once').value = '2';
  page.main.querySelectorAll('form').find((form) => form.contains(page.field('Until'))).dispatchEvent(new Event('submit', { cancelable: true }));
  await saved(page);
  assert.deepEqual(page.changes(), [{ method: 'POST', path: 'user/limit', sent: { words: ['leaver'], options: { tunnels: '2' } } }]);
});

test('a date that is emptied is sent as none', async (t) => {
  const page = await administration(t, '#people/leaver', (method, path) => (path === 'user/list' ? { result: [person({ until: '2027-01-31T00:00:00Z' })] } : null));
  page.field('Until').value = '';
  page.main.querySelectorAll('form').find((form) => form.contains(page.field('Until'))).dispatchEvent(new Event('submit', { cancelable: true }));
  await saved(page);
  assert.deepEqual(page.changes().map(({ sent }) => sent.options), [{ until: 'none' }]);
});

test('a form in which nothing was changed saves nothing, and says so', async (t) => {
  const page = await administration(t, '#people/leaver', (method, path) => (path === 'user/list' ? { result: [person()] } : null));
  page.main.querySelectorAll('form').find((form) => form.contains(page.field('Until'))).dispatchEvent(new Event('submit', { cancelable: true }));
  await soon(() => /Nothing was changed/.test(page.told().textContent));
  assert.deepEqual(page.changes(), []);
});

test('a desktop: of what is forbidden, too, only what was turned on the page is changed', async (t) => {
  let forbidden = [];
  const page = await administration(t, '#desktops/office', (method, path) => ({
    'desktop/show': { result: office({ forbidden }) }, 'desktop/trust': { result: { trust: 'first-use' } } })[path]);
  const submit = () => page.main.querySelectorAll('form').find((form) => form.contains(page.field('Description'))).dispatchEvent(new Event('submit', { cancelable: true }));
  forbidden = ['drives', 'clipboard']; // by somebody else
  page.field('Description').value = 'accounts';
  submit();
  await saved(page);
  assert.deepEqual(page.changes()[0].sent, { words: ['office'], options: { description: 'accounts' } });
  forbidden = ['drives', 'clipboard', 'ports']; // by somebody else, again
  page.box('drives').checked = false;
  page.told().textContent = '';
  submit();
  await saved(page);
  assert.deepEqual(page.changes()[1].sent.options, { forbid: 'ports,clipboard' });
});

test('terms of a grant: only what was changed in the dialog is sent', async (t) => {
  const page = await administration(t, '#grants', (method, path) => (path === 'grant/list' ? { result: [{ ...grant, until: '2027-01-31T00:00:00Z' }] } : null));
  page.button('When: leaver, office').click();
  const dialog = page.sheet.querySelector('dialog');
  const hours = [...dialog.querySelectorAll('input')].at(-1);
  hours.value = 'mon-fri 08:00-18:00';
  dialog.querySelector('form').dispatchEvent(new Event('submit', { cancelable: true }));
  await saved(page);
  assert.deepEqual(page.changes()[0].sent, { words: ['leaver', 'office'], options: { hours: 'mon-fri 08:00-18:00' } });
  assert.equal(page.sheet.querySelector('dialog'), null);
});

// ---- a page that is left open ----

test('who is connected is looked at only while somebody is there, or no session would ever idle out', async (t) => {
  const later = globalThis.setTimeout;
  const again = [];
  let now = Date.now();
  pretend(t, 'setTimeout', (call, ms, ...more) => (ms === 5_000 ? again.push(call) : later(call, ms, ...more)));
  t.mock.method(Date, 'now', () => now);
  const page = await administration(t, '#live', () => null);
  const resting = page.main.querySelector('.notice');
  const looks = async (minutes) => {
    now += minutes * 60_000;
    page.asked.length = 0;
    const count = again.length;
    again.at(-1)();
    await soon(() => again.length > count);
    return page.asked.length > 0;
  };
  await soon(() => again.length > 0);
  assert.ok(await looks(0));
  assert.ok(await looks(4.9));
  assert.ok(!await looks(0.2));
  assert.ok(!resting.hidden, 'and says so');
  page.view.dispatchEvent(new Event('pointermove'));
  assert.ok(await looks(0));
  assert.ok(resting.hidden);
});

// ---- what is said and shown when a page gives way to another ----

const submitOf = (page, label) => page.main.querySelectorAll('form').find((form) => form.contains(page.field(label))).dispatchEvent(new Event('submit', { cancelable: true }));
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

test('the warning about a new desktop stays on its page, until that is left', async (t) => {
  const page = await administration(t, '#desktops', (method, path) => ({ 'desktop/show': { result: office() }, 'desktop/trust': { result: { trust: 'first-use' } },
    'desktop/add': { said: 'added', warning: 'port 22 is that of another service' } })[path]);
  page.field('Name').value = 'office';
  page.field('Host name or address').value = '10.0.0.1';
  submitOf(page, 'Name');
  await soon(() => page.at() === 'office');
  await pause(50);
  assert.equal(page.told().textContent, 'port 22 is that of another service');
  assert.equal(page.told().hidden, false);
  page.location.hash = '#audit';
  await soon(() => page.at() === 'Audit log');
  assert.equal(page.told().hidden, true);
});

test('what the gateway says of a removal is said on the page that follows', async (t) => {
  const page = await administration(t, '#people/leaver', (method, path) => ({ 'user/list': { result: [person()] }, 'user/remove': { said: 'removed leaver' } })[path]);
  page.button('Remove').click();
  page.button('Remove').paper.querySelector('dialog').querySelectorAll('button').find((one) => one.getAttribute('value') === 'yes').click();
  await soon(() => page.at() === 'People');
  await pause(50);
  assert.equal(page.told().textContent, 'removed leaver');
});

const invited = (name) => ({ result: { user: name, link: `https://gateway.example.com/#setup=${name}`, expires_at: '2027-01-01T00:00:00Z' } });
const links = (page) => page.sheet.querySelectorAll('.once code').map((code) => code.textContent.split('=')[1]);

test('the link of an invitation is there although its page was left meanwhile', async (t) => {
  let answers;
  const page = await administration(t, '#people', (method, path) => (path === 'user/invite' ? new Promise((resolve) => { answers = () => resolve(invited('newcomer')); }) : null));
  page.field('User name').value = 'newcomer';
  submitOf(page, 'User name');
  await soon(() => answers);
  page.location.hash = '#audit';
  await soon(() => page.at() === 'Audit log');
  page.asked.length = 0;
  answers();
  await soon(() => links(page).includes('newcomer'));
  await pause(20);
  assert.equal(page.at(), 'Audit log');
  assert.deepEqual(page.asked, [], 'a view that has nothing to do with it is left in peace');
});

test('the link of an invitation is there although the list cannot be had again; another one comes beside it', async (t) => {
  let works = true;
  const page = await administration(t, '#people', (method, path, sent) => {
    if (path === 'user/invite') return invited(sent.words[0]);
    return works ? null : { status: 500, error: 'failed', message: '' };
  });
  for (const name of ['first', 'second']) {
    page.field('User name').value = name;
    submitOf(page, 'User name');
    await soon(() => links(page).includes(name));
    await soon(() => !page.main.hasAttribute('aria-busy'));
    await pause(20);
  }
  works = false;
  page.field('User name').value = 'third';
  submitOf(page, 'User name');
  await soon(() => page.button('Try again'));
  assert.deepEqual(links(page), ['first', 'second', 'third']);
  works = true;
  page.location.hash = '#groups';
  await soon(() => page.at() === 'Groups');
  assert.deepEqual(links(page), [], 'it was shown once');
});

/** The administration, of anna and bob; holds(path) keeps answers back from then on, and gives a function that lets them go. */
async function annaAndBob(t) {
  const held = {};
  const page = await administration(t, '#people/anna', async (method, path) => {
    await held[path];
    return { 'user/list': { result: ['anna', 'bob'].map((name) => person({ name })) }, 'group/list': { result: [{ name: 'staff' }] } }[path] ?? (method === 'POST' ? { said: path } : null);
  });
  const holds = (path) => {
    let goOn;
    held[path] = new Promise((resolve) => { goOn = resolve; });
    return goOn;
  };
  const times = (path) => page.asked.filter((one) => one.path === path).length;
  return { ...page, holds, times };
}

test('what was typed for one person does not come to another, who is shown again meanwhile', async (t) => {
  const page = await annaAndBob(t);
  const acts = page.holds('lockout/clear');
  page.button('Clear lockout').click();
  page.location.hash = '#people/bob';
  await soon(() => page.at() === 'bob');
  page.field('Connections at once').value = '5';
  const lists = page.holds('user/list');
  const before = page.times('user/list');
  page.location.hash = '#people/anna';
  await soon(() => page.times('user/list') === before + 1);
  acts();
  await soon(() => page.times('user/list') === before + 2);
  lists();
  await soon(() => page.at() === 'anna' && page.told().textContent === 'lockout/clear');
  assert.equal(page.field('Connections at once').value, '');
});

test('what was sent does not come back as typed when two acts have the view shown again at the same time', async (t) => {
  const page = await annaAndBob(t);
  page.field('Group').value = 'staff';
  page.field('Until').value = '2027-01-31';
  const first = page.holds('user/list');
  submitOf(page, 'Group');
  await soon(() => page.times('user/list') === 2);
  const second = page.holds('user/list');
  page.button('Clear lockout').click();
  await soon(() => page.times('user/list') === 3);
  first();
  await pause(20);
  second();
  await soon(() => page.told().textContent && !page.main.hasAttribute('aria-busy'));
  assert.equal(page.field('Group').value, '');
  assert.equal(page.field('Until').value, '2027-01-31');
});

// ---- a long list ----

test('after an act in a long list its search, its order and the place are what they were', async (t) => {
  let rooms = Array.from({ length: 14 }, (_, i) => ({ ...grant, who: `room-${i}`, desktop: 'office' }));
  const page = await administration(t, '#grants', (method, path, sent) => {
    if (path === 'grant/list') return { result: rooms };
    if (path !== 'grant/remove') return null;
    rooms = rooms.filter(({ who }) => who !== sent.words[0]);
    return { said: 'removed' };
  });
  const search = () => page.main.querySelector('input[type=search]');
  const rows = () => page.main.querySelectorAll('tbody tr').map((row) => row.children[0].textContent);
  search().value = 'Room-1';
  search().dispatchEvent(new Event('input'));
  page.button('Who').click();
  page.button('Who').click();
  assert.deepEqual(rows(), ['room-13', 'room-12', 'room-11', 'room-10', 'room-1']);
  page.sheet.scrollingElement.scrollTop = 300;
  page.button('Remove: room-12, office').click();
  page.sheet.querySelector('dialog').querySelectorAll('button').find((one) => one.getAttribute('value') === 'yes').click();
  await soon(() => page.told().textContent === 'removed');
  assert.deepEqual(rows(), ['room-13', 'room-11', 'room-10', 'room-1']);
  assert.equal(search().value, 'Room-1');
  assert.equal(page.sheet.activeElement, search());
  assert.equal(page.sheet.scrollingElement.scrollTop, 300);
  page.location.hash = '#groups';
  await soon(() => page.at() === 'Groups');
  page.location.hash = '#grants';
  await soon(() => page.at() === 'Grants' && rows().length === 13);
  assert.equal(search().value, '', 'another visit begins anew');
});

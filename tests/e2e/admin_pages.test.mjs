// Administration in the browser, as an administrator works: real pages, real gateway, real Chromium.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { axe, chromium, person, signIn } from './lib/browser.mjs';
import { Gateway } from './lib/gateway.mjs';
import { echoServer } from './lib/servers.mjs';
import { until } from './lib/wait.mjs';
import { RawSocket } from './lib/wire.mjs';

const VIEWS = ['people', 'people/anna', 'groups', 'groups/staff', 'desktops', 'desktops/office', 'rooms', 'rooms/lab', 'grants',
  'live', 'lockouts', 'addresses', 'explain', 'audit', 'alerts', 'settings'];
const EVIL = '<img src=x onerror=globalThis.owned=1>\u202e evil';

let gateway, echo, browser, anna, token;

before(async () => {
  gateway = await Gateway.make();
  echo = await echoServer();
  anna = gateway.addUser('anna');
  gateway.cli('user', 'role', 'anna', 'administrator');
  gateway.addUser('berta');
  gateway.addDesktop('office', echo.port);
  gateway.cli('desktop', 'set', 'office', '--description', EVIL);
  gateway.grant('anna', 'office');
  gateway.grant('berta', 'office');
  for (const args of [['group', 'add', 'staff'], ['group', 'join', 'staff', 'berta'], ['desktop-group', 'add', 'lab'],
    ['desktop-group', 'join', 'lab', 'office'], ['grant', 'add', '--group', 'staff', '--desktop-group', 'lab'], ['address', 'deny', '10.0.0.0/8']]) gateway.cli(...args);
  token = await anna.token();
  browser = await chromium();
});
after(async () => {
  await browser?.close();
  await echo?.close();
  await gateway?.remove();
});

// One session of anna's for all: codes are few.
async function administrator(look = {}) {
  const made = await person(browser, look);
  await made.context.addCookies([{ name: '__Host-deskgate', value: token, url: `https://localhost:${gateway.port}`, secure: true, httpOnly: true, sameSite: 'Strict' }]);
  return made;
}

async function view(page, name) {
  await page.goto('about:blank'); // so that the fragment alone never decides
  await page.goto(`https://localhost:${gateway.port}/admin#${name}`);
  await page.waitForFunction(() => !document.querySelector('main').hasAttribute('aria-busy') && document.querySelector('h1').textContent !== 'deskgate');
}

const field = (page, label) => page.getByLabel(label, { exact: true });
// What the page says of what was done; it is taken away, so that nobody takes it for an answer to the next act.
const told = (page, source) => page.waitForFunction((words) => {
  const said = document.querySelector('#told');
  const found = new RegExp(words).test(said.textContent);
  if (found) said.textContent = '';
  return found;
}, source);
async function confirmed(page, button) {
  await button.click();
  await page.locator('dialog[open] button[value=yes]').click();
}

test('the way there: for administrators a link in the portal, for others none and a clear word', async () => {
  const carla = gateway.addUser('carla');
  const { context, page } = await person(browser);
  await signIn(page, gateway, carla);
  await page.waitForLoadState('networkidle');
  assert.equal(await page.locator('#administer').isVisible(), false);
  await page.goto(`https://localhost:${gateway.port}/admin`);
  await page.waitForSelector('#trouble:not([hidden])');
  assert.match(await page.textContent('#trouble'), /administrators of the gateway only/);
  await context.close();
  const mine = await administrator();
  await mine.page.goto(`https://localhost:${gateway.port}/`);
  await mine.page.waitForSelector('#administer:not([hidden])');
  await mine.page.click('#administer');
  await mine.page.waitForSelector('table');
  assert.equal(await mine.page.textContent('h1'), 'People');
  await mine.context.close();
});

test('nobody signed in is led to the sign-in', async () => {
  const { context, page } = await person(browser);
  await page.goto(`https://localhost:${gateway.port}/admin#audit`);
  await page.waitForSelector('input[autocomplete=username]');
  await context.close();
});

test('a person is invited, put into a group, limited, disabled and removed', async () => {
  const { context, page, noise } = await administrator();
  await view(page, 'people');
  await field(page, 'User name').fill('newcomer');
  await page.keyboard.press('Enter');
  await page.waitForSelector('.once');
  const link = await page.textContent('.once code');
  assert.match(link, new RegExp(`^https://localhost:${gateway.port}/#setup=[\\w-]{43}$`));
  await page.click('.once button');
  await until(() => 'it is copied', async () => await page.evaluate(() => navigator.clipboard.readText()) === link);
  await page.getByRole('link', { name: 'newcomer' }).waitFor();
  await field(page, 'User name').fill('no name');
  await page.keyboard.press('Enter');
  await page.waitForSelector('main .alert:not([hidden])');
  assert.match(await page.textContent('main .alert:not([hidden])'), /cannot name a user/, 'in the command line\'s words');

  await field(page, 'User name').fill('Berta');
  await page.keyboard.press('Enter');
  await page.waitForSelector('dialog[open]');
  assert.match(await page.textContent('dialog'), /berta is there already/);
  await page.locator('dialog[open] button[value=no]').click();
  assert.equal(gateway.json('user', 'list').find((one) => one.name === 'berta').invited_until, null);

  await page.getByRole('link', { name: 'newcomer' }).click();
  await page.waitForFunction(() => document.querySelector('h1').textContent === 'newcomer');
  assert.equal(await page.locator('.once').count(), 0, 'the link was shown once');
  await field(page, 'Group').fill('staff');
  await page.keyboard.press('Enter');
  await told(page, 'now in group staff');
  await field(page, 'Connections at once').fill('2');
  await field(page, 'Idle time').fill('15m');
  await field(page, 'Until').fill('2030-01-31');
  await page.locator('form', { hasText: 'Connections at once' }).locator('button[type=submit]').click();
  await told(page, '^Saved');
  const limits = gateway.json('user', 'limit', 'newcomer');
  assert.deepEqual([limits.tunnels, limits.idle_seconds, limits.until.slice(0, 4)], [2, 900, '2030']);
  await field(page, 'Idle time').fill('soon');
  await page.locator('form', { hasText: 'Connections at once' }).locator('button[type=submit]').click();
  await page.waitForSelector('main .alert:not([hidden])');
  assert.match(await page.textContent('main .alert:not([hidden])'), /give a time such as/);

  await field(page, 'Idle time').fill('20m');
  await field(page, 'Connections at once').fill('');
  await page.getByRole('button', { name: 'Take out: staff' }).click();
  await told(page, 'no longer in group staff');
  await field(page, 'Group').fill('staff');
  await page.keyboard.press('Enter');
  await told(page, 'now in group staff');
  assert.equal(await field(page, 'Group').count(), 0, 'there is no other group to join');
  assert.deepEqual([await field(page, 'Idle time').inputValue(), await field(page, 'Connections at once').inputValue()], ['20m', ''],
    'what was typed in another form is still there');
  await page.locator('form', { hasText: 'Connections at once' }).locator('button[type=submit]').click();
  await told(page, '^Saved');
  const typed = gateway.json('user', 'limit', 'newcomer');
  assert.deepEqual([typed.tunnels, typed.idle_seconds], [0, 1200]);

  await confirmed(page, page.getByRole('button', { name: 'Disable' }));
  await told(page, 'disabled');
  await page.getByRole('button', { name: 'Enable' }).waitFor();
  await page.getByRole('button', { name: 'Remove', exact: true }).click();
  await page.locator('dialog[open] button[value=no]').click();
  assert.ok(gateway.json('user', 'list').some((one) => one.name === 'newcomer'), 'no means no');
  await confirmed(page, page.getByRole('button', { name: 'Remove', exact: true }));
  await page.waitForFunction(() => document.querySelector('h1').textContent === 'People');
  assert.ok(!gateway.json('user', 'list').some((one) => one.name === 'newcomer'));
  assert.ok(gateway.audit('--event', 'user-remove').some((row) => row.by === 'web:anna'));
  assert.deepEqual(noise, []);
  await context.close();
});

test('a desktop, a grant with hours, and what explain says of it', async () => {
  const { context, page } = await administrator();
  await view(page, 'desktops');
  await field(page, 'Name').fill('studio');
  await field(page, 'Host name or address').fill('10.9.8.7');
  await field(page, 'MAC, to wake it').fill('aa:bb:cc:dd:ee:ff');
  await page.keyboard.press('Enter');
  await page.waitForFunction(() => document.querySelector('h1').textContent === 'studio');
  await page.getByLabel('the clipboard').check();
  await field(page, 'Description').fill(EVIL);
  await page.getByRole('button', { name: 'Save' }).first().click();
  await told(page, '.');
  const made = gateway.json('desktop', 'show', 'studio');
  assert.deepEqual([made.host, made.mac, made.forbidden, made.description], ['10.9.8.7', 'aa:bb:cc:dd:ee:ff', ['clipboard'], EVIL]);
  await field(page, 'Second factor not older than').fill('5m');
  await page.locator('form', { hasText: 'Second factor not older' }).locator('button[type=submit]').click();
  await told(page, '^Saved');
  assert.equal(gateway.json('desktop', 'limit', 'studio').step_up_seconds, 300);

  await view(page, 'grants');
  await field(page, 'Person').fill('berta');
  await field(page, 'Desktop').fill('studio');
  await page.getByRole('button', { name: 'Grant', exact: true }).click();
  await told(page, 'berta may now reach studio');
  await page.getByRole('button', { name: 'When: berta, studio' }).click();
  await field(page, 'Hours').fill('mon 08:00-09:00');
  await page.locator('dialog[open] button[type=submit]').first().click();
  await page.waitForFunction(() => !document.querySelector('dialog') && /mon 08:00/.test(document.querySelector('table').textContent));

  await view(page, 'explain');
  await field(page, 'Person').fill('berta');
  await field(page, 'Desktop').fill('studio');
  await field(page, 'At').fill('2030-01-06T12:00');
  await page.getByRole('button', { name: 'Ask' }).click();
  await page.waitForSelector('.verdict');
  assert.equal(await page.textContent('.verdict'), 'Refused');
  assert.match(await page.textContent('main'), /other hours/);
  await view(page, 'grants');
  await confirmed(page, page.getByRole('button', { name: 'Remove: berta, studio' }));
  await told(page, 'no longer reach studio');
  await context.close();
});

test('what lives is seen and ended; lockouts are cleared; the audit log tells it all', async () => {
  const wire = await gateway.wire();
  const berta = await gateway.addUser('dora');
  gateway.grant('dora', 'office');
  const { ws } = await RawSocket.open(wire, '/tunnel/office', { Host: `localhost:${gateway.port}`, Authorization: `Bearer ${await berta.token()}` });
  for (let i = 0; i < 6; i++) await gateway.login({ username: 'berta', password: 'not that one', code: '000000' });
  const { context, page } = await administrator();
  await view(page, 'live');
  const end = page.getByRole('button', { name: 'End: dora, office' });
  await confirmed(page, end);
  await ws.closed();
  wire.end();
  await until(() => 'the page sees it by itself', async () => await end.count() === 0);

  await view(page, 'lockouts');
  await page.getByRole('button', { name: 'Clear lockout: berta' }).first().click();
  await told(page, 'next try is free');
  assert.ok(!gateway.json('lockout', 'list', '--all').some((row) => row.who === 'berta'));

  await view(page, 'audit');
  await field(page, 'Event').fill('tunnel-end');
  await page.getByRole('button', { name: 'Filter' }).click();
  await page.waitForFunction(() => document.querySelectorAll('tbody tr').length === 1);
  assert.match(await page.textContent('tbody'), /web:anna/);
  await field(page, 'Event').fill('no-such-event');
  await page.getByRole('button', { name: 'Filter' }).click();
  await page.waitForFunction(() => /Nothing of the kind/.test(document.querySelector('main').textContent));
  await page.getByRole('button', { name: 'Is it whole?' }).click();
  await page.waitForSelector('main .notice');
  assert.match(await page.textContent('main .notice'), /^Whole: \d+ rows/);
  await context.close();
});

test('a factor that is stale: a code is asked for, and what was begun goes on', async () => {
  const { context, page } = await administrator();
  await view(page, 'addresses');
  gateway.sql('UPDATE sessions SET factor_at = factor_at - 901');
  await field(page, 'Network or address').fill('203.0.113.0/24');
  await page.keyboard.press('Enter');
  await page.waitForSelector('dialog[open] input[autocomplete=one-time-code]');
  await page.fill('dialog[open] input[autocomplete=one-time-code]', await anna.codes.next());
  await page.keyboard.press('Enter');
  await told(page, '.');
  assert.ok(gateway.json('address', 'list').some((row) => row.network === '203.0.113.0/24'));
  await context.close();
});

test('several questions that want a fresh factor ask once; without a code the page has a way on', async () => {
  const { context, page } = await administrator();
  await view(page, 'people');
  gateway.sql('UPDATE sessions SET factor_at = factor_at - 901');
  await page.goto(`https://localhost:${gateway.port}/admin#people/anna`);
  await page.waitForSelector('dialog[open]');
  assert.equal(await page.locator('dialog').count(), 1);
  await page.locator('dialog[open] form[method=dialog] button').click();
  await page.waitForSelector('#trouble:not([hidden])');
  await page.getByRole('button', { name: 'Try again' }).click();
  await page.fill('dialog[open] input[autocomplete=one-time-code]', await anna.codes.next());
  await page.keyboard.press('Enter');
  await page.waitForFunction(() => document.querySelector('h1').textContent === 'anna');
  await page.goto(`https://localhost:${gateway.port}/admin#people/%`);
  await page.waitForFunction(() => /nothing of this name/.test(document.querySelector('main').textContent));
  await context.close();
});

test('words that are meant to do harm stay words', async () => {
  const { context, page } = await administrator();
  for (const name of ['desktops', 'desktops/office', `people/${encodeURIComponent(EVIL)}`]) await view(page, name);
  assert.equal(await page.evaluate(() => globalThis.owned), undefined);
  await view(page, 'desktops');
  assert.match(await page.textContent('table'), /<img src=x/);
  await context.close();
});

for (const look of [{ lang: 'en-US', scheme: 'light' }, { lang: 'ja-JP', scheme: 'dark' }]) {
  test(`every view, ${look.lang}, ${look.scheme}: axe finds nothing, words for all, no sideways scrolling on a phone`, async () => {
    const { context, page, noise } = await administrator(look);
    for (const name of VIEWS) {
      await page.setViewportSize({ width: 1280, height: 800 });
      await view(page, name);
      assert.deepEqual(await axe(page), [], name);
      assert.doesNotMatch(await page.innerText('body'), /\badmin\.[a-z]/, name);
      if (process.env.DESKGATE_SHOTS) await page.screenshot({ path: join(process.env.DESKGATE_SHOTS, `admin-${name.replace('/', '-')}-${look.lang}.png`), fullPage: true });
      await page.setViewportSize({ width: 320, height: 640 });
      assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${name} at 320 px`);
    }
    assert.deepEqual(noise, []);
    await context.close();
  });
}

test('in forced colours the link of the present view is the one that is marked', async () => {
  const { context, page } = await administrator({ forcedColors: 'active' });
  await view(page, 'groups');
  const [marked, others, canvas] = await page.evaluate(() => {
    const line = (link) => getComputedStyle(link).borderBottomColor;
    const links = [...document.querySelectorAll('#views a')];
    return [links.filter((link) => link.ariaCurrent).map(line), links.filter((link) => !link.ariaCurrent).map(line),
      getComputedStyle(document.body).backgroundColor];
  });
  assert.deepEqual([...new Set(others)], [canvas]);
  assert.notEqual(marked[0], canvas);
  await context.close();
});

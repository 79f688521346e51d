// The portal as people use it, in Chromium: every view, both languages, light and dark, phone and
// desktop, by mouse and by keyboard alone.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { axe, chromium, person, signIn } from './lib/browser.mjs';
import { Gateway, PASSWORD } from './lib/gateway.mjs';
import { until } from './lib/proc.mjs';
import { deadPort, echoServer } from './lib/servers.mjs';
import { Codes } from './lib/totp.mjs';

const LOOKS = [
  { lang: 'en-US', scheme: 'light', width: 1280 },
  { lang: 'ja-JP', scheme: 'dark', width: 1280 },
  { lang: 'en-US', scheme: 'dark', width: 320 },
  { lang: 'ja-JP', scheme: 'light', width: 320 },
];
const NAMES = ['accounts', 'design', 'erp', 'lab', 'office', 'studio', 'warehouse'];

let gateway;
let browser;
let echo;
let url;

before(async () => {
  gateway = await Gateway.make({ conf: { login: { user_failures: 2 } } });
  url = `https://localhost:${gateway.port}/`;
  echo = await echoServer();
  const dead = await deadPort();
  for (const name of NAMES) gateway.addDesktop(name, name === 'erp' ? dead : echo.port);
  gateway.cli('desktop', 'set', 'lab', '--description', 'Room 7, 東京');
  browser = await chromium();
});
after(async () => {
  await browser?.close();
  await gateway?.remove();
  await echo?.close();
});

function newcomer(name) {
  const user = gateway.addUser(name);
  for (const desktop of NAMES) gateway.grant(user, desktop);
  return user;
}

// Nothing to scroll sideways, nothing serious for axe.
async function judge(page, what) {
  assert.deepEqual(await axe(page), [], what);
  const wide = await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');
  assert.ok(wide <= 0, `${what}: ${wide} pixels too wide`);
}

const alertOf = async (page) => {
  await page.waitForSelector('.alert:not([hidden])');
  return page.textContent('.alert:not([hidden])');
};

test('an invited person sets up password and second factor, and keeps recovery codes', async () => {
  const { link, invitation } = gateway.json('user', 'invite', 'newcomer');
  assert.ok(link.endsWith(`#setup=${invitation}`));
  const { context, page, noise } = await person(browser);
  await page.goto(`${url}#setup=${invitation}`);
  await page.waitForSelector('.qr');
  assert.ok(!page.url().includes(invitation), 'it leaves the address bar at once');
  assert.match(await page.textContent('h1'), /newcomer/);
  await judge(page, 'first sign-in');
  const codes = new Codes((await page.textContent('.key')).replaceAll(' ', ''));
  const passwords = page.locator('input[autocomplete=new-password]');
  await passwords.nth(0).fill(PASSWORD);
  await passwords.nth(1).fill(`${PASSWORD}!`);
  await page.fill('input[autocomplete=one-time-code]', '000000');
  await page.click('button[type=submit]');
  assert.match(await alertOf(page), /not the same/);
  for (const at of [0, 1]) await passwords.nth(at).fill('short');
  await page.click('button[type=submit]');
  await page.waitForFunction(() => /12/.test(document.querySelector('.alert').textContent));
  for (const at of [0, 1]) await passwords.nth(at).fill(PASSWORD);
  await page.fill('input[autocomplete=one-time-code]', await codes.next());
  await page.click('button[type=submit]');
  await page.waitForSelector('.codes li');
  const kept = await page.locator('.codes li').allTextContents();
  assert.equal(kept.length, 10);
  await judge(page, 'recovery codes');
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Save as a file' }).click()]);
  const saved = readFileSync(await download.path(), 'utf8');
  for (const code of kept) assert.ok(saved.includes(code));
  const on = page.getByRole('button', { name: 'Go on to my desktops' });
  assert.ok(await on.isDisabled());
  await page.check('#kept');
  await on.click();
  await page.waitForSelector('nav:not([hidden])');
  assert.match(await page.textContent('main'), /No desktop has been given to you yet/);
  await page.click('#sign-out');
  await page.waitForSelector('[role=status]');

  // A recovery code in the place of the other.
  await page.fill('input[autocomplete=username]', 'newcomer');
  await page.fill('input[type=password]', PASSWORD);
  await page.getByRole('button', { name: /recovery code/ }).click();
  await page.keyboard.type(kept[0]);
  await page.click('button[type=submit]');
  await page.waitForSelector('nav:not([hidden])');
  assert.deepEqual(noise, []);
  await page.goto(`${url}#setup=${invitation}`);
  assert.match(await alertOf(page), /used already/);
  await context.close();
});

test('the list says what each desktop is doing, and gives each of the three ways', async () => {
  const user = newcomer('lister');
  const { context, page, noise } = await person(browser);
  await signIn(page, gateway, user);
  const card = (name) => page.locator('li.card', { has: page.getByRole('heading', { name, exact: true }) });
  await until(async () => `states: ${await page.locator('.state').allTextContents()}`, async () =>
    (await card('office').textContent()).includes('Reachable') && (await card('erp').textContent()).includes('Remote desktop is off'));
  assert.match(await card('office').textContent(), /Not used yet/);
  const token = await user.token();
  const tunnel = await gateway.tunnel('office', token);
  await page.reload();
  await page.waitForSelector('.cards');
  assert.match(await card('office').textContent(), /In use by you.*Last used now/s);
  tunnel.wire.end();

  await page.fill('#search', '東京');
  assert.deepEqual(await page.locator('li.card:visible h2').allTextContents(), ['lab']);
  await page.fill('#search', 'nothing like it');
  assert.match(await page.textContent('[role=status]'), /No desktop matches/);
  await page.fill('#search', '');

  assert.equal(await card('office').locator('a.button').getAttribute('href'), '/desktop/office');
  const [download] = await Promise.all([page.waitForEvent('download'), card('office').getByRole('button', { name: /\.rdp file/ }).click()]);
  assert.equal(download.suggestedFilename(), 'office.rdp');
  assert.match(readFileSync(await download.path(), 'utf8'), /^gatewayaccesstoken:s:[\w-]{43}\r$/m);
  await card('office').getByRole('button', { name: /command/ }).click();
  await until(() => 'the command is on the clipboard', async () =>
    await page.evaluate('navigator.clipboard.readText()') === `deskgate connect --exec 'xfreerdp /v:{}' https://localhost:${gateway.port} office`);
  assert.deepEqual(noise, []);
  await context.close();
});

test('the account: sessions, password, device, sign out everywhere', async () => {
  const user = newcomer('keeper');
  const elsewhere = await user.token();
  const { context, page, noise } = await person(browser);
  await signIn(page, gateway, user);
  await page.click('a[href="#account"]');
  await page.waitForSelector('#sessions');
  assert.match(await page.textContent('main'), /You have 0 recovery codes left/);
  assert.equal(await page.locator('section[aria-labelledby=sessions] li').count(), 2);
  assert.match(await page.textContent('section[aria-labelledby=sessions]'), /This browser/);

  const password = page.locator('section[aria-labelledby=password]');
  const fresh = 'quite another long sentence';
  await password.locator('input[autocomplete=current-password]').fill('not this one at all');
  for (const at of [0, 1]) await password.locator('input[autocomplete=new-password]').nth(at).fill(fresh);
  await password.locator('input[autocomplete=one-time-code]').fill('000000');
  await password.getByRole('button', { name: 'Change password' }).click();
  assert.match(await alertOf(page), /present password is not right/);
  await password.locator('input[autocomplete=current-password]').fill(PASSWORD);
  await password.locator('input[autocomplete=one-time-code]').fill(await user.codes.next());
  await password.getByRole('button', { name: 'Change password' }).click();
  await page.waitForSelector('.notice[role=status]');
  assert.match(await page.textContent('.notice[role=status]'), /password is changed/);
  assert.equal((await gateway.http('GET', '/api/session', { token: elsewhere })).status, 401);

  const device = page.locator('section[aria-labelledby=device]');
  await device.locator('input[type=password]').fill(fresh);
  await device.getByRole('button', { name: 'Show the QR code' }).click();
  await device.locator('.qr').waitFor();
  const codes = new Codes((await device.locator('.key').textContent()).replaceAll(' ', ''));
  await device.locator('input').fill(await codes.next());
  await device.getByRole('button', { name: 'Confirm the new device' }).click();
  await page.waitForSelector('.codes li');
  await page.check('#kept');
  await page.click('button.main');
  await page.waitForSelector('.cards');

  await page.click('a[href="#account"]');
  await page.waitForSelector('#sessions');
  await page.getByRole('button', { name: 'Sign out everywhere' }).click();
  await page.getByRole('button', { name: 'Cancel' }).click();
  await page.getByRole('button', { name: 'Sign out everywhere' }).click();
  await page.locator('dialog').getByRole('button', { name: 'Sign out everywhere' }).click();
  await page.waitForSelector('[role=status]');
  assert.match(await page.textContent('[role=status]'), /signed out on all devices/);
  assert.deepEqual(noise, []);
  await context.close();
});

test('refusals are told, and too many are counted down', async () => {
  newcomer('guessed');
  const { context, page } = await person(browser);
  await page.goto(url);
  const guess = async () => {
    await page.fill('input[autocomplete=username]', 'guessed');
    await page.fill('input[type=password]', 'not this one at all');
    await page.fill('input[autocomplete=one-time-code]', '000000');
    await page.click('button[type=submit]:not([disabled])');
    return alertOf(page);
  };
  assert.match(await guess(), /is not right/);
  let said = '';
  for (let i = 0; i < 4 && !/Too many/.test(said); i++) said = await guess();
  assert.match(said, /Too many failed attempts.* \d+ s/);
  assert.ok(await page.isDisabled('button[type=submit]'));
  await page.waitForSelector('button[type=submit]:not([disabled])', { timeout: 20_000 });
  await context.close();
});

test('a session that ends in the middle leads to the sign-in, and back to where one was', async () => {
  const user = newcomer('cut-off');
  const { context, page } = await person(browser);
  await signIn(page, gateway, user);
  for (const session of gateway.json('session', 'list').filter((row) => row.user === 'cut-off')) gateway.cli('session', 'end', String(session.id));
  await page.click('a[href="#account"]');
  await page.waitForSelector('input[autocomplete=username]');
  assert.match(await page.textContent('[role=status]'), /Sign in again/);
  await page.fill('input[autocomplete=username]', user.name);
  await page.fill('input[type=password]', user.password);
  await page.fill('input[autocomplete=one-time-code]', await user.codes.next());
  await page.click('button[type=submit]');
  await page.waitForSelector('#sessions');
  await context.close();
});

test('by keyboard alone, with the focus to be seen', async () => {
  const user = newcomer('keyboard');
  const { context, page } = await person(browser);
  await page.goto(url);
  await page.waitForSelector('form');
  // Tab until the element is focused; everything on the way shows its outline.
  const reach = async (selector) => {
    for (let i = 0; i < 40; i++) {
      await page.keyboard.press('Tab');
      if (await page.evaluate((wanted) => document.activeElement.matches(wanted), selector)) break;
    }
    assert.ok(await page.evaluate((wanted) => document.activeElement.matches(wanted), selector), `${selector} is reached`);
    const outline = await page.evaluate(() => [document.activeElement, document.activeElement.parentElement]
      .some((node) => getComputedStyle(node).outlineStyle !== 'none'));
    assert.ok(outline, `${selector}: the focus is seen`);
  };
  for (const [selector, text] of [['input[autocomplete=username]', user.name], ['input[type=password]', user.password], ['input[autocomplete=one-time-code]', await user.codes.next()]]) {
    await reach(selector);
    await page.keyboard.type(text);
  }
  await page.keyboard.press('Enter');
  await page.waitForSelector('.cards');
  assert.equal(await page.evaluate('document.activeElement.tagName'), 'H1', 'the heading of the new view is read out');
  await reach('a[href="/desktop/accounts"]');
  const [tab] = await Promise.all([context.waitForEvent('page'), page.keyboard.press('Enter')]);
  await tab.waitForSelector('#form:not([hidden])');
  await context.close();
});

for (const look of LOOKS) {
  test(`every view in ${look.lang}, ${look.scheme}, ${look.width} pixels wide`, async () => {
    const user = newcomer(`look-${look.lang}-${look.scheme}`);
    const { context, page, noise } = await person(browser, { ...look, reducedMotion: 'reduce' });
    await page.goto(url);
    await page.waitForSelector('form');
    assert.equal(await page.evaluate('document.documentElement.lang'), look.lang.slice(0, 2));
    await judge(page, 'sign-in');
    await signIn(page, gateway, user);
    await page.waitForSelector('.cards');
    await judge(page, 'desktops');
    await page.click('a[href="#account"]');
    await page.waitForSelector('#sessions');
    await judge(page, 'account');
    const other = look.lang.startsWith('en') ? 'ja' : 'en';
    await page.selectOption('#language', other);
    await page.waitForFunction((lang) => document.documentElement.lang === lang, other);
    await page.waitForSelector('#sessions');
    await page.reload();
    await page.waitForSelector('#sessions');
    assert.equal(await page.evaluate('document.documentElement.lang'), other, 'the choice lasts');
    assert.deepEqual(noise, []);
    await context.close();
  });
}

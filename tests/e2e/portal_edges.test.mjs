// What the portal does when things go otherwise: a session that ends in the middle, no network, no
// clipboard, a dead invitation; and that nothing typed is lost on the way.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { axe, chromium, person, signIn } from './lib/browser.mjs';
import { Gateway, PASSWORD } from './lib/gateway.mjs';
import { echoServer } from './lib/servers.mjs';
import { until } from './lib/wait.mjs';

let gateway;
let browser;
let echo;
let url;

before(async () => {
  gateway = await Gateway.make();
  url = `https://localhost:${gateway.port}/`;
  echo = await echoServer();
  gateway.addDesktop('office', echo.port);
  browser = await chromium();
});
after(async () => {
  await browser?.close();
  await gateway?.remove();
  await echo?.close();
});

async function opened(name) {
  const user = gateway.addUser(name);
  gateway.grant(user, 'office');
  const made = await person(browser);
  await signIn(made.page, gateway, user);
  await made.page.waitForSelector('.cards');
  return { user, ...made };
}

async function cut(name, context) {
  for (const session of gateway.json('session', 'list').filter((row) => row.user === name)) {
    gateway.cli('session', 'end', String(session.id));
  }
  const [{ value: token }] = (await context.cookies()).filter((cookie) => cookie.name === '__Host-deskgate');
  await until('the session is over', async () => (await gateway.http('GET', '/api/session', { token })).status === 401);
}

async function account(page) {
  await page.click('a[href="#account"]');
  await page.waitForSelector('#sessions');
}

async function signInShown(page) {
  await page.waitForSelector('input[autocomplete=username]:visible');
  assert.match(await page.textContent('main'), /Sign in again to go on/);
}

test('a copied command is read out as such', async () => {
  const { page } = await opened('one');
  await page.getByRole('button', { name: /command/ }).click();
  assert.deepEqual(await axe(page), []);
});

test('a password that is shown is read out as such', async () => {
  const { page } = await person(browser);
  await page.goto(url);
  await page.waitForSelector('form');
  await page.locator('.box button').click();
  assert.deepEqual(await axe(page), []);
});

test('the skip link stays on the account', async () => {
  const { page } = await opened('threea');
  await account(page);
  await page.focus('.skip');
  await page.keyboard.press('Enter');
  await page.waitForTimeout(600);
  assert.equal(await page.textContent('h1'), 'Your account');
});

test('the skip link at the sign-in loses nothing typed', async () => {
  const { page } = await person(browser);
  await page.goto(url);
  await page.fill('input[autocomplete=username]', 'typed');
  await page.focus('.skip');
  await page.keyboard.press('Enter');
  await page.waitForTimeout(600);
  assert.equal(await page.inputValue('input[autocomplete=username]'), 'typed');
});

test('a session over: .rdp leads to the sign-in', async () => {
  const { page, context } = await opened('foura');
  await cut('foura', context);
  await page.getByRole('button', { name: /\.rdp file/ }).click();
  await signInShown(page);
});

test('a session over: a form of the account leads to the sign-in', async () => {
  const { page, context } = await opened('fourb');
  await account(page);
  await cut('fourb', context);
  const device = page.locator('section[aria-labelledby=device]');
  await device.locator('input[type=password]').fill(PASSWORD);
  await device.locator('button[type=submit]').click();
  await signInShown(page);
});

test('a session over: sign out everywhere leads to the sign-in', async () => {
  const { page, context } = await opened('fourc');
  await account(page);
  await cut('fourc', context);
  await page.getByRole('button', { name: 'Sign out everywhere' }).click();
  await page.locator('dialog').getByRole('button', { name: 'Sign out everywhere' }).click();
  await signInShown(page);
});

test('a bad invitation is no dead end', async () => {
  const { page } = await opened('five');
  await page.goto(`${url}#setup=${'A'.repeat(43)}`);
  await page.waitForSelector('.alert:not([hidden])');
  await page.locator('main button').click();
  await page.waitForSelector('.cards');
});

test('who opens a desktop\'s bookmark signed out is there when signed in', async () => {
  const user = gateway.addUser('eight');
  gateway.grant(user, 'office');
  const { page } = await person(browser);
  await page.goto(`${url}desktop/OFFICE?from=bookmark`);
  await page.click('#card-home');
  await page.fill('input[autocomplete=username]', `${user.name} `);
  await page.fill('input[type=password]', user.password);
  await page.fill('input[autocomplete=one-time-code]', await user.codes.next());
  await page.click('button[type=submit]');
  await page.waitForURL(`${url}desktop/office`);
  await page.waitForSelector('#form:not([hidden])');
  await page.goBack();
  await page.waitForSelector('.cards');
  assert.equal(page.url(), url);
});

test('… and nowhere else: what is not on the list is not gone to', async () => {
  const { page } = await opened('nine');
  for (const to of ['elsewhere', '//example.org', 'https:%2F%2Fexample.org', '..%2F..%2Fadmin', 'javascript:alert(1)', '%zz', 'office%2F..%2F..']) {
    await page.goto(`${url}#open=${to}`);
    await page.reload();
    await page.waitForSelector('.cards');
    if (to !== '%zz') assert.match(await page.textContent('[role=status]'), /may not use this desktop/, to);
    assert.ok(page.url().startsWith(`${url}#`), page.url());
  }
});

test('signing out without a network says so', async () => {
  const { page, context } = await opened('six');
  await context.setOffline(true);
  await page.click('#sign-out');
  await page.waitForSelector('[role=alert]:not([hidden]), [role=status]:not([hidden])');
});

test('a refused clipboard says so', async () => {
  const { page } = await opened('seven');
  await page.evaluate(() => { navigator.clipboard.writeText = () => Promise.reject(new DOMException('', 'NotAllowedError')); });
  await page.getByRole('button', { name: /command/ }).click();
  await page.waitForSelector('[role=status]:not([hidden])');
});

test('another language keeps what was typed', async () => {
  const { page } = await person(browser);
  await page.goto(url);
  await page.fill('input[autocomplete=username]', 'typed');
  await page.selectOption('#language', 'ja');
  await page.waitForTimeout(600);
  assert.equal(await page.inputValue('input[autocomplete=username]'), 'typed');
});

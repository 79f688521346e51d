// A gateway password, from the portal to a real client: what the dialog shows is all that a person
// types.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { axe, chromium, person, signIn } from './lib/browser.mjs';
import { Clients, freerdp } from './lib/clients.mjs';
import { screen } from './lib/desktop.mjs';
import { Gateway } from './lib/gateway.mjs';
import { start, stop } from './lib/proc.mjs';
import { echoServer } from './lib/servers.mjs';
import { until } from './lib/wait.mjs';

let gateway, echo, browser, clients;

before(async () => {
  gateway = await Gateway.make({ conf: { rdg: { passwords: 'yes' } } });
  echo = await echoServer();
  gateway.addDesktop('office', echo.port);
  browser = await chromium();
  clients = new Clients();
});
after(async () => {
  await browser?.close();
  await clients?.stop();
  await echo?.close();
  await gateway?.remove();
});

async function visitor(look) {
  const user = gateway.addUser(look.lang === 'ja-JP' ? 'berta' : 'anna');
  gateway.grant(user, 'office');
  const made = await person(browser, look);
  await signIn(made.page, gateway, user);
  await made.page.waitForSelector('.card');
  return { ...made, user };
}

const shown = (page) => page.locator('dialog dd code').allTextContents();

test('the portal makes one, and a client that takes no file uses it', async (t) => {
  const { context, page, user } = await visitor({});
  const button = page.getByRole('button', { name: 'Make a gateway password for office' });
  await button.click();
  await page.waitForSelector('dialog[open]');
  const [computer, address, name, password] = await shown(page);
  assert.deepEqual([computer, address, name], ['office', `localhost:${gateway.port}`, user.name]);
  assert.match(await page.textContent('dialog'), /within 5 minutes/);
  assert.deepEqual(await axe(page), []);
  await page.keyboard.press('Enter'); // Done has the focus
  await page.waitForSelector('dialog', { state: 'detached' });

  const view = await screen();
  t.after(() => view.stop());
  const client = start(freerdp.command, [`/v:${computer}`, `/g:${address}`, '/gt:http', `/gu:${name}`, `/gp:${password}`, '/cert:ignore', '/u:demo', '/p:demo', '/sec:tls'],
    { env: { DISPLAY: view.display, HOME: clients.folder } });
  t.after(() => stop(client));
  await until(() => `it reaches the desktop: ${client.out}${client.err}`, () => gateway.audit('--event', 'tunnel-open').some((row) => row.user === user.name && row.outcome === 'ok'), { ms: 60_000 });
  await stop(client);

  await button.click(); // each time another one
  await page.waitForSelector('dialog[open]');
  assert.notEqual((await shown(page))[3], password);
  await page.keyboard.press('Escape');
  await context.close();
});

test('… in Japanese, on a phone, in the dark; never twice on the page', async () => {
  const { context, page } = await visitor({ lang: 'ja-JP', scheme: 'dark', width: 320 });
  await page.getByRole('button', { name: 'office のゲートウェイ パスワードを作成' }).click();
  await page.waitForSelector('dialog[open]');
  assert.equal((await shown(page)).length, 4);
  assert.deepEqual(await axe(page), []);
  assert.ok(await page.evaluate('document.documentElement.scrollWidth <= document.documentElement.clientWidth'));
  const box = await page.locator('dialog').boundingBox();
  assert.ok(box.x >= 0 && box.x + box.width <= 320, 'the dialog fits');
  await page.keyboard.press('Escape');
  await page.waitForSelector('dialog', { state: 'detached' });
  await context.close();
});

test('where none are offered there is no button', async () => {
  const house = await Gateway.make();
  try {
    const user = house.addUser('anna');
    house.addDesktop('office', echo.port);
    house.grant(user, 'office');
    const { context, page } = await person(browser, {});
    await signIn(page, house, user);
    await page.waitForSelector('.card');
    assert.equal(await page.getByRole('button', { name: /gateway password/ }).count(), 0);
    const answer = await house.post('/api/desktops/office/password', {}, { token: await user.token() });
    assert.equal(answer.status, 404);
    assert.equal(answer.json.error, 'not_offered');
    await context.close();
  } finally {
    await house.remove();
  }
});

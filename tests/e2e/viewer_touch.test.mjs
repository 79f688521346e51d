// The viewer on a small screen with fingers and a pen, and where the clipboard is forbidden.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { chromium, person } from './lib/browser.mjs';
import { shadowDesktop } from './lib/desktop.mjs';
import { Gateway } from './lib/gateway.mjs';
import { run } from './lib/proc.mjs';
import { until } from './lib/wait.mjs';

const ACCOUNT = { user: 'demo', password: 'demo' };
let gateway, browser, desktop, folder, token;

before(async () => {
  gateway = await Gateway.make();
  browser = await chromium();
  folder = mkdtempSync(join(tmpdir(), 'deskgate-touch-'));
  const hash = ['winpr-hash', 'winpr-hash3'].find((name) => run('sh', ['-c', `command -v ${name}`], { allow: true }).status === 0);
  writeFileSync(join(folder, 'sam'), run(hash, ['-u', ACCOUNT.user, '-p', ACCOUNT.password, '-f', 'sam']).stdout);
  desktop = await shadowDesktop('--sam', join(folder, 'sam'));
  const anna = gateway.addUser('anna');
  for (const name of ['office', 'vault']) {
    gateway.addDesktop(name, desktop.port);
    gateway.grant(anna, name);
  }
  gateway.cli('desktop', 'set', 'vault', '--forbid', 'clipboard');
  token = await anna.token();
});
after(async () => {
  await browser?.close();
  await gateway?.remove();
  await desktop?.stop();
  if (folder) rmSync(folder, { recursive: true, force: true });
});

/** A phone in front of the form of a desktop; script: see addInitScript(). */
async function phone(name, script = () => {}) {
  const { context, page, noise } = await person(browser, { width: 390, height: 700, hasTouch: true });
  await context.addInitScript(script);
  await context.addCookies([{ name: '__Host-deskgate', value: token, url: `https://localhost:${gateway.port}`, secure: true, httpOnly: true, sameSite: 'Strict' }]);
  await page.goto(`https://localhost:${gateway.port}/desktop/${name}`);
  await page.waitForSelector('#form:not([hidden])');
  return { context, page, noise };
}

async function enter(page) {
  await page.fill('#username', ACCOUNT.user);
  await page.fill('#password', ACCOUNT.password);
  await page.click('#form button[type=submit]');
  await page.waitForSelector('#tools:not([hidden])');
}

test('what does not fit is moved to with two fingers; a pen clicks once', async () => {
  const { context, page, noise } = await phone('office');
  const sizes = await page.evaluate(() => [...document.querySelectorAll('input:not([type=checkbox], [type=radio]), textarea, select')]
    .map((field) => parseFloat(getComputedStyle(field).fontSize)));
  assert.ok(Math.min(...sizes) >= 16, `an iPhone magnifies the page for fields below 16 px: ${sizes}`);
  await enter(page);
  await page.click('#ask-no');
  await page.click('button[aria-controls=view-panel]');
  await page.click('input[value=real]');
  await page.click('button[aria-controls=view-panel]');
  const stage = () => page.evaluate(() => (({ scrollLeft, scrollWidth, clientWidth }) => ({ scrollLeft, most: scrollWidth - clientWidth }))(document.querySelector('#stage')));
  assert.ok((await stage()).most > 200, 'the desktop is wider than the phone');
  const cdp = await context.newCDPSession(page);
  const touch = (type, ...points) => cdp.send('Input.dispatchTouchEvent', { type, touchPoints: points.map(([x, y], id) => ({ x, y, id })) });
  await touch('touchStart', [300, 400]);
  await touch('touchStart', [300, 400], [340, 440]);
  for (let way = 10; way <= 150; way += 10) await touch('touchMove', [300 - way, 400], [340 - way, 440]);
  await touch('touchEnd');
  await until(async () => `it has moved; ${JSON.stringify(await stage())}`, async () => (await stage()).scrollLeft >= 140);

  await page.evaluate(() => {
    globalThis.seen = [];
    for (const type of ['pointerdown', 'mousedown', 'pointerup', 'mouseup']) document.querySelector('canvas').addEventListener(type, (event) => globalThis.seen.push(`${type} ${event.pointerType ?? ''}`.trim()));
  });
  const pen = (type, buttons) => cdp.send('Input.dispatchMouseEvent', { type, x: 200, y: 400, button: 'left', buttons, clickCount: 1, pointerType: 'pen' });
  await pen('mousePressed', 1);
  await pen('mouseReleased', 0);
  assert.deepEqual(await page.evaluate('seen'), ['pointerdown pen', 'pointerup pen'], 'the mouse events that a browser makes of a pen do not come as well');
  assert.deepEqual(noise, []);
  await context.close();
});

test('the tools take no room from the picture that its size was not asked for without', async () => {
  for (const name of ['office', 'vault']) {
    const { context, page } = await phone(name, () => {
      globalThis.WebSocket = class extends WebSocket {
        constructor(...parameters) {
          super(...parameters);
          globalThis.asked ??= document.querySelector('#stage').clientHeight; // of which the size is in what is sent next
        }
      };
    });
    await enter(page);
    assert.equal(await page.evaluate(() => document.querySelector('#stage').clientHeight), await page.evaluate('asked'), name);
    await context.close();
  }
});

test('where the clipboard is forbidden the page shares none, and says so', async () => {
  const { context, page, noise } = await phone('vault');
  await enter(page);
  assert.equal(await page.isVisible('#share'), false);
  assert.equal(await page.isVisible('#ask-clipboard'), false);
  await page.click('button[aria-controls=view-panel]');
  assert.match(await page.textContent('#share-not:not([hidden])'), /not allowed/);
  assert.deepEqual(noise, []);
  await context.close();
});

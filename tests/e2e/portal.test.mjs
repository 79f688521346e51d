// The portal as people use it, in Chromium: every view, both languages, light and dark, phone and
// desktop, by mouse and by keyboard alone. In Firefox the shortest way.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { Firefox, axe, chromium, person, signIn } from './lib/browser.mjs';
import { Gateway, PASSWORD } from './lib/gateway.mjs';
import { deadPort, echoServer } from './lib/servers.mjs';
import { Codes } from './lib/totp.mjs';
import { until } from './lib/wait.mjs';

const LOOKS = [
  { lang: 'en-US', scheme: 'light', width: 1280 },
  { lang: 'ja-JP', scheme: 'dark', width: 1280 },
  { lang: 'en-US', scheme: 'dark', width: 320 },
  { lang: 'ja-JP', scheme: 'light', width: 320 },
];
const STATES = ['reachable', 'asleep', 'refused', 'unknown_host', 'forbidden', 'unknown'];
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

// A person, and a close() that judges what the browser reported meanwhile: no error of the page, no
// breach of its policy, and of the refusals only the one that tells a stranger and `refused`.
async function visitor(look = {}, { refused = [] } = {}) {
  const made = await person(browser, look);
  const { context, noise } = made;
  const known = ['401 /api/desktops', ...refused];
  context.on('response', (response) => {
    const what = `${response.status()} ${new URL(response.url()).pathname}`;
    if (response.status() >= 400 && !known.includes(what)) noise.push(what);
  });
  await context.exposeBinding('tellBreach', (_, what) => noise.push(what));
  await context.addInitScript(() => document.addEventListener('securitypolicyviolation',
    (event) => globalThis.tellBreach(`${event.violatedDirective}: ${event.blockedURI}`)));
  const close = async () => {
    assert.deepEqual(noise, []);
    await context.close();
  };
  return { ...made, close };
}

// What a phone reads from the picture; null where Debian's zbarimg is not there.
function scanned(picture) {
  const made = spawnSync('zbarimg', ['--quiet', '--raw', 'png:-'], { input: picture, encoding: 'utf8', timeout: 20_000 });
  return made.error?.code === 'ENOENT' ? null : made.stdout.trimEnd();
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

test('an invited person sets up password and second factor, and keeps recovery codes', async (t) => {
  const { link, invitation } = gateway.json('user', 'invite', 'newcomer');
  assert.ok(link.endsWith(`#setup=${invitation}`));
  const { page, close } = await visitor({}, { refused: ['400 /api/setup/finish', '404 /api/setup'] });
  const [offered] = await Promise.all([page.waitForResponse('**/api/setup'), page.goto(`${url}#setup=${invitation}`)]);
  await page.waitForSelector('.qr');
  const text = scanned(await page.locator('.qr').screenshot());
  if (text === null) t.diagnostic('zbarimg is not there: the QR code is not read back');
  else assert.equal(text, (await offered.json()).otpauth);
  assert.equal(await page.locator('main a').getAttribute('href'), (await offered.json()).otpauth);
  assert.equal(await page.locator('main a').isVisible(), false, 'it is for telephones');
  const cdp = await page.context().newCDPSession(page);
  for (const enabled of [true, false]) {
    await cdp.send('Emulation.setTouchEmulationEnabled', { enabled });
    assert.equal(await page.locator('main a').isVisible(), enabled);
  }
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
  await page.waitForFunction(() => /too short/.test(document.querySelector('.alert').textContent));
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
  await page.goto(`${url}#setup=${invitation}`);
  assert.match(await alertOf(page), /used already/);
  await close();
});

test('the list says what each desktop is doing, and gives each of the three ways', async () => {
  const user = newcomer('lister');
  const { page, close } = await visitor();
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

  assert.ok(await moving(page) > 0, 'who has nothing against it gets motion');

  await page.fill('#search', '東京');
  assert.deepEqual(await page.locator('li.card:visible h2').allTextContents(), ['lab']);
  await page.fill('#search', 'nothing like it');
  assert.match(await page.textContent('[role=status]'), /No desktop matches/);
  await page.fill('#search', '');

  assert.equal(await card('office').locator('a.button').getAttribute('href'), '/desktop/office');
  const [download] = await Promise.all([page.waitForEvent('download'), card('office').getByRole('button', { name: /\.rdp file/ }).click()]);
  assert.match(download.suggestedFilename(), /^office-\d{6}\.rdp$/);
  assert.ok((await page.textContent('[role=status]')).includes(download.suggestedFilename()));
  const file = readFileSync(await download.path(), 'utf8');
  assert.match(file, /^full address:s:office\b/m);
  assert.match(file, new RegExp(`^gatewayhostname:s:localhost:${gateway.port}\r$`, 'm'));
  assert.match(file, /^gatewayaccesstoken:s:[\w-]{43}\r$/m);
  await card('office').getByRole('button', { name: /command/ }).click();
  await until(() => 'the command is on the clipboard', async () =>
    await page.evaluate('navigator.clipboard.readText()') === `deskgate connect --exec 'xfreerdp /v:{}' https://localhost:${gateway.port} office`);
  await close();
});

test('the account: sessions, password, device, sign out everywhere', async () => {
  const user = newcomer('keeper');
  const elsewhere = await user.token();
  const { page, close } = await visitor({}, { refused: ['403 /api/password'] });
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
  await close();
});

test('refusals are told, and too many are counted down', async () => {
  newcomer('guessed');
  const { context, page, close } = await visitor({}, { refused: ['401 /api/login', '429 /api/login'] });
  await page.goto(url);
  await page.waitForSelector('form');
  // All that the alert says from now on, however slow the machine is: {text, off} (is the button?).
  await page.evaluate(() => {
    globalThis.heard = [];
    const alert = document.querySelector('.alert');
    const button = document.querySelector('button[type=submit]');
    new MutationObserver(() => alert.textContent && globalThis.heard.push({ text: alert.textContent, off: button.disabled }))
      .observe(alert, { childList: true, characterData: true, subtree: true });
  });
  const guess = async () => {
    await page.fill('input[autocomplete=username]', 'guessed');
    await page.fill('input[type=password]', 'not this one at all');
    await page.fill('input[autocomplete=one-time-code]', '000000');
    const before = await page.evaluate('heard.length');
    await page.click('button[type=submit]:not([disabled])');
    await page.waitForFunction((had) => globalThis.heard.length > had, before);
    return page.evaluate((had) => globalThis.heard[had].text, before);
  };
  assert.match(await guess(), /is not right/);
  await alertOf(page);
  assert.equal(await page.getAttribute('.alert:not([hidden])', 'role'), 'alert', 'it is read out');
  let said = '';
  for (let i = 0; i < 4 && !/Too many/.test(said); i++) said = await guess();
  assert.match(said, /Too many failed attempts.* \d+ s/);
  await page.waitForSelector('button[type=submit]:not([disabled])');
  const counted = (await page.evaluate('heard')).filter(({ text }) => /Too many/.test(text));
  assert.ok(counted.every(({ off }) => off), 'nothing can be sent meanwhile');
  const seconds = counted.map(({ text }) => Number(/ (\d+) s/.exec(text)[1]));
  assert.deepEqual(seconds, Array.from(seconds, (_, i) => seconds[0] - i), 'down, a second at a time');
  assert.equal(seconds.at(-1), 1);

  await context.setOffline(true);
  assert.match(await guess(), /does not answer/);
  await context.setOffline(false);
  await close();
});

test('a session that ends in the middle leads to the sign-in, and back to where one was', async () => {
  const user = newcomer('cut-off');
  const { page, close } = await visitor({}, { refused: ['401 /api/sessions', '401 /api/session'] });
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
  await close();
});

test('by keyboard alone, with the focus to be seen', async () => {
  const user = newcomer('keyboard');
  const { context, page, close } = await visitor();
  await page.goto(url);
  await page.waitForSelector('form');
  // The focused element, or the box around it, has an outline that others have not.
  const seen = () => page.evaluate(() => [document.activeElement, document.activeElement.closest('.box')]
    .some((node) => node && getComputedStyle(node).outlineStyle !== 'none' && parseFloat(getComputedStyle(node).outlineWidth) >= 2));
  const at = (selector) => page.evaluate((wanted) => document.activeElement.matches(wanted), selector);
  // Tab until the element is focused.
  const reach = async (selector) => {
    for (let i = 0; i < 40; i++) {
      await page.keyboard.press('Tab');
      if (await at('body')) continue; // the end of the page, before it begins anew
      assert.ok(await seen(), `the focus is seen on ${await page.evaluate('document.activeElement.outerHTML')}`);
      if (await at(selector)) return;
    }
    assert.fail(`${selector} is not reached`);
  };
  await reach('input[autocomplete=username]');
  await page.keyboard.type(user.name);
  await reach('input[type=password]');
  await page.keyboard.type(user.password);
  await reach('.box button');
  await page.keyboard.press('Space');
  assert.equal(await page.inputValue('input[autocomplete=current-password][type=text]'), user.password, 'Space shows the password');
  await page.keyboard.press('Space');
  await reach('input[autocomplete=one-time-code]');
  await page.keyboard.type(await user.codes.next());
  await page.keyboard.press('Enter');
  await page.waitForSelector('.cards');
  assert.equal(await page.evaluate('document.activeElement.tagName'), 'H1', 'the heading of the new view is read out');
  await reach('a[href="/desktop/accounts"]');
  const [tab] = await Promise.all([context.waitForEvent('page'), page.keyboard.press('Enter')]);
  await tab.waitForSelector('#form:not([hidden])');
  await tab.close();

  await reach('a[href="#account"]');
  await page.keyboard.press('Enter');
  await page.waitForSelector('#sessions');
  await reach('section[aria-labelledby=sessions] button');
  await page.keyboard.press('Space');
  await page.waitForSelector('dialog[open]');
  await page.keyboard.press('Escape');
  await page.waitForSelector('dialog', { state: 'detached' });
  assert.ok(await at('section[aria-labelledby=sessions] button'), 'the focus is back where it was');
  await reach('#sign-out');
  await page.keyboard.press('Space');
  await page.waitForSelector('input[autocomplete=username]');
  await close();
});

// How bright the page's paper is, from 0 to 255.
const paper = (page) => page.evaluate(() => {
  const [red, green, blue] = getComputedStyle(document.body).backgroundColor.match(/\d+/g).map(Number);
  return (red + green + blue) / 3;
});

// Elements that would move.
const moving = (page) => page.evaluate(() => [...document.querySelectorAll('*')].map((node) => getComputedStyle(node))
  .filter((style) => style.transitionDuration !== '0s' || style.animationName !== 'none').length);

for (const look of LOOKS) {
  const tag = `${look.lang.slice(0, 2)}-${look.scheme}`;

  test(`the first sign-in in ${look.lang}, ${look.scheme}, ${look.width} pixels wide`, async () => {
    const { page, close } = await visitor(look, { refused: ['404 /api/setup'] });
    await page.goto(`${url}#setup=${gateway.json('user', 'invite', `new-${tag}`).invitation}`);
    await page.waitForSelector('.qr');
    await judge(page, 'first sign-in');
    const codes = new Codes((await page.textContent('.key')).replaceAll(' ', ''));
    for (const input of await page.locator('input[autocomplete=new-password]').all()) await input.fill(PASSWORD);
    await page.fill('input[autocomplete=one-time-code]', await codes.next());
    await page.click('button[type=submit]');
    await page.waitForSelector('.codes li');
    await judge(page, 'recovery codes');
    await page.check('#kept');
    await page.click('button.main');
    await page.waitForSelector('nav:not([hidden])');
    await judge(page, 'no desktops yet');
    await page.goto(`${url}#setup=${'A'.repeat(43)}`);
    await alertOf(page);
    await judge(page, 'no such invitation');
    await close();
  });

  test(`every other view in ${look.lang}, ${look.scheme}, ${look.width} pixels wide`, async () => {
    const user = newcomer(`look-${tag}`);
    const { page, close } = await visitor({ ...look, reducedMotion: 'reduce' }, { refused: ['401 /api/login'] });
    // Each state once, to be seen with its colour.
    await page.route('**/api/desktops/*/state', (route) => {
      const name = new URL(route.request().url()).pathname.split('/')[3];
      return route.fulfill({ json: { state: STATES[NAMES.indexOf(name) % STATES.length] } });
    });
    await page.goto(url);
    await page.waitForSelector('form');
    assert.equal(await page.evaluate('document.documentElement.lang'), look.lang.slice(0, 2));
    assert.ok(look.scheme === 'dark' ? await paper(page) < 64 : await paper(page) > 192, `it is ${look.scheme}`);
    assert.equal(await moving(page), 0, 'who wants no motion gets none');
    await judge(page, 'sign-in');
    await page.fill('input[autocomplete=username]', `nobody-${tag}`); // whom nobody has tried before
    await page.fill('input[type=password]', 'not this one at all');
    await page.click('button.link');
    await page.keyboard.type('aaaa-bbbb-cccc-dddd');
    await page.click('button[type=submit]');
    await alertOf(page);
    await judge(page, 'refused');

    await signIn(page, gateway, user);
    await page.waitForSelector('.cards');
    await until('each state is told', async () => {
      const told = await page.locator('.state').evaluateAll((nodes) => nodes.map((node) => node.dataset.state));
      return STATES.every((state) => told.includes(state));
    });
    await page.locator('li.card').first().locator('button').first().click();
    await page.waitForSelector('[role=status]:not([hidden])');
    await judge(page, 'desktops');

    await page.click('a[href="#account"]');
    await page.waitForSelector('#sessions');
    const device = page.locator('section[aria-labelledby=device]');
    await device.locator('input[type=password]').fill(user.password);
    await device.locator('button[type=submit]').click();
    await device.locator('.qr').waitFor();
    await judge(page, 'account');
    assert.equal(await moving(page), 0, 'nor here');
    await page.locator('section[aria-labelledby=sessions] button').click();
    await page.waitForSelector('dialog[open]');
    await judge(page, 'dialog');
    await page.locator('dialog button').first().click();

    const other = look.lang.startsWith('en') ? 'ja' : 'en';
    await page.selectOption('#language', other);
    await page.waitForFunction((lang) => document.documentElement.lang === lang, other);
    await page.waitForSelector('#sessions');
    await page.reload();
    await page.waitForSelector('#sessions');
    assert.equal(await page.evaluate('document.documentElement.lang'), other, 'the choice lasts');
    await close();
  });
}

test('Firefox signs in and shows the list', async () => {
  const user = newcomer('firefox');
  const firefox = await Firefox.launch();
  try {
    await firefox.goto(url);
    await firefox.until(`document.querySelector('input[autocomplete=username]') !== null`);
    await firefox.fill('input[autocomplete=username]', user.name);
    await firefox.fill('input[type=password]', user.password);
    await firefox.fill('input[autocomplete=one-time-code]', await user.codes.next());
    await firefox.click('button[type=submit]');
    await firefox.until(`document.querySelector('.cards') !== null`);
    assert.deepEqual(await firefox.evaluate(`[...document.querySelectorAll('li.card h2')].map((node) => node.textContent)`), NAMES);
    await firefox.until(`document.querySelector('.state[data-state=reachable]') !== null`);
    assert.equal(await firefox.evaluate(`document.activeElement.tagName`), 'H1');
  } finally {
    await firefox.close();
  }
});

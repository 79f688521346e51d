// The desktop in the browser, with nothing installed: real browsers, real desktops. The picture on
// the canvas is the one on the server's display, and what is typed here arrives there.
import assert from 'node:assert/strict';
import { randomBytes, randomInt } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { Firefox, axe, chromium, person, signIn } from './lib/browser.mjs';
import { busyness, keysDown, shadowDesktop, screenshot, xdotool, xrdpDesktop } from './lib/desktop.mjs';
import { Gateway } from './lib/gateway.mjs';
import { Line } from './lib/line.mjs';
import { run, start } from './lib/proc.mjs';
import { differs, fontMaps, joinOpening, losePicture, picture, spoilMessages } from './lib/viewer.mjs';
import { sleep, until } from './lib/wait.mjs';

const ACCOUNT = { user: 'demo', password: 'demo' };
let gateway;
let browser;
let folder;
const desktops = {};
const noXorg = process.getuid() !== 0 && 'xorgxrdp needs root here';

before(async () => {
  gateway = await Gateway.make({ conf: { tunnel: { ping_seconds: 2 } } });
  browser = await chromium();
  folder = mkdtempSync(join(tmpdir(), 'deskgate-viewer-'));
  const hash = ['winpr-hash', 'winpr-hash3'].find((name) => run('sh', ['-c', `command -v ${name}`], { allow: true }).status === 0);
  writeFileSync(join(folder, 'sam'), run(hash, ['-u', ACCOUNT.user, '-p', ACCOUNT.password, '-f', 'sam']).stdout);
  desktops.windows = await shadowDesktop('--sam', join(folder, 'sam')); // NLA, as Windows has it
  if (!noXorg) desktops.xrdp = await xrdpDesktop('--xorg');
  for (const [name, { port }] of Object.entries(desktops)) gateway.addDesktop(name, port);
});
after(async () => {
  await browser?.close();
  await gateway?.remove();
  for (const desktop of Object.values(desktops)) await desktop.stop();
  if (folder) rmSync(folder, { recursive: true, force: true });
});

const words = (count) => Array.from({ length: count }, () => 'abcdefghijklmnopqrstuvwxyz0123456789'[randomInt(36)]).join('');

function newcomer(name) {
  const user = gateway.addUser(name);
  for (const desktop of Object.keys(desktops)) gateway.grant(user, desktop);
  return user;
}

// Signs in at the portal, clicks the desktop, signs in there; the viewer's tab.
async function open(user, name, { account = ACCOUNT, script, line = gateway, ...options } = {}) {
  const { context, page, noise } = await person(browser, { width: 1040, height: 820, ...options });
  if (script) {
    await context.addInitScript(fontMaps);
    await context.addInitScript(script);
  }
  await signIn(page, line, user);
  const [tab] = await Promise.all([
    context.waitForEvent('page'),
    page.locator('li.card', { hasText: name }).locator('a.button').click(),
  ]);
  await tab.waitForSelector('#form:not([hidden])');
  await signInThere(tab, account);
  return { context, tab, noise };
}

async function signInThere(tab, { user, password }) {
  await tab.fill('#username', user);
  await tab.fill('#password', password);
  await tab.click('#form button[type=submit]');
}

const evaluator = (tab) => (expression) => tab.evaluate(expression);

async function samePicture(evaluate, desktop, what) {
  let seen;
  await until(() => `${what}: the same picture on both sides; differs by ${seen}`, async () => {
    const there = screenshot(desktop.display);
    seen = await differs(evaluate, desktop);
    return busyness(there) > 0.001 && seen < 0.002;
  }, { ms: 120_000, every: 300 });
}

const arrived = (desktop, text) => until(
  () => `"${text}" arrives; there is "${existsSync(desktop.typed) && readFileSync(desktop.typed, 'utf8')}"`,
  () => existsSync(desktop.typed) && readFileSync(desktop.typed, 'utf8').includes(`${text}\n`), { ms: 60_000 });

for (const name of ['windows', 'xrdp']) {
  test(`Chromium shows the desktop of ${name}, and keys and pointer have effect`, { skip: name === 'xrdp' && noXorg }, async () => {
    const user = newcomer(`chromium-${name}`);
    const desktop = desktops[name];
    const { context, tab, noise } = await open(user, name);
    await tab.waitForSelector('#tools:not([hidden])');
    await tab.click('#ask-no');
    await samePicture(evaluator(tab), desktop, 'at first');
    const canvas = tab.locator('canvas');
    await canvas.click({ position: { x: 300, y: 150 } });
    const typed = `echo ${words(20)}`;
    await tab.keyboard.type(typed, { delay: 30 });
    await tab.keyboard.press('Enter');
    await arrived(desktop, typed);
    await samePicture(evaluator(tab), desktop, 'after typing');
    // The pointer: the server's own follows it.
    const box = await canvas.boundingBox();
    const { width } = await picture(evaluator(tab));
    await tab.mouse.move(box.x + box.width * 0.25, box.y + box.height * 0.5);
    await until(() => 'the pointer is where ours is', () => {
      const at = /x:(\d+) y:(\d+)/.exec(xdotool(desktop.display, 'getmouselocation'));
      return Math.abs(Number(at[1]) - width * 0.25) < 8;
    });
    const [tunnel] = gateway.json('tunnel', 'list').filter((row) => row.user === user.name);
    assert.equal(tunnel.way, 'cleanpath');
    await tab.click('#leave');
    await until(() => 'the tunnel has ended', () => gateway.json('tunnel', 'list').every((row) => row.user !== user.name));
    assert.deepEqual(noise, []);
    await context.close();
  });
}

for (const name of ['windows', 'xrdp']) {
  test(`the end of the opening and the first picture of ${name} may come in one message`, { skip: name === 'xrdp' && noXorg }, async () => {
    const { context, tab } = await open(newcomer(`joined-${name}`), name, { script: joinOpening });
    await tab.waitForSelector('#tools:not([hidden])');
    await samePicture(evaluator(tab), desktops[name], 'in one message');
    assert.equal(await tab.evaluate('joined'), 1);
    await context.close();
  });
}

test('Firefox shows a desktop, and keys arrive', async () => {
  const user = newcomer('firefox');
  const desktop = desktops.windows;
  const firefox = await Firefox.launch();
  try {
    await firefox.goto(`https://localhost:${gateway.port}/`);
    await firefox.until(`document.querySelector('input[autocomplete=username]') !== null`);
    await firefox.fill('input[autocomplete=username]', user.name);
    await firefox.fill('input[type=password]', user.password);
    await firefox.fill('input[autocomplete=one-time-code]', await user.codes.next());
    await firefox.click('button[type=submit]');
    await firefox.until(`document.querySelector('.cards') !== null`);
    await firefox.goto(`https://localhost:${gateway.port}/desktop/windows`);
    await firefox.until(`document.querySelector('#form')?.hidden === false`);
    await firefox.fill('#username', ACCOUNT.user);
    await firefox.fill('#password', ACCOUNT.password);
    await firefox.click('#form button[type=submit]');
    await firefox.until(`document.querySelector('#tools')?.hidden === false`);
    await samePicture((expression) => firefox.evaluate(expression), desktop, 'Firefox');
    await firefox.evaluate(`document.querySelector('#ask-no').offsetParent && document.querySelector('#ask-no').click()`);
    await firefox.click('canvas');
    const typed = `echo ${words(12)}`;
    await firefox.type(`${typed}\uE007`); // WebDriver's Enter
    await arrived(desktop, typed);
  } finally {
    await firefox.close();
  }
});

// xclip stays alive to serve what it was given; it ends with the selection.
const copyThere = (desktop, text, ...options) => run('sh', ['-c', 'printf %s "$TEXT" | timeout 60 xclip -i -selection clipboard "$@" >/dev/null 2>&1 &', 'sh', ...options],
  { env: { DISPLAY: desktop.display, TEXT: text } });
const pasteThere = (desktop, ...options) => run('timeout', ['5', 'xclip', '-o', '-selection', 'clipboard', ...options],
  { env: { DISPLAY: desktop.display }, allow: true }).stdout;

test('text and files pass through the clipboard, both ways, after one question', { skip: noXorg }, async (t) => {
  const user = newcomer('copier');
  const desktop = desktops.xrdp;
  const home = dirname(desktop.typed);
  const { context, tab } = await open(user, 'xrdp', { acceptDownloads: true });
  await tab.waitForSelector('#tools:not([hidden])');
  await tab.click('#ask-yes');
  await tab.click('canvas');

  const there = `from there: ü 東京 ${words(10)}`;
  // Nobody tells when the desktop's clipboard channel is there; what was copied before is not sent.
  let copied = 0;
  await until(async () => `it is on this clipboard; there is ${await tab.evaluate('navigator.clipboard.readText()')}`, async () => {
    if (Date.now() - copied > 2000) {
      copyThere(desktop, there);
      copied = Date.now();
    }
    return await tab.evaluate('navigator.clipboard.readText()') === there;
  }, { ms: 120_000, every: 200 });
  const here = `from here: é 京都 ${words(10)}`;
  await tab.evaluate((text) => navigator.clipboard.writeText(text), here);
  await tab.click('canvas');
  await tab.keyboard.press('Control+V');
  await until(() => `it is on that clipboard; there is ${pasteThere(desktop)}`, () => pasteThere(desktop) === here, { ms: 60_000, every: 200 });

  const down = randomBytes(300_000);
  writeFileSync(join(home, 'down.bin'), down);
  copyThere(desktop, `copy\nfile://${home}/down.bin`, '-t', 'x-special/gnome-copied-files');
  await tab.click('button[aria-controls=share-panel]');
  const [download] = await Promise.all([tab.waitForEvent('download'), tab.click('#files-list button')]);
  assert.equal(download.suggestedFilename(), 'down.bin');
  assert.deepEqual(readFileSync(await download.path()), down);

  if (!existsSync('/dev/fuse')) { // xrdp shows files that come by a file system of its own
    t.diagnostic('no /dev/fuse: no file was sent there');
    await context.close();
    return;
  }
  await tab.setInputFiles('#files-input', { name: 'wrong.bin', mimeType: 'application/octet-stream', buffer: down }); // and nobody pastes it
  const up = randomBytes(200_000);
  await tab.setInputFiles('#files-input', { name: 'up ü.bin', mimeType: 'application/octet-stream', buffer: up });
  const offered = join(home, 'thinclient_drives/.clipboard/up ü.bin');
  await until(() => `the file is offered there; there is ${pasteThere(desktop, '-t', 'x-special/gnome-copied-files')}`,
    () => /up/.test(pasteThere(desktop, '-t', 'x-special/gnome-copied-files')) && existsSync(offered), { ms: 120_000, every: 300 });
  // By a program of its own: reading waits for this browser, which waits for this process.
  await start('cp', [offered, join(home, 'up.bin')]).ended;
  assert.deepEqual(readFileSync(join(home, 'up.bin')), up);
  await context.close();
});

test('the desktop follows the window', { skip: noXorg }, async () => {
  const user = newcomer('resizer');
  const desktop = desktops.xrdp;
  const { context, tab } = await open(user, 'xrdp');
  await tab.waitForSelector('#tools:not([hidden])');
  const size = async () => xdotool(desktop.display, 'getdisplaygeometry').trim();
  const wanted = () => tab.evaluate(`(() => { const c = document.querySelector('canvas'); return c.width + ' ' + c.height; })()`);
  const first = await wanted();
  for (const [width, height] of [[1300, 900], [900, 640]]) {
    await tab.setViewportSize({ width, height });
    await until(async () => `the desktop is as large as its canvas: ${await size()}, ${await wanted()}`,
      async () => await wanted() !== first && await size() === await wanted() && Math.abs(Number((await size()).split(' ')[0]) - width) < 40, { ms: 60_000, every: 200 });
    await samePicture(evaluator(tab), desktop, `at ${width} x ${height}`);
  }
  assert.ok(!await tab.isVisible('#form'), 'nobody was asked for anything');
  await context.close();
});

test('when the picture after a change of size is lost, it is fetched by a new connection', { skip: noXorg }, async () => {
  const { context, tab } = await open(newcomer('pictureless'), 'xrdp', { script: losePicture });
  await tab.waitForSelector('#tools:not([hidden])');
  await samePicture(evaluator(tab), desktops.xrdp, 'before');
  await tab.evaluate('lose = true');
  await tab.setViewportSize({ width: 900, height: 640 });
  await until('it is lost', () => tab.evaluate('!lose'));
  await samePicture(evaluator(tab), desktops.xrdp, 'after');
  assert.ok(!await tab.isVisible('#card'));
  await context.close();
});

// What happens: the banner of a lost connection comes and goes, however short it is there.
async function banner(tab, happens) {
  await tab.evaluate(() => {
    globalThis.came = false;
    const waiting = document.querySelector('#waiting');
    new MutationObserver(() => { globalThis.came ||= !waiting.hidden; }).observe(waiting, { attributes: true });
  });
  await happens();
  await tab.waitForFunction(() => globalThis.came);
  await tab.waitForSelector('#waiting', { state: 'hidden' });
}

// What the card says, once it says something that matches.
async function cardSays(tab, pattern) {
  const said = async () => (await Promise.all(['title', 'text', 'do'].map((part) => tab.textContent(`#card-${part}`)))).join(' ');
  await until(async () => `the card says ${pattern}; it says "${await said()}"`,
    async () => await tab.isVisible('#card') && pattern.test(await said()), { ms: 120_000 });
}

test('each failure says what happened, in the person\'s language', async () => {
  const user = newcomer('unlucky');
  const wrong = await open(user, 'windows', { account: { user: 'demo', password: 'not this' } });
  await cardSays(wrong.tab, /not accept/i);
  await wrong.tab.waitForSelector('#form:not([hidden])'); // it may be tried again at once
  await signInThere(wrong.tab, ACCOUNT);
  await wrong.tab.waitForSelector('#tools:not([hidden])');

  // An administrator ends it.
  const [tunnel] = gateway.json('tunnel', 'list').filter((row) => row.user === user.name);
  gateway.cli('tunnel', 'end', String(tunnel.id));
  await cardSays(wrong.tab, /administrator/i);
  assert.deepEqual(await axe(wrong.tab), []);

  // Another certificate than before.
  gateway.cli('desktop', 'trust', 'windows', '--pin', 'a'.repeat(64));
  await wrong.tab.click('#again');
  await wrong.tab.waitForSelector('#form:not([hidden])'); // it was forgotten: nobody may be there any more
  await signInThere(wrong.tab, ACCOUNT);
  await cardSays(wrong.tab, /certificate/i);
  gateway.cli('desktop', 'trust', 'windows', '--first-use');
  await wrong.context.close();

  const ja = await open(user, 'windows', { lang: 'ja-JP', scheme: 'dark', width: 390, height: 700 });
  await ja.tab.waitForSelector('#tools:not([hidden])');
  gateway.cli('grant', 'remove', user.name, 'windows');
  await cardSays(ja.tab, /管理者/);
  assert.deepEqual(await axe(ja.tab), []);
  assert.equal(await ja.tab.evaluate('document.documentElement.lang'), 'ja');
  await ja.context.close();
});

test('a network drop is a banner, and then the desktop is back without signing in', async () => {
  const user = newcomer('mobile');
  const { context, tab } = await open(user, 'windows');
  await tab.waitForSelector('#tools:not([hidden])');
  await samePicture(evaluator(tab), desktops.windows, 'before the drop');
  await tab.keyboard.down('Control');
  await until('it is down there', () => keysDown(desktops.windows.display).length === 1);
  await banner(tab, () => process.kill(gateway.part('gate'), 'SIGKILL')); // every connection breaks at once
  await samePicture(evaluator(tab), desktops.windows, 'after the drop');
  await until('the key that was down when it broke is up', () => keysDown(desktops.windows.display).length === 0);
  assert.ok(!await tab.isVisible('#card'), `nobody was asked for, or told, anything: ${await tab.textContent('#card')}`);
  await sleep(1200); // the banner counts seconds
  assert.ok(!await tab.isVisible('#waiting'), 'the banner stays away');
  await context.close();
});

test('a desktop whose connection is dead while others work comes back by itself', async (t) => {
  const line = await Line.to(gateway.port);
  t.after(() => line.close());
  const desktop = desktops.windows;
  const { context, tab } = await open(newcomer('forgotten'), 'windows', { line });
  await tab.waitForSelector('#tools:not([hidden])');
  await samePicture(evaluator(tab), desktop, 'before');
  const type = () => xdotool(desktop.display, 'type', `${words(75)}\n`);
  line.freeze(await line.busiest(async () => {
    type();
    await samePicture(evaluator(tab), desktop, 'typed');
  }));
  type(); // this is not seen
  await samePicture(evaluator(tab), desktop, 'back again'); // the banner may be too short to be seen
  assert.ok(!await tab.isVisible('#card'));
  await context.close();
});

test('what the client cannot read costs a moment; when there is more of it, the person is told', async () => {
  const desktop = desktops.windows;
  const { context, tab } = await open(newcomer('unread'), 'windows', { script: spoilMessages });
  await tab.waitForSelector('#tools:not([hidden])');
  await samePicture(evaluator(tab), desktop, 'before');
  const moves = () => {
    xdotool(desktop.display, 'type', words(5));
    return true;
  };
  await banner(tab, async () => {
    await tab.evaluate('spoil = 1');
    moves();
  });
  await samePicture(evaluator(tab), desktop, 'after what could not be read');
  assert.ok(!await tab.isVisible('#card'));
  await tab.evaluate('spoil = 1000');
  await until('the card', async () => moves() && await tab.isVisible('#card'), { ms: 120_000, every: 300 });
  await cardSays(tab, /not understand/);
  await context.close();
});

test('the viewer loads its client only when it is needed, and once', async () => {
  const user = newcomer('thrifty');
  const { context, page } = await person(browser);
  const loaded = [];
  context.on('response', (response) => loaded.push(new URL(response.url()).pathname));
  await signIn(page, gateway, user);
  assert.ok(!loaded.some((path) => path.startsWith('/viewer/')), 'the portal needs none of it');
  await context.close();
});

// A desktop that wants a second factor that was shown lately: refused on every way in with a stale
// one, let in by a new code, and a ticket stands for the factor that was fresh when it was made.
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { dial, read, start } from './connect/client.mjs';
import { axe, chromium, person, signIn } from './lib/browser.mjs';
import { Gateway, PASSWORD } from './lib/gateway.mjs';
import { WebSocketRdg, ticketIn } from './lib/rdg.mjs';
import { echoServer } from './lib/servers.mjs';
import { RawSocket } from './lib/wire.mjs';

let gateway, echo, browser, client;

before(async () => {
  gateway = await Gateway.make({ conf: { rdg: { passwords: 'yes' } } });
  echo = await echoServer();
  gateway.addDesktop('vault', echo.port);
  gateway.cli('desktop', 'limit', 'vault', '--step-up', '5m');
  client = ['--fingerprint', new X509Certificate(gateway.ca).fingerprint256, '--retry', '0', `https://localhost:${gateway.port}`];
});
after(async () => {
  await browser?.close();
  await echo?.close();
  await gateway?.remove();
});

let people = 0;
function somebody() {
  const user = gateway.addUser(`person${people++}`);
  gateway.grant(user, 'vault');
  return user;
}

// Time passes for all who are signed in.
const age = (seconds) => gateway.sql('UPDATE sessions SET factor_at = factor_at - ?', seconds);

const json = { 'Content-Type': 'application/json' };
const show = (token, code) => gateway.post('/api/factor', { code }, { token });

const ways = {
  'a file': (token) => gateway.http('GET', '/api/desktops/vault/rdp', { token }),
  'the browser': (token) => gateway.post('/api/desktops/vault/ticket', {}, { token }),
  'a gateway password': (token) => gateway.post('/api/desktops/vault/password', {}, { token }),
  async tunnel(token) {
    const wire = await gateway.wire();
    const { ws, answer } = await RawSocket.open(wire, '/tunnel/vault', { Host: `localhost:${gateway.port}`, Authorization: `Bearer ${token}` });
    wire.end();
    return ws ? { status: 200 } : { status: answer.status, json: JSON.parse(answer.body) };
  },
};

test('every way in: open with a fresh factor, closed with a stale one, open again with a new code', async () => {
  const user = somebody();
  const token = await user.token();
  for (const [name, way] of Object.entries(ways)) assert.equal((await way(token)).status, 200, name);
  age(301);
  for (const [name, way] of Object.entries(ways)) {
    const refused = await way(token);
    assert.equal(refused.status, 403, name);
    assert.equal(refused.json.error, 'factor_stale', name);
    assert.match(refused.json.message, /new code/, name);
  }
  const row = gateway.audit('--event', 'tunnel-open').at(-1);
  assert.equal(row.outcome, 'stale-factor');
  assert.match(row.detail, /second factor that was shown less than 300 seconds ago/);
  assert.equal((await show(token, await user.codes.next())).status, 200);
  for (const [name, way] of Object.entries(ways)) assert.equal((await way(token)).status, 200, name);
  assert.equal(gateway.audit('--event', 'second-factor').at(-1).user, user.name);
});

test('explain says that a fresh factor is wanted, and does not guess how fresh it is', () => {
  const user = somebody();
  const told = gateway.json('explain', user.name, 'vault');
  assert.equal(told.allowed, true);
  assert.equal(told.fresh_factor, true);
  assert.match(gateway.cli('explain', user.name, 'vault').stdout, /^Allowed: .*\nThe desktop asks for a second factor/);
  gateway.cli('grant', 'remove', user.name, 'vault');
  assert.deepEqual([gateway.json('explain', user.name, 'vault').rule, gateway.json('explain', user.name, 'vault').fresh_factor], ['not-granted', false]);
});

test('a ticket stands for the factor that was fresh when it was made', async () => {
  const token = await somebody().token();
  const { body } = await ways['a file'](token);
  const ticket = ticketIn(body);
  age(301);
  const rdg = await WebSocketRdg.connect(gateway);
  assert.equal((await rdg.open(ticket, ['vault'])).status, 0);
  rdg.drop();
  const again = await WebSocketRdg.connect(gateway);
  assert.notEqual((await again.open(ticket, ['office'])).status, 0, 'for another desktop it stands for nothing');
  again.drop();
});

test('no way in makes a ticket with a stale factor, also where all connections are taken', async () => {
  for (const limited of ['person', 'desktop']) {
    const user = somebody();
    gateway.addDesktop(`office-${limited}`, echo.port);
    gateway.grant(user, `office-${limited}`);
    const token = await user.token();
    const busy = limited === 'person' ? `office-${limited}` : 'vault';
    if (limited === 'person') gateway.cli('user', 'limit', user.name, '--tunnels', '1');
    else gateway.cli('desktop', 'limit', 'vault', '--tunnels', '1');
    const { wire } = await gateway.tunnel(busy, token);
    try {
      age(301);
      for (const [name, way] of Object.entries(ways)) {
        const refused = await way(token);
        assert.deepEqual([refused.status, refused.json?.error], [403, 'factor_stale'], `${limited}: ${name}`);
      }
    } finally {
      wire.end();
      gateway.cli('desktop', 'limit', 'vault', '--tunnels', 'none');
    }
  }
});

test('codes: wrong, used before, malformed, of nobody; guessing is slowed down', async () => {
  const user = somebody();
  const token = await user.token();
  assert.equal((await show('A'.repeat(43), '123456')).status, 401);
  const code = await user.codes.next();
  assert.equal((await show(token, code)).status, 200);
  const before = gateway.json('session', 'list').length;
  const used = await show(token, code);
  assert.deepEqual([used.status, used.json.error], [403, 'wrong_code']);
  for (const body of ['', '{}', '[]', '{"code":7}', '{"code":"1","more":1}'])
    assert.equal((await gateway.http('POST', '/api/factor', { token, body, headers: json })).status, 400, body);
  let slowed = false;
  for (let i = 0; i < 12 && !slowed; i++) slowed = (await show(token, user.codes.wrong())).status === 429;
  assert.ok(slowed, 'somebody with a stolen session cannot guess on');
  assert.equal(gateway.json('session', 'list').length, before);
  assert.ok(gateway.audit('--event', 'second-factor').some((row) => row.user === user.name && row.outcome === 'denied'));
});

test('a page of another site cannot show a code in somebody\'s name', async () => {
  const user = somebody();
  const token = await user.token();
  const code = await user.codes.next();
  const foreign = await gateway.post('/api/factor', { code }, { headers: { ...json, Cookie: `__Host-deskgate=${token}`, Origin: 'https://evil.example' } });
  assert.equal(foreign.status, 403);
  assert.notEqual(foreign.json.error, 'wrong_code');
});

test('the tunnel client asks for a code when the desktop wants one', async (t) => {
  const user = somebody();
  const running = start([...client, 'vault'], { credentials: [user.name, PASSWORD, await user.codes.next()], open: true });
  t.after(() => running.child.kill());
  const address = await running.ready;
  const first = await dial(address);
  first.write('x');
  await read(first, 1);
  age(301);
  const second = await dial(address);
  await running.says(/this desktop wants a new code/);
  running.child.stdio[3].write(`${await user.codes.next()}\n`);
  second.write('y');
  assert.equal(String(await read(second, 1)), 'y');
  first.write('z');
  assert.equal(String(await read(first, 1)), 'z', 'what lives was judged when it began');
  running.child.kill('SIGTERM');
  assert.equal((await running.ended).code, 0);
});

test('… and ends when there is none to be had', async (t) => {
  const user = somebody();
  const running = start([...client, 'vault'], { credentials: [user.name, PASSWORD, await user.codes.next()] });
  t.after(() => running.child.kill());
  const address = await running.ready;
  age(301);
  (await dial(address)).write('x');
  await running.says(/this desktop wants a new code/);
  assert.notEqual((await running.ended).code, 0);
});

for (const [lang, words] of [['en-US', /One more code/], ['ja-JP', /新しいコード/]]) {
  test(`the portal asks for it (${lang})`, async () => {
    browser ??= await chromium();
    const user = somebody();
    const { context, page } = await person(browser, { lang });
    await signIn(page, gateway, user);
    await page.waitForSelector('.card');
    age(301);
    const file = page.locator('.card button').first();
    await file.click();
    await page.waitForSelector('dialog[open]');
    assert.match(await page.textContent('dialog'), words);
    assert.deepEqual(await axe(page), []);
    if (process.env.DESKGATE_SHOTS) await page.screenshot({ path: join(process.env.DESKGATE_SHOTS, `factor-${lang}.png`) });
    await page.keyboard.type(user.codes.wrong());
    await page.keyboard.press('Enter');
    await page.waitForSelector('dialog .alert:not([hidden])');
    await page.locator('dialog input').fill(await user.codes.next());
    const [download] = await Promise.all([page.waitForEvent('download'), page.keyboard.press('Enter')]);
    assert.match(download.suggestedFilename(), /\.rdp$/);

    age(301);
    await page.goto(`https://localhost:${gateway.port}/desktop/vault`);
    await page.fill('#username', 'demo');
    await page.fill('#password', 'demo');
    await page.keyboard.press('Enter');
    await page.waitForSelector('#factor:not([hidden])');
    assert.match(await page.textContent('#card-title'), words);
    assert.deepEqual(await axe(page), []);
    if (process.env.DESKGATE_SHOTS) await page.screenshot({ path: join(process.env.DESKGATE_SHOTS, `factor-viewer-${lang}.png`) });
    await page.fill('#code', user.codes.wrong());
    await page.keyboard.press('Enter');
    await page.waitForFunction(() => !document.getElementById('factor').hidden && document.getElementById('code').value === '');
    await page.fill('#code', await user.codes.next());
    await page.keyboard.press('Enter');
    // The desktop is an echo: it is reached, and that is what counts here.
    await page.waitForFunction(() => document.getElementById('factor').hidden);
    await context.close();
  });
}

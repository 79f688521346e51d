// Real browsers: Debian's Chromium, driven by Playwright, and Debian's Firefox, driven by WebDriver
// BiDi (https://w3c.github.io/webdriver-bidi/), whose own Playwright would need a patched Firefox.
import { X509Certificate, createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium as playwright } from 'playwright-core';
import WebSocket from 'ws';
import { ready, start, stop } from './proc.mjs';
import { until } from './wait.mjs';

const require = createRequire(import.meta.url);
const asRoot = process.getuid() === 0;
const SLOW_MS = 90_000; // for one step of a browser on a busy machine

// ---- Chromium ----

// With `trusted`, a PEM certificate, that one counts as a good one: only then does Chromium cache.
export const chromium = ({ trusted } = {}) => playwright.launch({
  executablePath: '/usr/bin/chromium',
  timeout: SLOW_MS,
  args: [
    ...(asRoot ? ['--no-sandbox'] : []),
    ...(trusted ? [`--ignore-certificate-errors-spki-list=${keyHash(trusted)}`] : []),
  ],
});

function keyHash(pem) {
  const key = new X509Certificate(pem).publicKey.export({ type: 'spki', format: 'der' });
  return createHash('sha256').update(key).digest('base64');
}

// A fresh context of a person with this language and so on; the gateway's certificate is the test's
// own. `noise` gathers what must not be: errors of the page and breaches of its policy.
export async function person(browser, { lang = 'en-US', scheme = 'light', width = 1280, height = 800, trusted = false, ...more } = {}) {
  const context = await browser.newContext({
    locale: lang, colorScheme: scheme, viewport: { width, height }, ignoreHTTPSErrors: !trusted,
    permissions: ['clipboard-read', 'clipboard-write'], ...more,
  });
  context.setDefaultTimeout(SLOW_MS);
  const noise = [];
  context.on('weberror', (error) => noise.push(String(error.error())));
  context.on('console', (message) => {
    // The browser itself reports each 401 and the like; those are part of the game.
    if (message.type() === 'error' && !/^Failed to load resource/.test(message.text())) noise.push(message.text());
  });
  return { context, noise, page: await context.newPage() };
}

// Fills in the portal's form.
export async function signIn(page, gateway, user, { code } = {}) {
  await page.goto(`https://localhost:${gateway.port}/`);
  await page.fill('input[autocomplete=username]', user.name);
  await page.fill('input[type=password]', user.password);
  await page.fill('input[autocomplete=one-time-code]', code ?? await user.codes.next());
  await page.click('button[type=submit]');
  await page.waitForSelector('nav:not([hidden])');
}

// Violations that axe-core calls serious or critical: [{id, nodes}]. The page's own policy would keep
// axe out.
export async function axe(page) {
  const session = await page.context().newCDPSession(page);
  await session.send('Page.setBypassCSP', { enabled: true });
  if (!await page.evaluate('globalThis.axe')) await page.evaluate(readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8'));
  // Details of what is good would take most of the time.
  const violations = await page.evaluate(async () => (await globalThis.axe.run({ resultTypes: ['violations'] })).violations);
  await session.send('Page.setBypassCSP', { enabled: false });
  await session.detach();
  return violations.filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => ({ id, nodes: nodes.map((node) => node.html.slice(0, 200)) }));
}

// ---- Firefox ----

export class Firefox {
  #waiting = new Map();

  #last = 0;

  static async launch() {
    const firefox = new Firefox();
    firefox.profile = mkdtempSync(join(tmpdir(), 'deskgate-firefox-'));
    firefox.process = start('firefox-esr', ['--headless', '--no-remote', '--remote-debugging-port', '0', '--profile', firefox.profile],
      { env: { HOME: firefox.profile, MOZ_DISABLE_CONTENT_SANDBOX: asRoot ? '1' : '' } });
    const address = await ready(firefox.process, 'Firefox listens', () =>
      /WebDriver BiDi listening on (ws:\/\/\S+)/.exec(firefox.process.err)?.[1], { ms: 120_000 });
    firefox.socket = new WebSocket(`${address}/session`);
    firefox.socket.on('message', (data) => firefox.#heard(JSON.parse(data)));
    firefox.socket.on('close', () => firefox.#lost());
    try {
      await once(firefox.socket, 'open');
      await firefox.#begin();
    } catch (error) {
      await firefox.close();
      throw error;
    }
    return firefox;
  }

  async #begin() {
    await this.send('session.new', { capabilities: { alwaysMatch: { acceptInsecureCerts: true } } });
    const { contexts } = await this.send('browsingContext.getTree', {});
    this.tab = contexts[0].context;
  }

  // Nobody answers any more.
  #lost() {
    for (const { method, fail } of this.#waiting.values()) fail(new Error(`${method}: Firefox has gone\n${this.process.err}`));
    this.#waiting.clear();
  }

  #heard(message) {
    const waiting = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    if (!waiting) return;
    if (message.type === 'error') waiting.fail(new Error(`${waiting.method}: ${message.error}: ${message.message}`));
    else waiting.fulfil(message.result);
  }

  send(method, params) {
    const id = ++this.#last;
    return new Promise((fulfil, fail) => {
      this.#waiting.set(id, { method, fulfil, fail });
      this.socket.send(JSON.stringify({ id, method, params }), (error) => { if (error) fail(error); });
    });
  }

  async goto(url) {
    await this.send('browsingContext.navigate', { context: this.tab, url, wait: 'complete' });
  }

  // The value of an expression, a promise awaited; only what JSON can say.
  async evaluate(expression) {
    const { result, exceptionDetails } = await this.send('script.evaluate', {
      expression: `(async () => JSON.stringify(await (${expression})) ?? null)()`,
      target: { context: this.tab }, awaitPromise: true, userActivation: true,
    });
    if (exceptionDetails) throw new Error(exceptionDetails.text);
    return result.value === undefined ? undefined : JSON.parse(result.value);
  }

  // Waits until the expression is true.
  async until(expression, ms = 30_000) {
    await until(() => `in Firefox: ${expression}`, () => this.evaluate(expression), { ms, every: 100 });
  }

  async act(type, actions) {
    const parameters = type === 'pointer' ? { parameters: { pointerType: 'mouse' } } : {};
    await this.send('input.performActions', { context: this.tab, actions: [{ type, id: type, ...parameters, actions }] });
  }

  async click(selector) {
    const { x, y } = await this.evaluate(`(() => { const node = document.querySelector(${JSON.stringify(selector)});
      node.scrollIntoView({ block: 'center' });
      const box = node.getBoundingClientRect(); return { x: box.x + box.width / 2, y: box.y + box.height / 2 }; })()`);
    await this.act('pointer', [{ type: 'pointerMove', x: Math.round(x), y: Math.round(y) },
      { type: 'pointerDown', button: 0 }, { type: 'pointerUp', button: 0 }]);
  }

  async type(text) {
    await this.act('key', [...text].flatMap((value) => [{ type: 'keyDown', value }, { type: 'keyUp', value }, { type: 'pause', duration: 20 }]));
  }

  async fill(selector, text) {
    await this.click(selector);
    await this.type(text);
  }

  async screenshot() {
    const { data } = await this.send('browsingContext.captureScreenshot', { context: this.tab });
    return Buffer.from(data, 'base64');
  }

  async close() {
    this.socket?.close();
    await stop(this.process);
    rmSync(this.profile, { recursive: true, force: true, maxRetries: 5 });
  }
}

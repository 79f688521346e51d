// From the click on a desktop to its first picture: the time and the bytes, for somebody who has
// never been here and for somebody who has. Prints medians; nothing here passes or fails.
//
//     node tests/bench/first-frame.mjs [ROUNDS]
//
// Needs what the end-to-end tests need (scripts/test e2e installs it). The time in which a person
// types user name and password is not counted.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, person, signIn } from '../e2e/lib/browser.mjs';
import { shadowDesktop } from '../e2e/lib/desktop.mjs';
import { Gateway } from '../e2e/lib/gateway.mjs';
import { run } from '../e2e/lib/proc.mjs';

const rounds = Number(process.argv[2] ?? 5);

// Runs in the page: resolves when the canvas shows more than one colour.
const firstFrame = () => new Promise((resolve) => {
  const look = () => {
    const canvas = document.querySelector('canvas');
    const context = canvas && !canvas.hidden && canvas.width ? canvas.getContext('2d') : null;
    if (context) {
      const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
      const pixels = new Uint32Array(data.buffer);
      if (pixels.some((pixel) => pixel !== pixels[0])) {
        resolve(performance.now());
        return;
      }
    }
    requestAnimationFrame(look);
  };
  look();
});

// Counts what comes over the wire, files and WebSocket apart.
async function countBytes(tab) {
  const bytes = { files: 0, socket: 0 };
  const session = await tab.context().newCDPSession(tab);
  session.on('Network.loadingFinished', (event) => { bytes.files += event.encodedDataLength; });
  session.on('Network.webSocketFrameReceived', (event) => { bytes.socket += Math.floor(event.response.payloadData.length * 0.75); });
  await session.send('Network.enable');
  return bytes;
}

async function open(context, gateway) {
  const tab = await context.newPage();
  const bytes = await countBytes(tab);
  const clicked = Date.now();
  await tab.goto(`https://localhost:${gateway.port}/desktop/office`);
  await tab.waitForSelector('#form:not([hidden])');
  const form = Date.now() - clicked;
  await tab.fill('#username', 'demo');
  await tab.fill('#password', 'demo');
  const before = await tab.evaluate(() => performance.now());
  await Promise.all([tab.click('#form button[type=submit]'), tab.waitForTimeout(0)]);
  const frame = await tab.evaluate(firstFrame) - before;
  await tab.close();
  return { form, frame, ...bytes };
}

const median = (values) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)];

function print(name, results) {
  const of = (key) => median(results.map((one) => one[key]));
  const kib = (value) => (value / 1024).toFixed(0).padStart(7);
  console.log(`${name.padEnd(12)} ${of('form').toFixed(0).padStart(8)} ${of('frame').toFixed(0).padStart(14)} ${(of('form') + of('frame')).toFixed(0).padStart(8)} ${kib(of('files'))} ${kib(of('socket'))}`);
}

const folder = mkdtempSync(join(tmpdir(), 'deskgate-bench-'));
writeFileSync(join(folder, 'sam'), run('winpr-hash', ['-u', 'demo', '-p', 'demo', '-f', 'sam']).stdout);
const desktop = await shadowDesktop('--sam', join(folder, 'sam'));
const gateway = await Gateway.make();
const browser = await chromium({ trusted: gateway.ca });
try {
  const user = gateway.addUser('anna');
  gateway.addDesktop('office', desktop.port);
  gateway.grant(user, 'office');
  const first = [];
  const again = [];
  for (let round = 0; round < rounds; round++) {
    const { context, page } = await person(browser, { trusted: true });
    await signIn(page, gateway, user);
    first.push(await open(context, gateway));
    again.push(await open(context, gateway));
    await context.close();
  }
  console.log(`medians of ${rounds}; FreeRDP's shadow server with NLA, Chromium, loopback`);
  console.log('               ms to    ms from there       ms     KiB of  KiB until');
  console.log('             the form to 1st picture   together   files 1st picture');
  print('first load', first);
  print('repeat load', again);
} finally {
  await browser.close();
  await gateway.remove();
  await desktop.stop();
  rmSync(folder, { recursive: true, force: true });
}

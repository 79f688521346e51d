// The portal's parts that need no page: the QR path, User-Agents, times.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { browser } from './portal_rig.mjs';

const { path } = await import('/portal/qr.js');
const { agentName, readAgent } = await import('/parts/agent.js');
const { ago } = await import('/parts/time.js');
const i18n = await import('/i18n.js');

/** What the path paints, as rows again, without the margin. */
function painted(text, size) {
  const rows = Array.from({ length: size }, () => Array(size).fill('0'));
  for (const [, x, y, width, back] of text.matchAll(/M(\d+) (\d+)h(\d+)v1h-(\d+)z/g)) {
    assert.equal(width, back);
    for (let i = 0; i < Number(width); i++) rows[y - 4][x - 4 + i] = '1';
  }
  return rows.map((row) => row.join(''));
}

for (const rows of [['1'], ['0'], ['101', '010', '111'], ['1111', '0000', '1001', '0110']]) {
  test(`QR ${rows.join('/')}`, () => assert.deepEqual(painted(path(rows), rows.length), rows));
}

const AGENTS = [
  ['Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36 Edg/126.0.0.0', 'Edge', 'Windows'],
  ['Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0', 'Firefox', 'Linux'],
  ['Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Safari/605.1.15', 'Safari', 'macOS'],
  ['Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1', 'Safari', 'iOS'],
  ['Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile Safari/537.36', 'Chrome', 'Android'],
  ['Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36', 'Chrome', 'ChromeOS'],
  ['curl/8.5.0', null, null],
  ['', null, null],
];

for (const [text, name, system] of AGENTS) {
  test(`agent ${name} on ${system}`, () => assert.deepEqual(readAgent(text), { client: false, browser: name, system }));
}

test('our own client is known', () => assert.equal(readAgent('deskgate/0.3').client, true));

test('programs in words; one that is not known as the page wishes', async (t) => {
  browser(t);
  await i18n.setUp('portal');
  assert.equal(agentName(AGENTS[0][0]), 'Edge on Windows');
  assert.equal(agentName('Firefox/128.0'), 'Firefox');
  assert.equal(agentName('deskgate/0.3'), 'Tunnel client');
  assert.equal(agentName('curl/8.5.0'), 'Another program');
  assert.equal(agentName('curl/8.5.0', 'curl/8.5.0'), 'curl/8.5.0');
});

const NOW = Date.parse('2026-03-01T12:00:00Z');
const TIMES = [
  ['2026-03-01T12:00:00Z', 'now', '今'],
  ['2026-03-01T11:59:01Z', 'now', '今'],
  ['2026-03-01T12:05:00Z', 'now', '今'], // the gateway's clock is ahead
  ['2026-03-01T11:59:00Z', '1 minute ago', '1 分前'],
  ['2026-03-01T11:00:01Z', '59 minutes ago', '59 分前'],
  ['2026-03-01T09:00:00Z', '3 hours ago', '3 時間前'],
  ['2026-02-28T12:00:00Z', 'yesterday', '昨日'],
  ['2026-02-10T12:00:00Z', '2 weeks ago', '2 週間前'],
  ['2025-12-01T12:00:00Z', '3 months ago', '3 か月前'],
  ['2024-01-01T12:00:00Z', '2 years ago', '2 年前'],
];

test('times in English and Japanese', async (t) => {
  browser(t);
  for (const [lang, column] of [['en', 1], ['ja', 2]]) {
    await i18n.setUp('portal');
    await i18n.setLanguage(lang);
    for (const row of TIMES) assert.equal(ago(row[0], NOW), row[column], row[0]);
  }
});

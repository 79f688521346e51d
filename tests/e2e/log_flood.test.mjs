// Whoever is refused as often as he likes does not fill the log: the lines are counted, and those that
// others wait for are there.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Gateway } from './lib/gateway.mjs';
import { patience, until } from './lib/wait.mjs';

const EACH_SECOND = 50;

test('refusals without end', { timeout: 120_000 }, async (t) => {
  const gateway = await Gateway.make();
  t.after(() => gateway.remove());
  gateway.addUser('anna');
  const wire = await gateway.wire();
  t.after(() => wire.end());
  const from = gateway.log.length;
  const begun = Date.now();
  const refused = 'POST /api/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}';
  for (let i = 0; i < 10; i++) wire.send(refused.repeat(500));
  for (let i = 0; i < 5_000; i++) assert.equal((await wire.answer()).status, 400);
  assert.equal((await gateway.login({ username: 'anna', password: 'wrong password', code: '000000' })).status, 401);
  const lines = () => gateway.log.slice(from).split('\n');
  await until('a denied sign-in is there', () => lines().some((line) => line.includes('sign-in: denied')));
  const count = () => lines().filter((line) => line.includes(' http.refused: ')).length;
  const left = () => lines().reduce((sum, line) => sum + Number(/ refused\.more: .* left_out=(\d+)/.exec(line)?.[1] ?? 0), 0);
  await until(() => `all are counted: ${count()} and ${left()}`, () => count() + left() === 5_001);
  const seconds = Math.ceil((Date.now() - begun) / 1000) + 1;
  assert.ok(count() <= EACH_SECOND * seconds, `${count()} lines in ${seconds} s`);
  assert.ok(lines().length <= (EACH_SECOND + 10) * seconds * patience, `${lines().length} lines of all kinds`);
});

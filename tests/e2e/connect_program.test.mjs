// The RDP client that deskgate connect starts: the address that it gets.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { start } from './connect/client.mjs';
import { startGateway } from './connect/gateway.mjs';
import { identity } from './connect/identity.mjs';

const EX = { OK: 0 };
let own, gateway;
let codes = 100000;

before(async () => {
  own = identity();
  gateway = await startGateway(own);
});
after(() => {
  gateway?.stop();
  own?.remove();
});

const login = () => ['anna', gateway.password, String(codes++)];
const args = (...more) => ['--fingerprint', own.fingerprint, '--retry', '0', ...more];
const url = () => `https://localhost:${gateway.port}`;

// ---- the address ----

const addressOf = async (name) => {
  const client = start(args(url(), name), { credentials: login() });
  const address = await client.ready;
  return { client, address };
};

async function ends({ client }) {
  client.child.kill('SIGTERM');
  const result = await client.ended;
  assert.equal(result.code, EX.OK, result.err);
  return result;
}

test('a desktop has the same port each time, under which an RDP client remembers its certificate', async () => {
  const first = await addressOf('pc');
  const beside = await addressOf('pc');
  const other = await addressOf('other');
  assert.notEqual(first.address, beside.address);
  assert.notEqual(first.address, other.address);
  assert.match((await ends(beside)).err, new RegExp(`${first.address}.* is in use.* ${beside.address} this time`));
  await ends(other);
  await ends(first);
  const again = await addressOf('pc');
  assert.equal(again.address, first.address);
  assert.match(again.address, /^127\.0\.0\.1:[2-5]\d{4}$/);
  assert.doesNotMatch((await ends(again)).err, /in use/);
  const wished = start(args('--listen', '127.0.0.1:0', url(), 'pc'), { credentials: login() });
  assert.notEqual(await wished.ready, first.address);
  wished.child.kill('SIGTERM');
  await wished.ended;
});

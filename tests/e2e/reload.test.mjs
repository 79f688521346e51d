// SIGHUP: every key that can change at run time does, the log names those that take more, and what
// is not usable is refused as a whole.
import assert from 'node:assert/strict';
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Gateway } from './lib/gateway.mjs';
import { echoServer } from './lib/servers.mjs';
import { until } from './lib/wait.mjs';

let gateway;
let user;
let token;
let desktop;

before(async () => {
  desktop = await echoServer();
  gateway = await Gateway.make();
  user = gateway.addUser('anna');
  gateway.addDesktop('echo', desktop.port);
  gateway.grant(user, 'echo');
  token = await user.token();
});
after(async () => {
  await gateway?.remove();
  await desktop?.close();
});

const file = () => join(gateway.state, 'deskgate.conf');

async function refused() {
  const { ws, answer } = await gateway.tunnel('echo', token);
  ws?.wire.end();
  return answer?.status;
}

test('keys of the keeper and of the gate change while a tunnel goes on', async () => {
  const { ws } = await gateway.tunnel('echo', token);
  gateway.configure({ dial: { deny: '127.0.0.0/8' }, rdg: { legacy: 'no' } });
  assert.equal(await refused(), 101, 'not read yet');
  const said = await gateway.reload();
  assert.match(said, /changed="\[dial\] deny, \[rdg\] legacy"/);
  assert.doesNotMatch(said, /restart|upgrade/);
  await until('the keeper obeys', async () => await refused() !== 101);
  ws.send(Buffer.from('still here'));
  assert.equal((await ws.read(10, 5_000)).toString(), 'still here');
  ws.wire.end();
  gateway.configure({ dial: { deny: '' }, session: { idle_seconds: 1234 } });
  await gateway.reload();
  await until('the keeper obeys', async () => await refused() === 101);
  assert.match(await gateway.reload(), /changed=nothing/);
});

test('the gate that is started again has the new ones, too', async () => {
  gateway.configure({ dial: { deny: '127.0.0.0/8' } });
  await gateway.reload();
  const parts = ['keeper', 'gate'].map((part) => gateway.part(part));
  process.kill(parts[0], 'SIGKILL');
  await until('both are new', () => {
    const now = ['keeper', 'gate'].map((part) => gateway.part(part));
    return now.every((pid, i) => pid && pid !== parts[i]);
  });
  await gateway.healthy();
  assert.notEqual(await refused(), 101);
  gateway.configure({ dial: { deny: '' } });
  await gateway.reload();
});

test('what takes an upgrade or a restart is named, and stays named', async () => {
  gateway.configure({ server: { threads: 3, http_listen: '127.0.0.1:0' } });
  for (let i = 0; i < 2; i++) {
    const said = await gateway.reload(/takes effect with a restart/);
    assert.match(said, /takes effect with 'deskgate upgrade' keys="\[server\] threads"/);
    assert.match(said, /takes effect with a restart keys="\[server\] http_listen"/);
  }
  gateway.configure({ server: { threads: 0, http_listen: '' } });
  assert.doesNotMatch(await gateway.reload(), /takes effect/);
});

test('a configuration or a certificate that is not usable is refused as a whole', async () => {
  const good = readFileSync(file());
  appendFileSync(file(), '\n[dial]\nnonsense = 1\n');
  assert.match(await gateway.reload(/not usable/), /old one stays in use.*nonsense/);
  writeFileSync(file(), good);

  const cert = join(gateway.state, 'tls/cert.pem');
  const pem = readFileSync(cert);
  writeFileSync(cert, 'rubbish');
  gateway.configure({ dial: { deny: '127.0.0.0/8' } });
  assert.match(await gateway.reload(/not usable/), /tls\.reload.*old ones stay in use.*cert\.pem/);
  assert.equal(await refused(), 101, 'the configuration beside it was not taken either');
  writeFileSync(cert, pem);
  gateway.configure({ dial: { deny: '' } });
  await gateway.reload();
  await gateway.healthy();
});

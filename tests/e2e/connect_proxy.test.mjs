// The tunnel client behind a proxy: through one, past one, refused by one, and one that has its
// troubles.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { connect as tcpConnect } from 'node:net';
import { after, before, test } from 'node:test';
import { dial, read, run, start } from './connect/client.mjs';
import { startGateway } from './connect/gateway.mjs';
import { identity } from './connect/identity.mjs';
import { deadPort, tcpServer } from './lib/servers.mjs';

const EX = { OK: 0, HOST: 68, UNAVAILABLE: 69 };
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
const at = () => `https://localhost:${gateway.port}`;
const args = (retry, ...more) => ['--fingerprint', own.fingerprint, '--retry', String(retry), ...more];
const go = (env, retry = 0) => run(args(retry, '--exec', 'exit 5', at(), 'pc'), { credentials: login(), env });

// An HTTP proxy; `judge` (request, how many there were) says what to answer instead, or nothing.
async function httpProxy(t, judge) {
  const server = createHttpServer();
  const proxy = { asked: [] };
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  server.on('connect', (request, socket) => {
    proxy.asked.push(request.url);
    socket.on('error', () => {});
    const refusal = judge(request, proxy.asked.length);
    if (refusal) {
      socket.end(`HTTP/1.1 ${refusal}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`);
      return;
    }
    const far = tcpConnect(gateway.port, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connected\r\n\r\n');
      far.pipe(socket);
      socket.pipe(far);
    });
    far.on('error', () => socket.destroy());
    socket.on('close', () => far.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  proxy.at = `127.0.0.1:${server.address().port}`;
  return proxy;
}

test('through one, past one, refused by one', async (t) => {
  const right = `Basic ${Buffer.from('us:er').toString('base64')}`;
  const proxy = await httpProxy(t, ({ headers }) =>
    headers['proxy-authorization'] !== right && '407 No\r\nProxy-Authenticate: Basic realm="x"');
  let result = await go({ https_proxy: `http://us:er@${proxy.at}` });
  assert.equal(result.code, 5, result.err);
  assert.ok(proxy.asked.length >= 2 && proxy.asked.every((url) => url === `localhost:${gateway.port}`));
  result = await go({ HTTPS_PROXY: `http://us:hush@${proxy.at}` });
  assert.equal(result.code, EX.UNAVAILABLE);
  assert.match(result.err, /407/);
  assert.doesNotMatch(result.err, /hush/);
  const before = proxy.asked.length;
  result = await go({ all_proxy: `http://${proxy.at}`, no_proxy: 'localhost' });
  assert.equal(result.code, 5, result.err);
  result = await go({ http_proxy: `http://${proxy.at}` });
  assert.equal(result.code, 5, result.err);
  assert.equal(proxy.asked.length, before);
});

test('one that is reached by TLS is not supported, which is said only where it would be used', async () => {
  const https_proxy = 'https://us:hush@127.0.0.1:1';
  let result = await go({ https_proxy }, 60);
  assert.equal(result.code, EX.UNAVAILABLE);
  assert.match(result.err, /reached by https:\/\/ is not supported/);
  assert.doesNotMatch(result.err, /hush/);
  for (const no_proxy of ['localhost', '*', 'example.com, .localhost']) {
    result = await go({ https_proxy, no_proxy });
    assert.equal(result.code, 5, no_proxy + result.err);
  }
});

test('one that cannot reach the gateway for a while is borne, like a network that fails', async (t) => {
  for (const refusal of ['502 Bad', '503 Service Unavailable', '504 Late']) {
    const proxy = await httpProxy(t, (_, count) => count <= 2 && refusal);
    const result = await go({ https_proxy: `http://${proxy.at}` }, 30);
    assert.equal(result.code, 5, result.err);
    assert.match(result.err, new RegExp(`the proxy cannot reach .*answered ${refusal.slice(0, 3)}.*next try in`));
  }
  const never = await httpProxy(t, () => '403 Forbidden');
  const result = await go({ https_proxy: `http://${never.at}` }, 30);
  assert.equal(result.code, EX.UNAVAILABLE);
  assert.match(result.err, /the proxy refuses to connect .*answered 403/);
  assert.equal(never.asked.length, 1);
});

test('nor does its trouble end a client that has signed in', async (t) => {
  let trouble = 0;
  const proxy = await httpProxy(t, () => trouble-- > 0 && '503 Service Unavailable');
  const client = start(args(30, at(), 'pc'), { credentials: login(), env: { https_proxy: `http://${proxy.at}` } });
  const address = await client.ready;
  trouble = 1;
  const socket = await dial(address);
  socket.write('patience');
  assert.equal((await read(socket, 8)).toString(), 'patience');
  assert.match(client.err, /the proxy cannot reach/);
  client.child.kill('SIGTERM');
  assert.equal((await client.ended).code, EX.OK);
});

// A SOCKS5 proxy (RFC 1928) that answers each request with what `reply` says; 0 connects.
const socksProxy = (reply) => tcpServer((socket) => {
  socket.once('data', () => {
    socket.write(Buffer.from([5, 0]));
    socket.once('data', () => {
      const code = reply();
      const answer = Buffer.from([5, code, 0, 1, 0, 0, 0, 0, 0, 0]);
      if (code) return socket.end(answer);
      const far = tcpConnect(gateway.port, '127.0.0.1', () => {
        socket.write(answer);
        far.pipe(socket);
        socket.pipe(far);
      });
      far.on('error', () => socket.destroy());
      return socket.on('close', () => far.destroy());
    });
  });
});

test('a SOCKS proxy likewise', async (t) => {
  for (const code of [1, 3, 4, 5, 6]) {
    let troubles = 1;
    const proxy = await socksProxy(() => (troubles-- > 0 ? code : 0));
    t.after(proxy.close);
    const result = await go({ https_proxy: `socks5h://127.0.0.1:${proxy.port}` }, 30);
    assert.equal(result.code, 5, `${code} ${result.err}`);
    assert.match(result.err, /the proxy cannot reach .*next try in/);
  }
  const never = await socksProxy(() => 2);
  t.after(never.close);
  const result = await go({ all_proxy: `socks5h://127.0.0.1:${never.port}` }, 30);
  assert.equal(result.code, EX.UNAVAILABLE);
  assert.match(result.err, /the proxy refuses to connect/);
});

test('a name that is not known: of the proxy, and of the gateway where SOCKS leaves it to us', async (t) => {
  let result = await go({ https_proxy: 'http://us:hush@proxy.invalid:3128' }, 60);
  assert.equal(result.code, EX.HOST, result.err);
  assert.match(result.err, /the name of the proxy .*not known here/);
  assert.doesNotMatch(result.err, /hush|next try/);
  const proxy = await socksProxy(() => 0);
  t.after(proxy.close);
  result = await run(args(60, 'https://gateway.invalid', 'pc'), { credentials: login(), env: { https_proxy: `socks5://127.0.0.1:${proxy.port}` } });
  assert.equal(result.code, EX.HOST, result.err);
  assert.match(result.err, /gateway\.invalid is not known here/);
});

test('a proxy that is not there is the network\'s fault', async () => {
  const result = await go({ https_proxy: `http://127.0.0.1:${await deadPort()}` });
  assert.equal(result.code, EX.UNAVAILABLE);
  assert.match(result.err, /cannot reach .*a proxy is set.*refused/);
});

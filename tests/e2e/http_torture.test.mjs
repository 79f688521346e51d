// Requests that are none, or could be read in two ways: refused, or harmless; where it is in doubt
// where a request ends, the connection ends with it. Nothing that hides behind one is ever answered.
// RFC 9110 and 9112; after each, a good client is still served.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Canary } from './lib/canary.mjs';
import { Gateway } from './lib/gateway.mjs';
import { echoServer } from './lib/servers.mjs';

const HOST = 'Host: localhost\r\n';
const GOOD = `GET /healthz HTTP/1.1\r\n${HOST}\r\n`;
const LAST = `GET /healthz HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`;
// What hides: an answer to it would be a 404 behind the other.
const HIDDEN = `GET /hidden HTTP/1.1\r\n${HOST}\r\n`;

const post = (fields, body = '') => `POST /api/login HTTP/1.1\r\n${HOST}Content-Type: application/json\r\n${fields}\r\n${body}`;
const get = (fields, path = '/healthz') => `GET ${path} HTTP/1.1\r\n${HOST}${fields}\r\n`;
const line = (text) => `${text}\r\n${HOST}\r\n`;

let gateway;
let echo;
let anna;
let canary;

before(async () => {
  gateway = await Gateway.make({ conf: { server: { keepalive_seconds: 2 }, login: { user_failures: 1000, address_failures: 100_000 } } });
  echo = await echoServer();
  anna = gateway.addUser('anna');
  gateway.addDesktop('echo', echo.port);
  gateway.grant(anna, 'echo');
  canary = await Canary.start(gateway, 'echo', await anna.token());
});
after(async () => {
  await canary?.stop();
  await gateway?.remove();
  await echo?.close();
});

// The statuses of all answers, until the gateway closes.
async function answers(text) {
  const wire = await gateway.wire();
  wire.send(Buffer.from(text, 'latin1'));
  const all = (await wire.rest()).toString('latin1');
  wire.end();
  assert.doesNotMatch(all, /root:|\[server\]/);
  return [...all.matchAll(/(?:^|\n|\})HTTP\/1\.[01] (\d{3})/g)].map((match) => Number(match[1]));
}

// `cases` are [what, bytes, statuses…]: exactly these answers, and then the end.
function torture(title, cases) {
  test(title, { timeout: 120_000 }, async () => {
    await Promise.all(cases.map(async ([what, text, ...due]) => {
      assert.deepEqual(await answers(text), due, what);
    }));
    await canary.heard();
    assert.ok(gateway.running());
  });
}

const chunks = `0\r\n\r\n${HIDDEN}`;
const braces = `{}${HIDDEN}`;

torture('two lengths, or none that is one', [
  ['CL.TE', post('Content-Length: 4\r\nTransfer-Encoding: chunked\r\n', chunks), 400],
  ['TE.CL', post('Transfer-Encoding: chunked\r\nContent-Length: 4\r\n', `5c\r\n${HIDDEN}`), 400],
  ['twice, alike', post('Content-Length: 2\r\nContent-Length: 2\r\n', braces), 400],
  ['twice, different', post('Content-Length: 2\r\nContent-Length: 200\r\n', braces), 400],
  ['twice, of which one is folded', post('Content-Length: 2\r\n Content-Length: 200\r\n', braces), 400],
  ...['2, 2', '+2', '-2', '0x2', '2 x', '2\t2', '', '2.0', '1e0', '18446744073709551618', '9223372036854775808',
    '00000000000000000000002', '\xb2', '2;'].map((value) => [`Content-Length: ${value}`, post(`Content-Length: ${value}\r\n`, braces), 400]),
  ['a space before the colon', post('Content-Length : 2\r\n', braces), 400],
  ['a body where none is due', `GET /healthz HTTP/1.1\r\n${HOST}Content-Length: 2\r\n\r\n{}${LAST}`, 200, 200],
]);

torture('transfer codings', [
  ...['xchunked', 'identity', 'gzip, chunked', 'chunked, identity', 'chunked, chunked', '"chunked"', 'chunked;q=1', 'chunked,', '', '\xa0chunked', 'chunked\xff']
    .map((value) => [`Transfer-Encoding: ${value}`, post(`Transfer-Encoding: ${value}\r\n`, chunks), 501]),
  ['and a length', post('Transfer-Encoding: identity\r\nContent-Length: 2\r\n', braces), 501],
  ['twice', post('Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n', chunks), 400],
  ['twice, one nothing', post('Transfer-Encoding: chunked\r\nTransfer-Encoding:\r\n', chunks), 400],
  ['a space before the colon', post('Transfer-Encoding : chunked\r\n', chunks), 400],
  ['a vertical tab', post('Transfer-Encoding: \x0bchunked\r\n', chunks), 400],
  ['folded', post('X: y\r\n Transfer-Encoding: chunked\r\n', chunks), 400],
  ['behind a bare CR', post('X: y\rTransfer-Encoding: chunked\r\n', chunks), 400],
  ['behind a bare LF', post('X: y\nTransfer-Encoding: chunked\r\n', chunks), 400],
  ['in HTTP/1.0', `POST /api/login HTTP/1.0\r\n${HOST}Transfer-Encoding: chunked\r\nConnection: keep-alive\r\n\r\n${chunks}`, 400],
]);

torture('chunks', [
  ...['10000000000000002', 'ffffffffffffffff', '-2', '+2', '0x2', ' 2', '2 ', '2 ;x', '2\t', '', ';x', '2;\x01', 'g', '2\r2']
    .map((size) => [`a size '${size}'`, post('Transfer-Encoding: chunked\r\n', `${size}\r\n{}\r\n${chunks}`), 400]),
  ['lines that end with LF', post('Transfer-Encoding: chunked\r\n', `2\n{}\n0\n\n${HIDDEN}`), 400],
  ['data longer than said', post('Transfer-Encoding: chunked\r\n', `2\r\n{}xx\r\n${chunks}`), 400],
  ['data shorter than said', post('Transfer-Encoding: chunked\r\n', `3\r\n{}\r\n${chunks}`), 400],
  ['an extension without end', post('Transfer-Encoding: chunked\r\n', `2;${'x'.repeat(100_000)}\r\n{}\r\n${chunks}`), 400],
  ['a trailer that is no field', post('Transfer-Encoding: chunked\r\n', `2\r\n{}\r\n0\r\n x\r\n\r\n${HIDDEN}`), 400],
  ['trailers without end', post('Transfer-Encoding: chunked\r\n', `2\r\n{}\r\n0\r\n${'X: y\r\n'.repeat(20_000)}\r\n${HIDDEN}`), 400],
]);

torture('lines', [
  ['obs-fold', get('X: a\r\n b\r\n'), 400],
  ['obs-fold by a tab', get('X: a\r\n\tb\r\n'), 400],
  ['the first field folded', `GET /healthz HTTP/1.1\r\n X: y\r\n${HOST}\r\n`, 400],
  ['LF alone', 'GET /healthz HTTP/1.1\nHost: localhost\n\n', 400],
  ['LF behind a field', get('X: y\n'), 400],
  ['LF for the last line', `GET /healthz HTTP/1.1\r\n${HOST}\n${HIDDEN}`, 400],
  ['CR alone', get('X: a\rY: b\r\n'), 400],
  ['CR CR LF', get('X: a\r\r\n'), 400],
  ['NUL in a value', get('X: a\0b\r\n'), 400],
  ['NUL in a name', get('X\0Y: a\r\n'), 400],
  ['NUL in the path', line('GET /healthz\0x HTTP/1.1'), 400],
  ['no colon', get('nonsense\r\n'), 400],
  ['no name', get(': x\r\n'), 400],
  ['a name of two words', get('X Y: x\r\n'), 400],
  ['a name with a control', get('X\x01: x\r\n'), 400],
  ['a name beyond ASCII', get('\xdcber: x\r\n'), 400],
  ['a value with a control', get('X: a\x1bb\r\n'), 400],
  ['an empty line first', `\r\n${LAST}`, 200],
  ['empty lines without end', `${'\r\n'.repeat(5_000)}${LAST}`, 400],
]);

torture('sizes', [
  ['a giant field', get(`X: ${'a'.repeat(1 << 20)}\r\n`), 431],
  ['a giant name', get(`${'a'.repeat(1 << 20)}: x\r\n`), 431],
  ['a giant target', line(`GET /${'a'.repeat(1 << 20)} HTTP/1.1`), 414],
  ['a thousand fields', get('X: y\r\n'.repeat(1_000)), 431],
  ...[13_000, 15_000, 15_900, 17_000, 20_000, 30_000].map((size) => [`a cookie of ${size}`,
    get(`Connection: close\r\nCookie: a=${'x'.repeat(size)}\r\n`), ...(size < 14_000 ? [200] : [431])]),
  ...[250, 400, 500, 4_000].map((count) => [`${count} cookies`, get(`Connection: close\r\nCookie: ${'a=b; '.repeat(count)}\r\n`), ...(count < 300 ? [200] : [431])]),
  ...[27_000, 29_000, 31_800].map((size) => [`a field of ${size}`, get(`Connection: close\r\nX: ${'x'.repeat(size)}\r\n`), ...(size < 28_000 ? [200] : [431])]),
  ...[300, 500, 4_000].map((count) => [`${count} arguments`, get('Connection: close\r\n', `/healthz?${'a&'.repeat(count)}`), ...(count < 340 ? [200] : [414])]),
  ['fields without end', `GET /healthz HTTP/1.1\r\n${HOST}${'X: y\r\n'.repeat(100_000)}`, 431],
]);

torture('request lines', [
  ['HTTP/0.9', 'GET /healthz\r\n', 400],
  ['HTTP/0.9, two lines', 'GET /healthz\r\n\r\n', 400],
  ['HTTP/1.2', line('GET /healthz HTTP/1.2'), 505],
  ['HTTP/2.0', line('GET /healthz HTTP/2.0'), 505],
  ['HTTP/2\'s preface', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 505],
  ...['HTTP/1.10', 'HTTP/01.1', 'http/1.1', 'HTTP/1', 'HTTP/1.x', 'HTTPS/1.1', 'HTTP/1.1 ', 'HTTP/1.1\tx', ' HTTP/1.1']
    .map((version) => [`'${version}'`, line(`GET /healthz ${version}`), 400]),
  ['tabs', line('GET\t/healthz\tHTTP/1.1'), 400],
  ['two spaces', line('GET  /healthz HTTP/1.1'), 400],
  ['a space in the target', line('GET /heal thz HTTP/1.1'), 400],
  ['a target beyond ASCII', line('GET /\xff\xfe HTTP/1.1'), 400],
  ['TLS within TLS', '\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00', 400],
  ['a PROXY header, version 1', `PROXY TCP4 203.0.113.7 192.0.2.1 1 2\r\n${GOOD}`, 400],
  ['odd characters in a method', line('G@T /healthz HTTP/1.1'), 400],
  ...['get', 'TRACE', 'PUT', 'BREW', 'M-SEARCH'].map((method) => [method, line(`${method} /healthz HTTP/1.1`), 405]),
]);

torture('targets: nothing is found that is not in the table', [
  ['absolute, to nothing', line('GET https://localhost/hidden HTTP/1.1'), 404],
  ...['http://example.com/healthz', 'https://example.com/healthz', 'http://localhost/healthz', 'https://localhost:1/healthz',
    'https://localhost@example.com/healthz', 'https://x@localhost/healthz', 'https:///healthz', 'ftp://localhost/healthz']
    .map((target) => [`'${target}' and Host: localhost`, line(`GET ${target} HTTP/1.1`), 421]),
  ['absolute, without Host', 'GET https://localhost/healthz HTTP/1.0\r\n\r\n', 421],
  ['authority', line('CONNECT localhost:22 HTTP/1.1'), 404],
  ['authority with GET', line('GET localhost:22 HTTP/1.1'), 404],
  ['asterisk', line('OPTIONS * HTTP/1.1'), 404],
  ...['healthz', '/healthz/', '//healthz', '/./healthz', '/x/../healthz', '/%68ealthz', '/healthz%00', '/healthz;x', '/healthz#x',
    '/../../etc/passwd', '/%2e%2e/%2e%2e/etc/passwd', '/..%2f..%2fetc%2fpasswd', '/..%5c..%5cetc', '/..\\..\\etc',
    '/%c0%ae%c0%ae/etc/passwd', '/%e0%80%ae./x', '/%252e%252e/x', '/%u002e%u002e/x', '/desktop/..%2f..', '/desktop/%00', '/desktop/a%2fb',
    '/.well-known/acme-challenge/..%2fdeskgate.conf', '/tls/key.pem', '/deskgate.db'].map((path) => [path, get('', path), 404]),
]);

torture('absolute targets of this server, RFC 9112 section 3.2.2', [
  ['as it is', `GET https://localhost/healthz HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`, 200],
  ['however it is written', `GET HTTPS://LocalHost/healthz?x=y HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`, 200],
  ['a port', 'GET https://localhost:8443/healthz HTTP/1.1\r\nHost: localhost:8443\r\nConnection: close\r\n\r\n', 200],
  ['no path', `GET https://localhost HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`, 200],
  ['a session is wanted there, too', `GET https://localhost/api/session HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`, 401],
]);

torture('Host', [
  ['none', 'GET /healthz HTTP/1.1\r\n\r\n', 400],
  ['none, HTTP/1.0', 'GET /healthz HTTP/1.0\r\n\r\n', 200],
  ['two', `GET /healthz HTTP/1.1\r\n${HOST}${HOST}\r\n`, 400],
  ['two, different', `GET /healthz HTTP/1.1\r\n${HOST}Host: example.com\r\n\r\n`, 400],
  ['rubbish', 'GET /healthz HTTP/1.1\r\nHost: a/b\r\n\r\n', 400],
  ['user information', 'GET /healthz HTTP/1.1\r\nHost: localhost@example.com\r\n\r\n', 400],
  ['foreign, which changes nothing', 'GET /healthz HTTP/1.1\r\nHost: example.com\r\nConnection: close\r\n\r\n', 200],
]);

torture('one behind another', [
  ['three good ones', GOOD + GOOD + LAST, 200, 200, 200],
  ['behind a body', post('Content-Length: 2\r\n', `{}${LAST}`), 400, 200],
  ['behind chunks', post('Transfer-Encoding: chunked\r\n', `2\r\n{}\r\n0\r\n\r\n${LAST}`), 400, 200],
  ['behind an upgrade that is refused', get('Upgrade: websocket\r\nConnection: Upgrade\r\n', '/tunnel/echo') + HIDDEN, 401],
  ['behind an upgrade that nobody offers', get('Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n') + LAST, 200, 200],
  ['behind a refusal', line('GET /healthz HTTP/3.0') + HIDDEN, 505],
  ['rubbish behind a good one', `${GOOD}\0\0\0\0${HIDDEN}`, 400],
]);

// The answer to what was asked before is not cut, when it has gone out.
test('after a good answer, what is no request is refused', async () => {
  for (const upgrade of ['', 'Upgrade: h2c\r\nConnection: Upgrade\r\n']) {
    const wire = await gateway.wire();
    wire.send(get(upgrade));
    assert.equal((await wire.answer()).status, 200);
    wire.send('GET /healthz HTTP/1.1\nHost: localhost\n\n');
    assert.equal((await wire.answer()).status, 400);
    assert.equal((await wire.rest()).length, 0);
    wire.end();
  }
  await canary.heard();
});

// BREACH wants a secret and a stranger's words in one compressed answer: only files of the build are
// compressed, and they hold neither.
test('no answer that is made for somebody is compressed', async () => {
  const headers = { 'Accept-Encoding': 'gzip, br, deflate, zstd', 'X-Words': 'of a stranger' };
  const token = await anna.token();
  for (const path of ['/api/session', '/api/desktops', '/api/sessions', '/healthz', '/nothing?of=a-stranger', '/api/visits/1']) {
    for (const by of [undefined, token]) {
      assert.equal((await gateway.http('GET', path, { headers, token: by })).headers['content-encoding'], undefined, path);
    }
  }
  const page = await gateway.http('GET', '/?words=of-a-stranger', { headers });
  assert.equal(page.headers['content-encoding'], 'br');
  assert.deepEqual(page.bytes, (await gateway.http('GET', '/', { headers, token })).bytes, 'the same for everybody');
});

// However it is cut: the guard looks at bytes, not at packets.
test('byte by byte', { timeout: 60_000 }, async () => {
  const send = async (text) => {
    const wire = await gateway.wire();
    for (const byte of Buffer.from(text, 'latin1')) {
      wire.send(Buffer.from([byte]));
      await new Promise(setImmediate);
    }
    const answer = await wire.answer();
    wire.end();
    return answer.status;
  };
  assert.equal(await send(LAST), 200);
  assert.equal(await send(post('Content-Length: 4\r\nTransfer-Encoding: chunked\r\n', chunks)), 400);
  assert.equal(await send(get('X: a\rY: b\r\n')), 400);
});

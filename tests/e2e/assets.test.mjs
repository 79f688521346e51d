// The pages and what belongs to them: served from memory, each in the variant that the client
// takes, again only when it has changed, with the headers that its kind needs; and nothing else.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { brotliCompressSync, brotliDecompressSync, gunzipSync } from 'node:zlib';
import { Gateway } from './lib/gateway.mjs';
import { root } from './lib/proc.mjs';

const web = join(root, 'web');
const VIEWER = ['/viewer/LICENSE.txt', '/viewer/rdp.js', '/viewer/rdp.wasm'];
const NOT_SERVED = /^(meson\.build|package(-lock)?\.json|NOTICE|node_modules\/.*|.*\.md)$/;

// What lies in web/ and is meant for browsers, whether web/meson.build lists it or not.
const pages = readdirSync(web, { recursive: true })
  .filter((name) => !NOT_SERVED.test(name) && statSync(join(web, name)).isFile())
  .map((name) => `/${name}`);
const all = [...pages, ...VIEWER];

const PORTAL_POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; " +
  "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const VIEWER_POLICY = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; " +
  "img-src 'self' data: blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const DATA_POLICY = "default-src 'none'; frame-ancestors 'none'";

const TYPES = {
  css: 'text/css; charset=utf-8', html: 'text/html; charset=utf-8', js: 'text/javascript; charset=utf-8',
  svg: 'image/svg+xml', txt: 'text/plain; charset=utf-8', wasm: 'application/wasm',
};
const DECODE = { br: brotliDecompressSync, gzip: gunzipSync };

let gateway;
before(async () => { gateway = await Gateway.make(); });
after(() => gateway?.remove());
const options = { timeout: 60_000 };

// As it comes over the wire: {status, headers, body}, undecoded.
function ask(path, { method = 'GET', headers = {} } = {}) {
  return new Promise((fulfil, fail) => {
    const sent = request({
      host: '127.0.0.1', port: gateway.port, ca: gateway.ca, servername: 'localhost', agent: false,
      method, path, headers: { Host: `localhost:${gateway.port}`, ...headers }, timeout: 20_000,
    }, (answer) => {
      const pieces = [];
      answer.on('data', (piece) => pieces.push(piece));
      answer.on('error', fail);
      answer.on('end', () => fulfil({
        status: answer.statusCode, headers: answer.headers, body: Buffer.concat(pieces),
      }));
    });
    sent.on('timeout', () => sent.destroy(new Error(`${method} ${path}: no answer`)));
    sent.on('error', fail);
    sent.end();
  });
}

const encoded = (coding) => (coding ? { headers: { 'Accept-Encoding': coding } } : {});

test('each file comes as it is in the tree', options, async () => {
  for (const path of pages) {
    const { status, headers, body } = await ask(path);
    assert.equal(status, 200, `${path}: is it listed in web/meson.build?`);
    assert.ok(body.equals(readFileSync(join(web, path))), path);
    assert.equal(headers['content-encoding'], undefined, path);
  }
  const home = await ask('/');
  assert.ok(home.body.equals(readFileSync(join(web, 'index.html'))));
  assert.ok((await ask('/index.html?from=here')).body.equals(home.body));
});

test('each variant decodes to the same bytes, under an ETag of its own', options, async () => {
  for (const path of all) {
    const plain = await ask(path);
    assert.equal(plain.status, 200, path);
    const etags = new Set([plain.headers.etag]);
    let variants = 1;
    for (const coding of ['br', 'gzip', 'gzip, deflate, br', 'identity', 'zstd', 'br;q=0, gzip;q=0']) {
      const got = await ask(path, encoded(coding));
      const name = got.headers['content-encoding'];
      assert.equal(got.status, 200, path);
      assert.equal(Number(got.headers['content-length']), got.body.length, path);
      assert.equal(got.headers['content-type'], plain.headers['content-type'], path);
      assert.equal(got.headers.vary, 'Accept-Encoding', path);
      const bytes = name ? DECODE[name](got.body) : got.body;
      assert.ok(bytes.equals(plain.body), `${path} as ${coding}`);
      if (name) assert.ok(got.body.length < plain.body.length, `${path} as ${name} is smaller`);
      if (coding === 'br' || coding === 'gzip') {
        assert.ok(name === coding || name === undefined, `${path} as ${coding}`);
        if (name) variants++;
        etags.add(got.headers.etag);
      } else if (!coding.includes('deflate')) {
        assert.equal(name, undefined, `${path} as ${coding}`);
      }
    }
    assert.equal(etags.size, variants, `${path}: ${[...etags]}`);
    for (const etag of etags) assert.match(etag, /^"[0-9a-f]{32}(-br|-gz)?"$/);
    if (plain.body.length > 1000) assert.equal(variants, 3, `${path} has its variants`);
  }
});

test('Brotli before gzip, unless the client weighs otherwise', options, async () => {
  for (const [header, due] of [['gzip, br', 'br'], ['gzip;q=1, br;q=0.5', 'gzip'], ['*', 'br'],
    ['br;q=0, *;q=0.1', 'gzip'], ['gzip;q=0.5, identity', undefined]]) {
    const { headers } = await ask('/viewer/rdp.js', encoded(header));
    assert.equal(headers['content-encoding'], due, header);
  }
});

test('what the client has is not sent again', options, async () => {
  for (const path of ['/', ...all]) {
    for (const coding of [undefined, 'gzip', 'br']) {
      const first = await ask(path, encoded(coding));
      assert.equal(first.headers['cache-control'], 'no-cache', path);
      const headers = { ...encoded(coding).headers, 'If-None-Match': `"other", W/${first.headers.etag}` };
      const again = await ask(path, { headers });
      assert.equal(again.status, 304, path);
      assert.equal(again.body.length, 0);
      for (const name of ['etag', 'vary', 'cache-control', 'content-security-policy']) {
        assert.equal(again.headers[name], first.headers[name], `${path} ${name}`);
      }
    }
  }
  const brotli = (await ask('/viewer/rdp.js', encoded('br'))).headers.etag;
  const other = await ask('/viewer/rdp.js', { headers: { 'If-None-Match': brotli } });
  assert.equal(other.status, 200, 'another variant is another thing');
});

test('a connection goes on after 304 and HEAD', options, async () => {
  const wire = await gateway.wire();
  const { etag } = (await ask('/style.css')).headers;
  const host = `Host: localhost:${gateway.port}`;
  wire.send(`GET /style.css HTTP/1.1\r\n${host}\r\nIf-None-Match: ${etag}\r\n\r\n`);
  assert.match((await wire.readTo('\r\n\r\n')).toString(), /^HTTP\/1.1 304 /);
  wire.send(`HEAD /style.css HTTP/1.1\r\n${host}\r\n\r\n`);
  assert.match((await wire.readTo('\r\n\r\n')).toString(), /^HTTP\/1.1 200 /);
  wire.send(`GET /style.css HTTP/1.1\r\n${host}\r\n\r\n`);
  const { status, body } = await wire.answer();
  assert.equal(status, 200);
  assert.ok(body.equals(readFileSync(join(web, 'style.css'))));
  wire.end();
});

test('HEAD says what GET would', options, async () => {
  for (const path of ['/', ...all]) {
    for (const coding of [undefined, 'br']) {
      const [get, head] = [await ask(path, encoded(coding)), await ask(path, { method: 'HEAD', ...encoded(coding) })];
      assert.equal(head.status, 200, path);
      assert.equal(head.body.length, 0, path);
      delete get.headers.date;
      delete head.headers.date;
      assert.deepEqual(head.headers, get.headers, path);
    }
  }
});

test('each kind of answer has the headers that it needs', options, async () => {
  for (const path of ['/', ...all, '/healthz', '/nothing', '/api/session']) {
    const { headers } = await ask(path);
    const page = path === '/' || all.includes(path);
    assert.equal(headers['content-security-policy'], page ? PORTAL_POLICY : DATA_POLICY, path);
    assert.equal(headers['cache-control'], page ? 'no-cache' : 'no-store', path);
    assert.equal(headers['x-content-type-options'], 'nosniff', path);
    assert.equal(headers['x-frame-options'], 'DENY', path);
    assert.equal(headers['referrer-policy'], 'no-referrer', path);
    assert.equal(headers['cross-origin-opener-policy'], 'same-origin', path);
    assert.equal(headers['cross-origin-resource-policy'], 'same-origin', path);
    assert.match(headers['strict-transport-security'], /^max-age=\d{8}$/, path);
    for (const due of ['camera=()', 'microphone=()', 'geolocation=()', 'clipboard-read=(self)',
      'clipboard-write=(self)', 'fullscreen=(self)', 'keyboard-map=(self)']) {
      assert.ok(headers['permissions-policy'].split(', ').includes(due), `${path} ${due}`);
    }
    if (page) assert.equal(headers['content-type'], TYPES[path === '/' ? 'html' : path.split('.').pop()], path);
  }
});

test("the viewer's page is there for each desktop, and may run WebAssembly", options, async () => {
  for (const path of ['/desktop/office', '/desktop/b%C3%BCro', '/desktop/a.b-c_d']) {
    const { status, headers, body } = await ask(path);
    if (!pages.includes('/viewer.html')) {
      assert.equal(status, 404, path);
      continue;
    }
    assert.equal(status, 200, path);
    assert.equal(headers['content-security-policy'], VIEWER_POLICY);
    assert.ok(body.equals(readFileSync(join(web, 'viewer.html'))));
  }
});

test('nothing else is there', options, async () => {
  for (const path of ['/nothing', '/index.htm', '/INDEX.HTML', '/index.html/', '//index.html', '/./index.html',
    '/lang/../index.html', '/../web/index.html', '/../../etc/passwd', '/%69ndex.html', '/index%2ehtml',
    '/index.html%00', '/%2e%2e/index.html', '/..%2f..%2fetc%2fpasswd', '/viewer/..%2findex.html', '/viewer',
    '/viewer/', '/viewer//rdp.js', '/viewer%2frdp.js', '/index.html.br', '/index.html.gz', '/viewer/rdp.wasm.br',
    '/meson.build', '/package.json', '/package-lock.json', '/NOTICE', '/web.c', '/desktop', '/desktop/',
    '/desktop/a/b', '/desktop/a%2fb', '/desktop/%00', '/desktop/..%2f..%2fetc%2fpasswd']) {
    const { status, headers } = await ask(path);
    assert.equal(status, 404, path);
    assert.equal(headers['content-type'], 'application/json', path);
  }
  for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) {
    const { status, headers } = await ask('/index.html', { method });
    assert.equal(status, 405, method);
    assert.equal(headers.allow, 'GET, HEAD', method);
  }
});

test('the WebAssembly module is whole, and its script asks for it', options, async () => {
  const { headers, body } = await ask('/viewer/rdp.wasm', encoded('br'));
  assert.equal(headers['content-type'], 'application/wasm');
  const module = await WebAssembly.compile(brotliDecompressSync(body));
  assert.ok(WebAssembly.Module.exports(module).some(({ name }) => name === 'memory'));
  const script = (await ask('/viewer/rdp.js')).body.toString();
  assert.equal(script.split('new URL("/viewer/rdp.wasm", import.meta.url)').length, 2);
  assert.ok(!script.includes('data:application/wasm'));
});

// What a page refers to by an address of ours. Policy forbids inline scripts and styles; here it is
// found before a browser does.
test('pages refer only to what is there, and to nothing inline', options, async () => {
  const pattern = { html: /\b(?:src|href)="([^"#?]+)"/g, css: /url\(["']?([^"')]+)["']?\)/g,
    js: /\b(?:from|import)\s*\(?\s*["']([./][^"']+)["']/g };
  for (const path of pages) {
    const text = readFileSync(join(web, path), 'utf8');
    for (const [, address] of text.matchAll(pattern[path.split('.').pop()] ?? /(?!)/g)) {
      if (/^data:/.test(address)) continue;
      const { origin, pathname } = new URL(address, `https://here${path === '/viewer.html' ? '/desktop/x' : path}`);
      assert.equal(origin, 'https://here', `${path}: ${address}`);
      assert.equal((await ask(pathname)).status, 200, `${path}: ${address}`);
    }
    if (path.endsWith('.html')) {
      assert.doesNotMatch(text, /<style|\sstyle=|\son\w+=|<script(?![^>]*\bsrc=)|javascript:/i, path);
    }
  }
});

test("compressed, and in both languages: the portal is below 32 KiB, the viewer without its package below 60, administration below 32", options, () => {
  const size = (paths) => paths.reduce((sum, path) => sum + brotliCompressSync(readFileSync(join(web, path))).length, 0);
  const kind = (path) => path.match(/admin|viewer/)?.[0] ?? 'portal';
  for (const [name, most] of [['portal', 32], ['viewer', 60], ['admin', 32]]) {
    const bytes = size(pages.filter((path) => kind(path) === name));
    assert.ok(bytes > 10_000 && bytes < most * 1024, `${name}: ${bytes} bytes`);
  }
});

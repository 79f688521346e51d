import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pretend } from './portal_rig.mjs';

const { api, apiFile, ApiError } = await import('/api.js');

/** The gateway answers once with this; what was asked is handed back. */
function answer(t, body, init) {
  const asked = {};
  pretend(t, 'fetch', async (path, options) => {
    Object.assign(asked, { path, ...options });
    return new Response(body, init);
  });
  return asked;
}

test('a request is JSON to the same origin, never cached, never redirected', async (t) => {
  const asked = answer(t, '{"status":"signed_out"}');
  assert.deepEqual(await api('POST', '/api/sessions/end', {}), { status: 'signed_out' });
  assert.equal(asked.method, 'POST');
  assert.equal(asked.body, '{}');
  assert.equal(asked.headers['Content-Type'], 'application/json');
  assert.equal(asked.credentials, 'same-origin');
  assert.equal(asked.cache, 'no-store');
  assert.equal(asked.redirect, 'error');
});

test('a GET has no body', async (t) => {
  const asked = answer(t, '{}');
  await api('GET', '/api/session');
  assert.equal(asked.body, undefined);
  assert.equal(asked.headers, undefined);
});

const REFUSALS = [
  ['the gateway\'s own error', '{"error":"too_many_attempts","message":"Wait.","id":"x"}', 429, { 'Retry-After': '30' },
    { status: 429, code: 'too_many_attempts', message: 'Wait.', retryAfter: 30 }],
  ['no Retry-After', '{"error":"no_session","message":"Sign in.","id":"x"}', 401, {},
    { status: 401, code: 'no_session', message: 'Sign in.', retryAfter: 0 }],
  ['a proxy\'s page', '<html>Bad gateway</html>', 502, {}, { status: 502, code: 'failed', message: '', retryAfter: 0 }],
  ['null', 'null', 500, {}, { status: 500, code: 'failed', message: '', retryAfter: 0 }],
];

for (const [name, body, status, headers, want] of REFUSALS) {
  test(`refused: ${name}`, async (t) => {
    answer(t, body, { status, headers });
    await assert.rejects(api('GET', '/api/session'), (error) => {
      assert.ok(error instanceof ApiError);
      const { code, message, retryAfter } = error;
      assert.deepEqual({ status: error.status, code, message, retryAfter }, want);
      return true;
    });
  });
}

test('no answer at all is an error with a code as well', async (t) => {
  pretend(t, 'fetch', async () => {
    throw new TypeError('Failed to fetch');
  });
  await assert.rejects(api('GET', '/api/session'), { status: 0, code: 'unreachable' });
});

test('a file comes with its name', async (t) => {
  answer(t, 'full address:s:x\r\n', { headers: { 'Content-Disposition': 'attachment; filename="office.rdp"' } });
  const file = await apiFile('/api/desktops/office/rdp');
  assert.equal(file.name, 'office.rdp');
  assert.equal(await file.blob.text(), 'full address:s:x\r\n');
});

test('a file without a name gets one; a refused file is an error', async (t) => {
  answer(t, 'x');
  assert.equal((await apiFile('/api/desktops/office/rdp')).name, 'desktop.rdp');
  answer(t, '{"error":"no_desktop","message":"","id":"x"}', { status: 404 });
  await assert.rejects(apiFile('/api/desktops/office/rdp'), { status: 404, code: 'no_desktop' });
});

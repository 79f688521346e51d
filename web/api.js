// The gateway's API: JSON both ways, the session in a cookie that scripts cannot read.

export class ApiError extends Error {
  constructor(status, code, message, { retryAfter = 0, reason = '' } = {}) {
    super(message);
    Object.assign(this, { status, code, retryAfter, reason });
  }
}

async function readJson(response) {
  try {
    return await response.json();
  } catch {
    return null;
  }
}

async function request(method, path, body) {
  const options = { method, credentials: 'same-origin', cache: 'no-store', redirect: 'error' };
  if (body !== undefined) {
    options.headers = { 'Content-Type': 'application/json' };
    options.body = JSON.stringify(body);
  }
  try {
    return await fetch(path, options);
  } catch {
    throw new ApiError(0, 'unreachable', 'The gateway does not answer.');
  }
}

/** Told to the window when the session is over, whoever asked. */
export const SESSION_OVER = 'deskgate-session-over';

async function refused(response) {
  const answer = await readJson(response);
  if (answer?.error === 'no_session') globalThis.dispatchEvent?.(new Event(SESSION_OVER));
  return new ApiError(response.status, answer?.error ?? 'failed', answer?.message ?? '',
    { retryAfter: Number(response.headers.get('Retry-After') ?? 0), reason: answer?.reason ?? '' });
}

/** The answer's JSON; throws ApiError. */
export async function api(method, path, body) {
  const response = await request(method, path, body);
  if (!response.ok) throw await refused(response);
  return readJson(response);
}

/** The same for a file: {blob, name}. */
export async function apiFile(path) {
  const response = await request('GET', path);
  if (!response.ok) throw await refused(response);
  const name = /filename="([^"]+)"/.exec(response.headers.get('Content-Disposition') ?? '')?.[1];
  return { blob: await response.blob(), name: name ?? 'desktop.rdp' };
}

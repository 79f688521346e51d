// The command line's sub-verbs over HTTP. What wants a fresh second factor asks for one first.
import { api } from '/api.js';
import { withFactor } from '/parts/factor.js';

/** What GET /api/admin/… gives: look('audit/list', {last: 100}), look('desktop/show', {word: 'x'}). */
export async function look(path, values = {}) {
  const query = Object.entries(values).filter(([, value]) => value !== '' && value !== undefined && value !== null && value !== false)
    .map(([key, value]) => (value === true ? key : `${encodeURIComponent(key)}=${encodeURIComponent(value)}`)).join('&');
  const { result } = await withFactor(() => api('GET', `/api/admin/${path}${query ? `?${query}` : ''}`));
  return result;
}

/** Does something: act('grant/add', ['anna', 'office'], {}). Gives {result} or {said}. */
export async function act(path, words = [], options = {}) {
  return withFactor(() => api('POST', `/api/admin/${path}`, { words, options }));
}

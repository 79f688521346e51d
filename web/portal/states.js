// Whether desktops answer: asked a few at a time, again every half minute while somebody looks.
import { api } from '/api.js';

const AT_ONCE = 4;
const AGAIN_MS = 30_000;

async function ask(name) {
  try {
    return (await api('GET', `/api/desktops/${encodeURIComponent(name)}/state`)).state;
  } catch {
    return 'unknown';
  }
}

/** Calls told(name, state) for each, until the signal says stop. */
export function watchStates(names, told, signal) {
  let timer;

  async function work(queue) {
    for (let name = queue.shift(); name !== undefined && !signal.aborted; name = queue.shift()) {
      const state = await ask(name);
      if (!signal.aborted) told(name, state);
    }
  }

  async function round() {
    if (document.visibilityState === 'visible') {
      const queue = [...names];
      await Promise.all(Array.from({ length: AT_ONCE }, () => work(queue)));
    }
    if (!signal.aborted) timer = setTimeout(round, AGAIN_MS);
  }

  signal.addEventListener('abort', () => clearTimeout(timer));
  round();
}

// What the portal's modules find in a browser, for Node: absolute imports, and a document that
// only remembers. A test imports this before the modules.
import { register } from 'node:module';

const web = new URL('../../web/', import.meta.url);

const hooks = `
  export async function resolve(specifier, context, next) {
    if (!specifier.startsWith('/')) return next(specifier, context);
    return next(new URL('.' + specifier, ${JSON.stringify(web.href)}).href, context);
  }
  export async function load(url, context, next) {
    // No package.json says that web/ holds modules; the gate serves them as such.
    return next(url, url.startsWith(${JSON.stringify(web.href)}) ? { ...context, format: 'module' } : context);
  }`;
register(`data:text/javascript,${encodeURIComponent(hooks)}`);

/** Sets a global for one test; Node has some (navigator) that plain assignment does not replace. */
export function pretend(test, name, value) {
  const before = Object.getOwnPropertyDescriptor(globalThis, name);
  Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
  test.after(() => {
    if (before) Object.defineProperty(globalThis, name, before);
    else delete globalThis[name];
  });
}

/** A browser whose person prefers `languages`; `stored` is what was chosen before, or null. */
export function browser(test, { languages = ['en'], stored = null, storage = true } = {}) {
  const kept = new Map(stored === null ? [] : [['deskgate-lang', stored]]);
  const forbid = () => {
    throw new Error('storage is forbidden');
  };
  const nodes = [];
  pretend(test, 'navigator', { languages });
  pretend(test, 'localStorage', storage
    ? { getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => kept.set(key, value) }
    : { getItem: forbid, setItem: forbid });
  pretend(test, 'document', { documentElement: {}, querySelectorAll: () => nodes, visibilityState: 'visible' });
  return { kept, nodes };
}

let copies = 0;

/** A module of web/ of its own, with none of the state that another test left. */
export const fresh = (path) => import(`${new URL(path, web).href}?copy=${++copies}`);

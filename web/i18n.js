// Words in the person's language. Each part of the site has one file per language in /lang.

const LANGUAGES = ['en', 'ja'];
const KEY = 'deskgate-lang';

const words = {}; // of the present language, with English behind what it lacks
const parts = [];

function stored() {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null; // storage may be forbidden
  }
}

function choose() {
  const wanted = [stored(), ...(navigator.languages ?? [navigator.language])];
  for (const one of wanted) {
    const base = one?.toLowerCase().split('-')[0];
    if (LANGUAGES.includes(base)) return base;
  }
  return 'en';
}

export let language = 'en';

async function load(part) {
  const prefix = part === 'portal' ? '' : `${part}.`;
  const { default: english } = await import(`/lang/${prefix}en.js`);
  Object.assign(words, english);
  if (language === 'en') return;
  const { default: own } = await import(`/lang/${prefix}${language}.js`);
  Object.assign(words, own);
}

/** The text for a key, with {name} replaced by values.name. */
export function t(key, values = {}) {
  const text = words[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

/** Fills in what carries a key: data-t its text, data-t-label its aria-label, data-t-placeholder. */
export function fill(root = document) {
  for (const node of root.querySelectorAll('[data-t]')) node.textContent = t(node.dataset.t);
  for (const node of root.querySelectorAll('[data-t-label]')) node.setAttribute('aria-label', t(node.dataset.tLabel));
  for (const node of root.querySelectorAll('[data-t-placeholder]')) node.placeholder = t(node.dataset.tPlaceholder);
}

/** Loads the words of a part ('portal', 'viewer') and fills in the document. */
export async function setUp(part) {
  if (!parts.includes(part)) parts.push(part);
  language = choose();
  document.documentElement.lang = language;
  for (const one of parts) await load(one);
  fill();
}

/** Another language, remembered in this browser. */
export async function setLanguage(wanted) {
  try {
    localStorage.setItem(KEY, wanted);
  } catch {
    // it then lasts as long as the page
  }
  language = LANGUAGES.includes(wanted) ? wanted : 'en';
  document.documentElement.lang = language;
  for (const one of parts) await load(one);
  fill();
}

export const languages = [['en', 'English'], ['ja', '日本語']];

// Which view is shown, and what is said of what was done. The fragment names the view and what it
// is about: #people, #people/anna.
import { t } from '/i18n.js';
import { h } from '/parts/dom.js';
import { words } from '/parts/form.js';
import { setUpFrame } from '/parts/frame.js';
import { addressesView } from './addresses.js';
import { alertsView } from './alerts.js';
import { auditView } from './audit.js';
import { desktopsView } from './desktops.js';
import { explainView } from './explain.js';
import { grantsView } from './grants.js';
import { groupsView, roomsView } from './groups.js';
import { liveView } from './live.js';
import { lockoutsView } from './lockouts.js';
import { peopleView } from './people.js';
import { settingsView } from './settings.js';
import { forgetTables } from './table.js';
import { unsent } from './unsent.js';

const VIEWS = {
  people: peopleView,
  groups: groupsView,
  desktops: desktopsView,
  rooms: roomsView,
  grants: grantsView,
  live: liveView,
  lockouts: lockoutsView,
  addresses: addressesView,
  explain: explainView,
  audit: auditView,
  alerts: alertsView,
  settings: settingsView,
};

const main = document.querySelector('main');
const heading = document.querySelector('h1');
const menu = document.querySelector('#views');
const trouble = document.querySelector('#trouble');
const told = document.querySelector('#told');
const kept = document.querySelector('#kept');

let leaving = new AbortController();
let drawing = null; // the last of what draw() does
let shown = null; // the fragment of what is in `main`
let parting = ''; // what is to be said on the page that comes next

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // typed by hand
  }
}

function place() {
  const [name, ...rest] = location.hash.slice(1).split('/');
  const known = Object.hasOwn(VIEWS, name);
  return { name: known ? name : 'people', about: known && rest.length ? decoded(rest.join('/')) : null };
}

function say(node, text) {
  node.textContent = text;
  node.hidden = !text;
}

function tell(error) {
  if (!error.code) throw error; // a mistake of ours
  say(trouble, words(error));
}

function drawMenu(name) {
  menu.replaceChildren(...Object.keys(VIEWS).map((view) => h('a', { href: `#${view}`, 'aria-current': view === name ? 'page' : null }, t(`admin.${view}`))));
}

/** What a view at this fragment may use. done(words): something was changed; shows the view again, unless it was left. */
const tools = (signal, fragment) => ({
  signal,
  tell,
  async done(text = '') {
    if (location.hash === fragment) await draw(true);
    say(told, text);
  },
  /** Shows what there is only once: it stays until the next view, whatever becomes of this one. */
  keep(node) {
    kept.append(node);
    node.scrollIntoView({ block: 'nearest' });
  },
  /** Leads to another view, and says this there. */
  go(hash, text = '') {
    const before = location.hash;
    parting = text;
    location.hash = hash;
    if (location.hash === before) void route();
  },
  /** Runs what a button is for, and says what the gateway said. */
  async run(call, text = null) {
    say(trouble, '');
    try {
      const { said, warning } = await call() ?? {};
      await this.done([text ?? said, warning].filter(Boolean).join(' '));
    } catch (error) {
      tell(error);
    }
  },
});

// A view that is shown again stays where it was, with what was typed; who was on what has gone goes on
// with the search, or at the heading.
function replace(nodes, { again, fragment }) {
  const { scrollTop } = document.scrollingElement;
  const restore = unsent(main);
  const stays = again && shown === fragment; // what was typed may be for somebody else
  main.replaceChildren(...nodes);
  shown = fragment;
  if (!stays) {
    heading.focus();
    return;
  }
  restore();
  if (document.activeElement === document.body) {
    const used = [...main.querySelectorAll('input[type=search]')].find((input) => input.value);
    (used ?? heading).focus({ preventScroll: true });
    document.scrollingElement.scrollTop = scrollTop;
  }
}

/** Shows the view of the address; done when that, or what has taken its place meanwhile, is there. */
function draw(again = false) {
  drawing = drawNow(again);
  return drawing;
}

async function drawNow(again) {
  leaving.abort();
  leaving = new AbortController();
  const { signal } = leaving;
  const fragment = location.hash;
  const { name, about } = place();
  drawMenu(name);
  main.setAttribute('aria-busy', 'true');
  try {
    const { title, nodes } = await VIEWS[name](about, tools(signal, fragment));
    if (signal.aborted) return;
    heading.textContent = title;
    document.title = `${title} · ${t('title')}`;
    replace([heading, ...nodes.flat(Infinity).filter(Boolean)], { again, fragment });
  } catch (error) {
    if (!signal.aborted) {
      heading.textContent = t(`admin.${name}`);
      main.replaceChildren(heading, h('button', { type: 'button', class: 'plain', on: { click: () => route() } }, t('admin.again')));
    }
    tell(error);
  } finally {
    if (signal.aborted) await drawing;
    else main.removeAttribute('aria-busy');
  }
}

function route() {
  say(trouble, '');
  say(told, parting);
  parting = '';
  kept.replaceChildren();
  forgetTables();
  return draw();
}

const toPortal = () => location.assign('/');

await setUpFrame({ parts: ['portal', 'admin'], redraw: route, signedOut: toPortal, over: toPortal, tell });
addEventListener('hashchange', route);
await route();

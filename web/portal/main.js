// Which view is shown. The address's fragment names it, so that back and forward work; who is not
// signed in sees the sign-in, and then what was wanted.
import { api } from '/api.js';
import { t } from '/i18n.js';
import { h } from '/parts/dom.js';
import { words } from '/parts/form.js';
import { setUpFrame } from '/parts/frame.js';
import { accountView } from './account.js';
import { changeView } from './change.js';
import { desktopsView } from './desktops.js';
import { recoveryView } from './recovery.js';
import { setupView } from './setup.js';
import { signInView } from './sign-in.js';

const INVITATION = /^#setup=([\w-]{1,128})$/;
const OPEN = /^#open=([^&]{1,256})$/; // the way back to a desktop whose page was left for the sign-in

const main = document.querySelector('main');
const heading = document.querySelector('h1');
const nav = document.querySelector('nav');
const trouble = document.querySelector('#trouble'); // of what no form of the view has done

let invitation = null;
let redraw = () => {}; // the present view, again: after a change of language
let leaving = new AbortController();
let signedIn = false;
let role = null; // of who is signed in; null: not asked yet
let asking = false; // for the sign-in, so that several answers to the same effect lead there once

function tell(error) {
  if (!error.code) throw error; // a mistake of ours
  trouble.textContent = words(error);
  trouble.hidden = error.code === 'no_session'; // the sign-in says it
}

/** The way to administration, for those who may go it. */
async function showAdminister() {
  const link = document.querySelector('#administer');
  try {
    role ??= (await api('GET', '/api/session')).role;
  } catch {
    return; // whoever asks next, shows what is wrong
  }
  link.hidden = role !== 'administrator';
}

/** Shows {title, nodes, narrow}; the heading gets the focus, so that it is read out. */
function show(view, options) {
  signedIn = options.signedIn;
  trouble.hidden = true;
  heading.textContent = view.title;
  document.title = `${view.title} · ${t('title')}`;
  main.classList.toggle('narrow', view.narrow ?? false);
  main.replaceChildren(heading, ...view.nodes.flat(Infinity).filter(Boolean));
  nav.hidden = !signedIn;
  if (signedIn) void showAdminister();
  else role = null;
  for (const link of nav.querySelectorAll('a[href^="#"]')) {
    if (link.hash === (location.hash || '#desktops')) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  heading.focus();
}

/** Runs `make`, which shows something; the one before stops what it was doing. */
async function draw(make) {
  leaving.abort();
  leaving = new AbortController();
  const { signal } = leaving;
  redraw = () => draw(make);
  main.setAttribute('aria-busy', 'true');
  try {
    const [view, options] = await make(signal);
    if (!signal.aborted) show(view, options);
  } catch (error) {
    if (!error.code) throw error;
    if (error.code === 'invitation') invitation = null; // a dead one is no reason to stay
    if (error.code === 'password_change_due') {
      if (!signal.aborted) await change();
      return;
    }
    if (!signal.aborted) show({ title: t('title'), nodes: [h('p', { class: 'alert', role: 'alert' }, words(error)), retry()] }, { signedIn: false });
  } finally {
    if (!signal.aborted) main.removeAttribute('aria-busy');
  }
}

const retry = () => h('button', { type: 'button', class: 'plain', on: { click: () => route() } }, t('nav.desktops'));

function signIn(notice = null) {
  asking = true;
  return draw(async () => [signInView({ notice, done: route }), { signedIn: false }]);
}

function go(hash) {
  if (location.hash === hash) route();
  else location.hash = hash;
}

function recovery(answer) {
  const done = () => go('#desktops');
  return draw(async () => [recoveryView({ name: answer.username, codes: answer.recovery_codes, done }), { signedIn: false }]);
}

const change = () => draw(async () => [await changeView({ done: () => (wanted() === null ? go('#desktops') : route()) }), { signedIn: true }]);

function setup() {
  const done = (answer) => {
    invitation = null;
    recovery(answer);
  };
  return draw(async () => [await setupView({ invitation, done }), { signedIn: false }]);
}

function account(notice = null) {
  const everywhere = () => api('POST', '/api/sessions/end', {}).then(() => signIn('signIn.everywhere'), tell);
  return draw(async () => [await accountView({ notice, renew: account, enrolled: recovery, everywhere }), { signedIn: true }]);
}

/** The desktop that the address asks for, in whatever words: the list decides what it is. Or null. */
function wanted() {
  try {
    return decodeURIComponent(OPEN.exec(location.hash)[1]);
  } catch {
    return null;
  }
}

/** On to one of the list; who comes back by the browser's button finds the list. */
function open(name) {
  history.replaceState(null, '', '/');
  location.assign(`/desktop/${encodeURIComponent(name)}`);
}

function route() {
  asking = false;
  if (invitation) return setup();
  if (location.hash === '#account') return account();
  return draw(async (signal) => [await desktopsView({ signal, wanted: wanted(), open }), { signedIn: true }]);
}

const valueOf = (input) => (input.type === 'checkbox' ? 'checked' : 'value');

/** Draws the view again, with what was typed into it, of which it hears as it did then. */
async function redrawKept() {
  const kept = [...main.querySelectorAll('input')].map((input) => input[valueOf(input)]);
  await redraw();
  const inputs = [...main.querySelectorAll('input')];
  if (inputs.length !== kept.length) return;
  inputs.forEach((input, i) => {
    if (input[valueOf(input)] === kept[i]) return;
    input[valueOf(input)] = kept[i];
    for (const type of ['input', 'change']) input.dispatchEvent(new Event(type, { bubbles: true }));
  });
}

/** The invitation is for this page alone: it leaves the address bar and the history at once. */
function takeInvitation() {
  const found = INVITATION.exec(location.hash);
  if (!found) return;
  [, invitation] = found;
  history.replaceState(null, '', '/');
}

takeInvitation();
await setUpFrame({
  parts: ['portal'],
  redraw: redrawKept,
  signedOut: () => signIn('signIn.signedOut'),
  over() {
    if (!asking) signIn(signedIn ? 'signIn.expired' : null);
  },
  tell,
});
addEventListener('hashchange', () => {
  takeInvitation();
  route();
});
route();

import { api, apiFile } from '/api.js';
import { t } from '/i18n.js';
import { copyButton } from '/parts/copy.js';
import { h } from '/parts/dom.js';
import { withFactor } from '/parts/factor.js';
import { words } from '/parts/form.js';
import { save } from '/parts/save.js';
import { ago } from '/parts/time.js';
import { showGatewayPassword } from './gateway-password.js';
import { watchStates } from './states.js';

const SEARCH_FROM = 6; // desktops

const command = (name) => `deskgate connect --exec 'xfreerdp /v:{}' ${location.origin} ${name}`;

// With the time in its name: a second file beside the first, whose ticket is used up, would be "(1)" of it.
const clock = (now) => [now.getHours(), now.getMinutes(), now.getSeconds()].map((part) => String(part).padStart(2, '0')).join('');

async function saveFile(name) {
  const file = await withFactor(() => apiFile(`/api/desktops/${encodeURIComponent(name)}/rdp`));
  const saved = file.name.replace(/(?=\.rdp$)/, `-${clock(new Date())}`);
  save(file.blob, saved);
  return saved;
}

function badge(desktop) {
  const node = h('span', { class: 'state', 'data-state': 'asking' }, t('desktops.asking'));
  return {
    node: h('p', { class: 'states' }, node, desktop.in_use && h('span', { class: 'state', 'data-state': 'mine' }, t('desktops.inUse'))),
    set(state) {
      node.dataset.state = state;
      node.textContent = t(`state.${state}`);
    },
  };
}

function card(desktop, offered, say) {
  const { name, description } = desktop;
  const state = badge(desktop);
  const used = desktop.last_used ? t('desktops.lastUsed', { when: ago(desktop.last_used) }) : t('desktops.never');
  const file = h('button', { type: 'button', class: 'plain', 'aria-label': t('desktops.rdpLabel', { name }), on: { click: () => saveFile(name).then(
    (saved) => say(t('desktops.rdpDone', { name: saved })), (error) => say(words(error))) } }, t('desktops.rdp'));
  const password = offered && h('button', { type: 'button', class: 'plain', 'aria-label': t('password.makeLabel', { name }), on: { click: () => showGatewayPassword(name).then(
    () => say(''), (error) => say(words(error))) } }, t('password.make'));
  const node = h('li', { class: 'card' },
    h('div', { class: 'what' },
      h('h2', {}, name),
      description && h('p', {}, description),
      state.node,
      h('p', { class: 'hint' }, used)),
    h('div', { class: 'row' },
      h('a', { class: 'button main', href: `/desktop/${encodeURIComponent(name)}`, target: '_blank', rel: 'noopener', 'aria-label': t('desktops.openLabel', { name }) }, t('desktops.open')),
      file,
      password,
      copyButton(() => command(name), { label: t('desktops.command'), name: t('desktops.commandLabel', { name }), done: () => say(t('desktops.commandDone'), command(name)), refused: () => say(t('desktops.commandRefused'), command(name)) })));
  return { name, node, state, text: `${name} ${description}`.toLowerCase() };
}

function search(cards, say) {
  const input = h('input', { type: 'search', id: 'search', autocomplete: 'off', spellcheck: 'false', on: { input() {
    const text = input.value.trim().toLowerCase();
    let found = 0;
    for (const one of cards) {
      one.node.hidden = !one.text.includes(text);
      found += one.node.hidden ? 0 : 1;
    }
    say(found ? '' : t('desktops.noMatch', { text: input.value.trim() }));
  } } });
  return h('div', { class: 'field search' }, h('label', { for: 'search' }, t('desktops.search')), input);
}

/** wanted: the name of one that is to be opened at once, or null; open(name) gets it when it is on the list. */
export async function desktopsView({ signal, wanted = null, open }) {
  const { desktops, gateway_passwords: offered } = await api('GET', '/api/desktops');
  const status = h('p', { class: 'notice', role: 'status', hidden: true });
  const say = (text, code = null) => {
    status.hidden = !text;
    status.replaceChildren(text, ...(code ? [' ', h('code', {}, code)] : []));
  };
  const cards = desktops.map((desktop) => card(desktop, offered, say));
  watchStates(desktops.map(({ name }) => name), (name, state) => {
    cards.find((one) => one.name === name).state.set(state);
  }, signal);
  const target = desktops.find(({ name }) => name.toLowerCase() === wanted?.toLowerCase());
  if (target && !signal.aborted) open(target.name);
  else if (wanted !== null) say(t('error.no_desktop'));
  return {
    title: t('desktops.title'),
    nodes: [
      cards.length >= SEARCH_FROM && search(cards, say),
      status,
      cards.length ? h('ul', { class: 'cards' }, cards.map(({ node }) => node)) : h('p', {}, t('desktops.none')),
    ],
  };
}

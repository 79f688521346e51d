// What the views are made of.
import { language, t } from '/i18n.js';
import { confirm } from '/parts/confirm.js';
import { field, h } from '/parts/dom.js';

export const section = (title, ...nodes) => h('section', {}, h('h2', {}, title), ...nodes);

/** A date and time in the person's language; '' for none. */
export function stamp(text) {
  if (!text) return '';
  return new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'short' }).format(new Date(text));
}

export const tags = (names) => names.map((name) => h('span', { class: 'tag' }, name));

/** Pairs of a label and something; what is empty is left out. */
export function facts(pairs) {
  return h('dl', { class: 'facts' }, pairs.filter(([, value]) => value !== '' && value !== null && value !== undefined)
    .map(([label, value]) => [h('dt', {}, label), h('dd', {}, value)]));
}

/** A button that asks before it acts, when `ask` is a question. */
export function action({ label, run, ask = null, danger = false, name = null }) {
  const button = h('button', { type: 'button', class: danger ? 'plain danger' : 'plain', 'aria-label': name && `${label}: ${name}`, on: { async click() {
    if (ask && !await confirm(ask, label)) return;
    button.disabled = true;
    try {
      await run();
    } finally {
      button.disabled = false;
    }
  } } }, label);
  return button;
}

/** A text field: {node, input}. */
export const text = ({ label, value = '', required = false, ...more }) =>
  field({ label, type: 'text', value, required, autocomplete: 'off', maxlength: 512, ...more });

let lists = 0;

/** A field with suggestions, for names that there are. */
export function choice({ label, names, ...more }) {
  const id = `list-${++lists}`;
  const made = text({ label, list: id, ...more });
  made.node.append(h('datalist', { id }, names.map((name) => h('option', { value: name }))));
  return made;
}

/** A choice of a few: pairs of value and label. */
export function select({ label, options, value }) {
  const id = `list-${++lists}`;
  const input = h('select', { id }, options.map(([one, words]) => h('option', { value: one, selected: one === value }, words)));
  return { input, node: h('div', { class: 'field' }, h('label', { for: id }, label), input) };
}

export function check({ label, checked = false }) {
  const input = h('input', { type: 'checkbox', checked });
  return { input, node: h('label', { class: 'check' }, input, label) };
}

/** Seconds as the command line takes and people read them: 5400 is "90m". */
export function span(seconds) {
  if (!seconds) return '';
  for (const [unit, size] of [['d', 86400], ['h', 3600], ['m', 60]]) {
    if (seconds % size === 0) return `${seconds / size}${unit}`;
  }
  return `${seconds}s`;
}

/** What is typed for a limit: nothing says none. */
export const orNone = (input) => input.value.trim() || 'none';

export const bytes = (count) => {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let unit = 0;
  while (count >= 1000 && unit < units.length - 1) {
    count /= 1000;
    unit++;
  }
  return `${new Intl.NumberFormat(language, { maximumFractionDigits: unit ? 1 : 0 }).format(count)} ${units[unit]}`;
};

export const who = (grant) => (grant.kind === 'group' ? t('admin.grants.group', { name: grant.who }) : grant.who);
export const what = (grant) => (grant.desktop_group ? t('admin.grants.desktopGroup', { name: grant.desktop }) : grant.desktop);

// A table with a search field and columns that can be sorted.
import { language, t } from '/i18n.js';
import { h } from '/parts/dom.js';

const SEARCH_FROM = 8; // rows

const textOf = (value) => (Array.isArray(value) ? value.join(' ') : String(value ?? ''));

function order(a, b) {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  return textOf(a).localeCompare(textOf(b), language, { numeric: true });
}

let tables = 0;
let memories = {}; // order and search of a view's tables, by their labels

/** Another view: its tables begin anew. */
export function forgetTables() {
  memories = {};
}

/**
 * columns: [{label, of(row) the value to sort and search by, show(row) its nodes, number}].
 * acts(row): buttons. empty: words when there is no row. label: its name; one that comes in its place has
 * the same order and search, until forgetTables().
 */
export function table({ columns, rows, acts = null, empty, label }) {
  memories[label] ??= {};
  const memory = memories[label];
  if (!rows.length) return h('p', { class: 'lead' }, empty);
  const body = h('tbody');
  const id = `search-${++tables}`;
  const nothing = h('p', { class: 'lead', role: 'status', hidden: true });
  let wanted = '';

  const heads = columns.map((column) => h('th', { scope: 'col', class: column.number ? 'number' : null },
    h('button', { type: 'button', on: { click: () => turn(column) } }, column.label)));

  function rowOf(row) {
    return h('tr', {}, columns.map((column) => h('td', { class: column.number ? 'number' : null, 'data-label': column.label },
      column.show ? column.show(row) : textOf(column.of(row)))),
    acts && h('td', { class: 'acts' }, acts(row)));
  }

  function draw() {
    const matches = rows.filter((row) => columns.map((column) => textOf(column.of(row))).join(' ').toLowerCase().includes(wanted));
    const column = columns.find((one) => one.label === memory.by);
    const shown = column ? [...matches].sort((a, b) => order(column.of(a), column.of(b)) * (memory.down ? -1 : 1)) : matches;
    body.replaceChildren(...shown.map(rowOf));
    heads.forEach((head, i) => {
      if (column === columns[i]) head.setAttribute('aria-sort', memory.down ? 'descending' : 'ascending');
      else head.removeAttribute('aria-sort');
    });
    nothing.hidden = shown.length > 0;
    nothing.textContent = shown.length ? '' : t('admin.noMatch', { text: wanted });
  }

  function turn(column) {
    Object.assign(memory, { by: column.label, down: memory.by === column.label && !memory.down });
    draw();
  }

  function search() {
    memory.search = input.value;
    wanted = input.value.trim().toLowerCase();
    draw();
  }

  const input = h('input', { type: 'search', id, value: memory.search ?? '', autocomplete: 'off', spellcheck: 'false', on: { input: search } });
  search();
  return [
    (rows.length >= SEARCH_FROM || wanted) && h('div', { class: 'field search' }, h('label', { for: id }, t('admin.search')), input),
    h('div', { class: 'table' }, h('table', { 'aria-label': label },
      h('thead', {}, h('tr', {}, heads, acts && h('th', { scope: 'col' }, h('span', { class: 'skip' }, t('admin.acts'))))), body)),
    nothing,
  ];
}

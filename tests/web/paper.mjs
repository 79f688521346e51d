// A document on paper: as much of a browser's as the pages' modules use, for tests that look at what
// they make and press it, without layout or style.
import { browser, fresh, pretend } from './portal_rig.mjs';

const PLAIN = ['id', 'type', 'title', 'href', 'name'];
const YES_OR_NO = ['hidden', 'disabled', 'checked', 'selected', 'required'];

/** One compound selector: tag, #id, .class, [attribute] and [attribute=value], in any number. */
function fits(node, selector) {
  const parts = selector.match(/^[a-z0-9]+|#[\w-]+|\.[\w-]+|\[[^\]]+\]/gi) ?? [];
  return parts.every((part) => {
    if (part[0] === '#') return node.id === part.slice(1);
    if (part[0] === '.') return node.classList.contains(part.slice(1));
    if (part[0] !== '[') return node.tag === part;
    const [name, value] = part.slice(1, -1).split('=');
    return node.attributes.has(name) && (value === undefined || node.attributes.get(name) === value.replace(/^["']|["']$/g, ''));
  });
}

export class PaperNode extends EventTarget {
  parent = null;
  kids = [];
  attributes = new Map();
  style = {};
  dataset = {};
  scrollLeft = 0;
  scrollTop = 0;

  constructor(paper, tag) {
    super();
    Object.assign(this, { paper, tag });
    this.value = '';
    this.returnValue = '';
    this.classList = {
      contains: (name) => (this.getAttribute('class') ?? '').split(' ').includes(name),
      toggle: (name, on) => {
        const names = new Set((this.getAttribute('class') ?? '').split(' ').filter(Boolean));
        if (on ?? !names.has(name)) names.add(name);
        else names.delete(name);
        this.setAttribute('class', [...names].join(' '));
      },
      add: (name) => this.classList.toggle(name, true),
      remove: (name) => this.classList.toggle(name, false),
    };
  }

  setAttribute(name, value) {
    this.attributes.set(name, String(value));
    if (name === 'value') this.value = String(value);
  }

  getAttribute(name) { return this.attributes.get(name) ?? null; }
  removeAttribute(name) { this.attributes.delete(name); }
  hasAttribute(name) { return this.attributes.has(name); }

  append(...nodes) {
    for (const node of nodes) {
      const one = typeof node === 'object' ? node : Object.assign(new PaperNode(this.paper, '#text'), { words: String(node) });
      one.remove();
      one.parent = this;
      this.kids.push(one);
    }
  }

  replaceChildren(...nodes) {
    for (const kid of [...this.kids]) kid.remove();
    this.append(...nodes);
  }

  remove() {
    if (this.paper.activeElement && this.contains(this.paper.activeElement)) this.paper.activeElement = this.paper.body;
    if (this.parent) this.parent.kids.splice(this.parent.kids.indexOf(this), 1);
    this.parent = null;
  }

  get isConnected() { return this.paper.root.contains(this); }
  get children() { return this.kids.filter((kid) => kid.tag !== '#text'); }
  get parentElement() { return this.parent; }

  get textContent() { return this.words ?? this.kids.map((kid) => kid.textContent).join(''); }
  set textContent(text) { this.replaceChildren(...(text === '' ? [] : [text])); }

  contains(node) {
    for (let at = node; at; at = at.parent) if (at === this) return true;
    return false;
  }

  * all() {
    for (const kid of this.children) {
      yield kid;
      yield* kid.all();
    }
  }

  querySelectorAll(selectors) {
    const each = selectors.split(',').map((one) => one.trim().split(/\s+/));
    const matches = (node, [last, ...before]) => {
      if (!fits(node, last)) return false;
      if (!before.length) return true;
      for (let at = node.parent; at; at = at.parent) if (matches(at, before)) return true;
      return false;
    };
    return [...this.all()].filter((node) => each.some((one) => matches(node, [...one].reverse())));
  }

  querySelector(selectors) { return this.querySelectorAll(selectors)[0] ?? null; }

  closest(selector) {
    let at = this;
    while (at && !fits(at, selector)) at = at.parent;
    return at;
  }

  get form() { return this.closest('form'); }
  get labels() {
    const around = this.closest('label');
    return [...(around ? [around] : []), ...this.paper.root.querySelectorAll('label').filter((one) => this.id && one.getAttribute('for') === this.id)];
  }

  get defaultValue() { return this.getAttribute('value') ?? ''; }

  scrollIntoView() {}
  focus() { if (this.isConnected) this.paper.activeElement = this; }

  /** Presses it; a button that submits does so with its form. */
  click() {
    if (this.disabled) return;
    this.dispatchEvent(new Event('click', { cancelable: true }));
    let form = this;
    while (form && form.tag !== 'form') form = form.parent;
    if (this.tag !== 'button' || !form || this.type === 'button') return;
    if (form.getAttribute('method') !== 'dialog') {
      form.dispatchEvent(new Event('submit', { cancelable: true }));
      return;
    }
    let dialog = form;
    while (dialog.tag !== 'dialog') dialog = dialog.parent;
    dialog.returnValue = this.getAttribute('value') ?? '';
    dialog.close();
  }

  showModal() { this.setAttribute('open', ''); }
  close() {
    this.removeAttribute('open');
    this.dispatchEvent(new Event('close'));
  }
}
for (const name of PLAIN) {
  Object.defineProperty(PaperNode.prototype, name, {
    get() { return this.getAttribute(name) ?? ''; }, set(value) { this.setAttribute(name, value); } });
}
for (const name of YES_OR_NO) {
  Object.defineProperty(PaperNode.prototype, name, {
    get() { return this.hasAttribute(name); },
    set(yes) { if (yes) this.setAttribute(name, ''); else this.removeAttribute(name); } });
}

/** A window with an empty document, for one test; at a fragment of the address. */
export function paper(test, { hash = '' } = {}) {
  browser(test);
  const sheet = new EventTarget();
  const make = (tag) => new PaperNode(sheet, tag);
  Object.assign(sheet, { createElement: make, createElementNS: (_, tag) => make(tag), visibilityState: 'visible', hidden: false, root: make('html'), body: make('body') });
  sheet.root.append(sheet.body);
  Object.assign(sheet, { documentElement: sheet.root, scrollingElement: sheet.root, activeElement: sheet.body,
    querySelector: (selector) => sheet.root.querySelector(selector),
    querySelectorAll: (selector) => sheet.root.querySelectorAll(selector),
    getElementById: (id) => sheet.root.querySelector(`#${id}`) });
  const view = new EventTarget();
  const location = { at: hash, get hash() { return this.at; }, assign: () => {},
    set hash(to) {
      if (this.at === to) return;
      this.at = to;
      setTimeout(() => view.dispatchEvent(new Event('hashchange'))); // later, as in a browser
    } };
  pretend(test, 'document', sheet);
  pretend(test, 'location', location);
  pretend(test, 'addEventListener', view.addEventListener.bind(view));
  pretend(test, 'removeEventListener', view.removeEventListener.bind(view));
  pretend(test, 'dispatchEvent', view.dispatchEvent.bind(view));
  return { sheet, view, make, location };
}

/** Turns of the loop until something is so: {value}, or fails after a second. */
export async function soon(look) {
  for (let turn = 0; turn < 200; turn++) {
    const found = look();
    if (found) return found;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error(`in vain: ${look}`);
}

/**
 * The administration's page at a fragment, in front of a gateway that is a function: answer(method, path,
 * body) gives what it answers, or a promise of it; path is that behind /api/admin/, without the query.
 */
export async function administration(test, hash, answer) {
  const { sheet, make, location, view } = paper(test, { hash });
  const asked = [];
  pretend(test, 'fetch', async (address, { method, body }) => {
    const path = address.replace(/^\/api\/admin\//, '').replace(/\?.*/, '');
    const sent = body && JSON.parse(body);
    asked.push({ method, path, sent });
    const said = await answer(method, path, sent) ?? { result: [] };
    return new Response(JSON.stringify(said), { status: said.status ?? 200 });
  });
  for (const [tag, props] of [['a', { class: 'skip' }], ['button', { id: 'sign-out' }], ['select', { id: 'language' }], ['nav', { id: 'views' }],
    ['p', { id: 'trouble', hidden: '' }], ['p', { id: 'told', hidden: '' }], ['div', { id: 'kept' }], ['main', {}]]) {
    const node = make(tag);
    for (const [name, value] of Object.entries(props)) node.setAttribute(name, value);
    sheet.body.append(node);
  }
  sheet.querySelector('main').append(make('h1'));
  await fresh('admin/main.js');
  const main = sheet.querySelector('main');
  const field = (label) => {
    const node = [...main.all()].find((one) => one.tag === 'label' && one.textContent === label);
    return sheet.getElementById(node.getAttribute('for'));
  };
  const button = (name) => [...sheet.root.all()].find((one) => one.tag === 'button' && (one.textContent === name || one.getAttribute('aria-label') === name));
  const box = (label) => [...main.all()].find((one) => one.tag === 'label' && one.textContent === label).querySelector('input');
  const changes = () => asked.filter(({ method }) => method === 'POST');
  return { sheet, main, location, view, asked, changes, field, box, button, told: () => sheet.querySelector('#told'), at: () => sheet.querySelector('h1').textContent };
}

// Elements without markup in strings: text is always text.

/** h('a', {class: 'x', href: '/', on: {click}}, child, 'text', …); null children are left out. */
export function h(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === 'on') for (const [event, call] of Object.entries(value)) node.addEventListener(event, call);
    else if (value === true) node.setAttribute(name, '');
    else node.setAttribute(name, value);
  }
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

let fields = 0;

/**
 * A labelled input: {node, input}. A password has a button that shows it. `hint` is read out with
 * the field.
 */
export function field({ label, hint, words, ...attributes }) {
  const id = `field-${++fields}`;
  const input = h('input', { id, required: true, spellcheck: 'false', autocapitalize: 'none', autocorrect: 'off',
    'aria-describedby': hint ? `${id}-hint` : null, ...attributes });
  const children = [input];
  if (attributes.type === 'password') children.push(eye(input, words));
  return {
    input,
    node: h('div', { class: 'field' },
      h('label', { for: id }, label),
      h('div', { class: 'box' }, children),
      hint && h('p', { class: 'hint', id: `${id}-hint` }, hint)),
  };
}

function eye(input, { show, hide, label }) {
  const button = h('button', { type: 'button', class: 'quiet', 'aria-label': `${show}: ${label}`,
    on: { click() {
      const shown = input.type === 'text';
      input.type = shown ? 'password' : 'text';
      button.setAttribute('aria-label', `${shown ? show : hide}: ${label}`);
      button.textContent = shown ? show : hide;
    } } }, show);
  return button;
}

import { t } from '/i18n.js';
import { h } from './dom.js';

/** Copies and says for a moment whether it could. `name` is what is read out instead of the label. */
export function copyButton(text, { label = t('copy'), name = label, done = () => {}, refused = () => {} } = {}) {
  const button = h('button', { type: 'button', class: 'plain', on: { click } });

  function show(seen, heard) {
    button.textContent = seen;
    button.setAttribute('aria-label', heard);
  }

  async function click() {
    try {
      await navigator.clipboard.writeText(text());
      show(t('copied'), t('copied'));
      done();
    } catch { // the browser, or the person, does not want it
      show(t('copyRefused'), t('copyRefused'));
      refused();
    }
    setTimeout(show, 2000, label, name);
  }

  show(label, name);
  return button;
}

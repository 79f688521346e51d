import { t } from '/i18n.js';
import { h } from './dom.js';

/** Copies and says so for a moment. */
export function copyButton(text, { label = t('copy'), name = null, done = () => {} } = {}) {
  const button = h('button', { type: 'button', class: 'plain', 'aria-label': name, on: { async click() {
    await navigator.clipboard.writeText(text());
    button.textContent = t('copied');
    setTimeout(() => { button.textContent = label; }, 2000);
    done();
  } } }, label);
  return button;
}

import { t } from '/i18n.js';
import { h } from './dom.js';

/** Asks before something that cannot be taken back; true when the person says yes. */
export function confirm(question, yes) {
  return new Promise((resolve) => {
    const dialog = h('dialog', { 'aria-labelledby': 'question', on: { close() {
      resolve(dialog.returnValue === 'yes');
      dialog.remove();
    } } },
    h('form', { method: 'dialog' },
      h('p', { id: 'question' }, question),
      h('div', { class: 'row end' },
        h('button', { value: 'no', class: 'plain', autofocus: true }, t('cancel')),
        h('button', { value: 'yes', class: 'main' }, yes))));
    document.body.append(dialog);
    dialog.showModal();
  });
}

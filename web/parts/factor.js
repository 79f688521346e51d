// What wants a second factor that was shown lately: asks for a new code and tries once more.
import { api } from '/api.js';
import { t } from '/i18n.js';
import { h } from './dom.js';
import { codeField, form } from './form.js';

/** True when a code was accepted; false when the person would rather not. */
export function askFactor() {
  return new Promise((resolve) => {
    const code = codeField(t('signIn.code'));
    const submit = async () => {
      await api('POST', '/api/factor', { code: code.value() });
      dialog.close('shown');
    };
    const dialog = h('dialog', { 'aria-labelledby': 'factor-title', on: { close() {
      resolve(dialog.returnValue === 'shown');
      dialog.remove();
    } } },
    h('h2', { id: 'factor-title' }, t('factor.title')),
    h('p', {}, t('factor.lead')),
    form({ children: code.node, label: t('factor.submit'), submit }),
    h('form', { method: 'dialog', class: 'row end' }, h('button', { class: 'plain', value: 'no' }, t('cancel'))));
    document.body.append(dialog);
    dialog.showModal();
    code.input.focus();
  });
}

let asking = null; // so that several that wait for it ask once

/** What act() gives. Throws what it throws, also when the person gives no code. */
export async function withFactor(act) {
  try {
    return await act();
  } catch (error) {
    if (error.code !== 'factor_stale') throw error;
    asking ??= askFactor().finally(() => { asking = null; });
    if (!await asking) throw error;
    return act();
  }
}

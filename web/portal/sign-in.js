import { api } from '/api.js';
import { t } from '/i18n.js';
import { field, h } from '/parts/dom.js';
import { codeField, form, passwordField } from '/parts/form.js';

/** Phone gone: the same field takes a recovery code. */
function codeOrRecovery() {
  const place = h('div');
  const button = h('button', { type: 'button', class: 'link', on: { click: swap } });
  let recovery = true;
  let present;

  function swap() {
    recovery = !recovery;
    const first = present === undefined;
    present = recovery
      ? codeField(t('signIn.recovery'), { hint: t('signIn.recoveryHint'), inputmode: null, autocomplete: 'off' })
      : codeField(t('signIn.code'));
    place.replaceChildren(present.node);
    button.textContent = t(recovery ? 'signIn.useCode' : 'signIn.useRecovery');
    if (!first) present.input.focus();
  }

  swap();
  return { nodes: [place, button], value: () => present.value() };
}

/** `notice`: the key of what is said first, or null. */
export function signInView({ notice, done }) {
  const user = field({ label: t('signIn.user'), type: 'text', autocomplete: 'username', maxlength: 64 });
  const password = passwordField(t('signIn.password'), 'current-password');
  const code = codeOrRecovery();
  const submit = async () => {
    await api('POST', '/api/login',
      { username: user.input.value.trim(), password: password.input.value, code: code.value() });
    await done();
  };
  return {
    title: t('signIn.title'),
    narrow: true,
    nodes: [
      h('p', { class: 'lead' }, t('signIn.lead')),
      notice && h('p', { class: 'notice', role: 'status' }, t(notice)),
      form({ children: [user.node, password.node, ...code.nodes], label: t('signIn.submit'), submit }),
    ],
  };
}

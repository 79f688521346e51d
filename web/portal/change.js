// The way on when a new password is due: nothing else is possible until it is there.
import { api } from '/api.js';
import { t } from '/i18n.js';
import { h } from '/parts/dom.js';
import { codeField, form, passwordField } from '/parts/form.js';
import { newPasswordParts } from './new-password.js';

const VOUCHED_MS = 4 * 60_000; // the gateway takes the sign-in's code for five minutes

/** done(): the password is changed, and the person signed in anew. */
export async function changeView({ done }) {
  const session = await api('GET', '/api/session');
  const present = passwordField(t('account.present'), 'current-password');
  const fresh = newPasswordParts();
  const code = Date.now() - Date.parse(session.factor) < VOUCHED_MS ? null : codeField(t('signIn.code'));
  return {
    title: t('change.title'),
    narrow: true,
    nodes: [
      h('p', {}, t('change.lead')),
      form({
        label: t('account.passwordSubmit'),
        children: [present.node, fresh.nodes, code?.node],
        submit: async () => {
          await api('POST', '/api/password',
            { password: present.input.value, new_password: fresh.value(), code: code?.input.value ?? '' });
          await done();
        },
      }),
    ],
  };
}

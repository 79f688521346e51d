// The way on when a new password is due: nothing else is possible until it is there.
import { api, ApiError } from '/api.js';
import { t } from '/i18n.js';
import { h } from '/parts/dom.js';
import { codeField, form, passwordField, whose } from '/parts/form.js';
import { newPasswordParts } from './new-password.js';

const TYPING_SECONDS = 60; // where less is left of the time in which the sign-in's code will do, a new one is asked for at once

/** done(): the password is changed, and the person signed in anew. */
export async function changeView({ done }) {
  const session = await api('GET', '/api/session');
  const until = Date.now() + session.vouched_seconds * 1000;
  const present = passwordField(t('account.present'), 'current-password');
  const fresh = newPasswordParts();
  const place = h('div');
  let code = null;

  function askCode() {
    code = codeField(t('signIn.code'));
    place.append(code.node);
  }

  function wanted() {
    askCode();
    code.input.focus();
    return new ApiError(0, 'code_wanted', '');
  }

  async function submit() {
    if (!code && Date.now() > until) throw wanted(); // no wrong guess is to be counted for it
    try {
      await api('POST', '/api/password',
        { password: present.input.value, new_password: fresh.value(), code: code?.value() ?? '' });
    } catch (error) {
      throw error.code === 'wrong_code' && !code ? wanted() : error;
    }
    await done();
  }

  if (session.vouched_seconds < TYPING_SECONDS) askCode();
  return {
    title: t('change.title'),
    narrow: true,
    nodes: [
      h('p', {}, t('change.lead')),
      form({ label: t('account.passwordSubmit'), children: [whose(session.username), present.node, fresh.nodes, place], submit }),
    ],
  };
}

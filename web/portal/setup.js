// The first sign-in, by an administrator's invitation.
import { api, ApiError } from '/api.js';
import { t } from '/i18n.js';
import { h } from './dom.js';
import { deviceParts } from './device.js';
import { form, passwordField } from './form.js';

/** Two password fields that must agree: {nodes, value}; value() throws. */
export function newPasswordParts() {
  const first = passwordField(t('setup.newPassword'), 'new-password', t('setup.passwordHint'));
  const second = passwordField(t('setup.repeat'), 'new-password');
  return {
    nodes: [first.node, second.node],
    value() {
      if (first.input.value !== second.input.value) throw new ApiError(0, 'mismatch', '');
      return first.input.value;
    },
  };
}

/** `done` gets what the gateway answered: the recovery codes. Throws ApiError: no such invitation. */
export async function setupView({ invitation, done }) {
  const offer = await api('POST', '/api/setup', { invitation });
  const password = newPasswordParts();
  const device = deviceParts(offer);
  const submit = async () => done(await api('POST', '/api/setup/finish',
    { invitation, password: password.value(), code: device.code() }));
  return {
    title: t('setup.title', { name: offer.username }),
    narrow: true,
    nodes: [
      h('p', { class: 'lead' }, t('setup.lead')),
      form({
        label: t('setup.submit'),
        submit,
        children: [
          // So that password managers know whose it is.
          h('input', { type: 'text', autocomplete: 'username', value: offer.username, hidden: true, readonly: true }),
          h('h2', {}, t('setup.passwordStep')), password.nodes,
          h('h2', {}, t('setup.codeStep')), device.nodes,
        ],
      }),
    ],
  };
}

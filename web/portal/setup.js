// The first sign-in, by an administrator's invitation.
import { api } from '/api.js';
import { t } from '/i18n.js';
import { h } from '/parts/dom.js';
import { form, whose } from '/parts/form.js';
import { deviceParts } from './device.js';
import { newPasswordParts } from './new-password.js';

/** `done` gets what the gateway answered: the recovery codes. Throws ApiError: no such invitation. */
export async function setupView({ invitation, done }) {
  const ask = () => api('POST', '/api/setup', { invitation });
  const offer = await ask();
  const password = newPasswordParts();
  const device = deviceParts(offer);
  const submit = async () => done(await device.confirm((code) => api('POST', '/api/setup/finish',
    { invitation, password: password.value(), code }), ask));
  return {
    title: t('setup.title', { name: offer.username }),
    narrow: true,
    nodes: [
      h('p', { class: 'lead' }, t('setup.lead')),
      form({
        label: t('setup.submit'),
        submit,
        children: [
          whose(offer.username),
          h('h2', {}, t('setup.passwordStep')), password.nodes,
          h('h2', {}, t('setup.codeStep')), device.nodes,
        ],
      }),
    ],
  };
}

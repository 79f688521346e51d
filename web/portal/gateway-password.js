// For RDP clients that cannot open a file: what to type into one, and a password that is good for
// one desktop and one session of work.
import { api } from '/api.js';
import { t } from '/i18n.js';
import { copyButton } from '/parts/copy.js';
import { h } from '/parts/dom.js';
import { withFactor } from '/parts/factor.js';

function row(label, value) {
  return [
    h('dt', {}, label),
    h('dd', {}, h('code', {}, value), copyButton(() => value, { name: `${t('copy')}: ${label}` })),
  ];
}

/** Makes one and shows it until the person has typed it. Throws what the API throws. */
export async function showGatewayPassword(name) {
  const made = await withFactor(() => api('POST', `/api/desktops/${encodeURIComponent(name)}/password`, {}));
  const minutes = Math.max(1, Math.floor(made.expires_seconds / 60));
  const dialog = h('dialog', { 'aria-labelledby': 'gateway-password', on: { close: () => dialog.remove() } },
    h('h2', { id: 'gateway-password' }, t('password.title', { name: made.desktop })),
    h('p', {}, t('password.lead', { minutes })),
    h('dl', { class: 'typed' },
      row(t('password.computer'), made.desktop),
      row(t('password.gateway'), made.gateway),
      row(t('password.user'), made.username),
      row(t('password.password'), made.password)),
    h('p', { class: 'hint' }, t('password.hint')),
    h('form', { method: 'dialog', class: 'row end' }, h('button', { class: 'main', autofocus: true }, t('done'))));
  document.body.append(dialog);
  dialog.showModal();
}

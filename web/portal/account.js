import { api } from '/api.js';
import { t } from '/i18n.js';
import { agentName } from '/parts/agent.js';
import { confirm } from '/parts/confirm.js';
import { h } from '/parts/dom.js';
import { codeField, form, passwordField, whose } from '/parts/form.js';
import { ago } from '/parts/time.js';
import { deviceParts } from './device.js';
import { newPasswordParts } from './new-password.js';

const FEW_CODES = 3;

function sessionItem(session) {
  const facts = [t('account.since', { when: ago(session.created) }), t('account.used', { when: ago(session.used) }),
    t('account.from', { address: session.address })];
  return h('li', { class: 'card' },
    h('div', { class: 'what' },
      h('h3', {}, agentName(session.agent), session.current && h('span', { class: 'state', 'data-state': 'mine' }, t('account.current'))),
      h('p', { class: 'hint' }, facts.join(' · ')),
      session.desktops.length > 0 && h('p', {}, t('account.with', { desktops: session.desktops.join(', ') }))));
}

function sessionsPart(sessions, everywhere) {
  const button = h('button', { type: 'button', class: 'plain', on: { async click() {
    if (await confirm(t('account.everywhereAsk'), t('account.everywhere'))) await everywhere();
  } } }, t('account.everywhere'));
  return h('section', { 'aria-labelledby': 'sessions' },
    h('h2', { id: 'sessions' }, t('account.sessions')),
    h('ul', { class: 'cards' }, sessions.map(sessionItem)),
    h('p', {}, button));
}

function passwordPart(username, renew) {
  const present = passwordField(t('account.present'), 'current-password');
  const fresh = newPasswordParts();
  const code = codeField(t('signIn.code'));
  return h('section', { 'aria-labelledby': 'password' },
    h('h2', { id: 'password' }, t('account.passwordTitle')),
    form({
      quiet: true,
      label: t('account.passwordSubmit'),
      children: [whose(username), present.node, fresh.nodes, code.node],
      submit: async () => {
        await api('POST', '/api/password',
          { password: present.input.value, new_password: fresh.value(), code: code.value() });
        await renew('account.passwordDone');
      },
    }));
}

/** First the password, then the offer in its place. */
function devicePart(username, enrolled) {
  const present = passwordField(t('account.present'), 'current-password');
  const place = h('div');
  const ask = () => api('POST', '/api/totp', { password: present.input.value });

  function showOffer(offer) {
    const device = deviceParts(offer);
    place.replaceChildren(form({
      label: t('account.totpConfirm'),
      children: device.nodes,
      submit: async () => enrolled(await device.confirm((code) => api('POST', '/api/totp/confirm', { code }), ask)),
    }));
    device.focus();
  }

  place.append(form({
    quiet: true,
    label: t('account.totpSubmit'),
    children: [whose(username), present.node],
    submit: async () => showOffer(await ask()),
  }));
  return h('section', { 'aria-labelledby': 'device' },
    h('h2', { id: 'device' }, t('account.totpTitle')), h('p', {}, t('account.totpLead')), place);
}

/** renew(key): show the view again with a notice. enrolled(answer), everywhere(): go on elsewhere. */
export async function accountView({ notice, renew, enrolled, everywhere }) {
  const [{ sessions }, session] = await Promise.all([api('GET', '/api/sessions'), api('GET', '/api/session')]);
  const left = session.recovery_codes_left;
  return {
    title: t('account.title'),
    nodes: [
      notice && h('p', { class: 'notice', role: 'status' }, t(notice)),
      left <= FEW_CODES && h('p', { class: 'notice warn' }, t('account.fewCodes', { count: left })),
      session.password_days_left > 0 && h('p', { class: 'notice warn' }, t('account.passwordDays', { days: session.password_days_left })),
      sessionsPart(sessions, everywhere),
      passwordPart(session.username, renew),
      devicePart(session.username, enrolled),
    ],
  };
}

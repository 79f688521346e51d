// How many connections at once and how long: of a person, or of a desktop.
import { t } from '/i18n.js';
import { h } from '/parts/dom.js';
import { form } from '/parts/form.js';
import { act } from './call.js';
import { saveChanges, watchChanges } from './changed.js';
import { orNone, span, text } from './parts.js';

/** dates: from and until, of an account. stepUp: how fresh a second factor a desktop wants. */
export function limitsForm({ path, of, tools, dates = false, stepUp = false }) {
  const fields = {
    ...(dates && {
      from: text({ label: t('admin.from'), value: of.from ?? '', placeholder: '2026-12-24T08:00' }),
      until: text({ label: t('admin.until'), value: of.until ?? '', placeholder: '2027-01-31', hint: t('admin.untilHint') }),
    }),
    tunnels: text({ label: t('admin.limits.tunnels'), value: of.tunnels || '', inputmode: 'numeric' }),
    idle: text({ label: t('admin.limits.idle'), value: span(of.idle_seconds), placeholder: '30m' }),
    absolute: text({ label: t('admin.limits.absolute'), value: span(of.absolute_seconds), placeholder: '8h' }),
    ...(stepUp && { 'step-up': text({ label: t('admin.limits.stepUp'), value: span(of.step_up_seconds), placeholder: '5m' }) }),
  };
  const changes = watchChanges(() => Object.fromEntries(Object.entries(fields).map(([key, { input }]) => [key, orNone(input)])));
  return form({
    quiet: true,
    label: t('admin.save'),
    children: [h('p', { class: 'hint' }, t('admin.limits.hint')), h('div', { class: 'pair' }, Object.values(fields).map(({ node }) => node))],
    submit: () => saveChanges(changes(), tools, (options) => act(path, [of.name], options)),
  });
}

// What the gateway would decide, and by which rule.
import { api } from '/api.js';
import { t } from '/i18n.js';
import { h } from '/parts/dom.js';
import { withFactor } from '/parts/factor.js';
import { form } from '/parts/form.js';
import { look } from './call.js';
import { choice, facts, span, stamp, text } from './parts.js';

// Two words of one name, which an object cannot hold.
async function ask(person, desktop, from, at) {
  const query = new URLSearchParams([['word', person], ['word', desktop], ...(from ? [['from', from]] : []), ...(at ? [['at', at]] : [])]);
  return (await withFactor(() => api('GET', `/api/admin/explain?${query}`))).result;
}

function verdict(told) {
  return [
    h('p', { class: `verdict ${told.allowed ? 'good' : 'bad'}` }, told.allowed ? t('admin.explain.yes') : t('admin.explain.no')),
    h('p', {}, told.why),
    facts([[t('admin.explain.rule'), h('code', {}, told.rule)], [t('admin.until'), stamp(told.until)],
      [t('admin.explain.due'), told.due ? t(`admin.explain.due.${told.due}`) : ''],
      [t('admin.explain.factor'), told.fresh_factor ? t('admin.explain.fresh') : ''],
      [t('admin.limits.idle'), span(told.idle_seconds)], [t('admin.limits.absolute'), span(told.absolute_seconds)]]),
  ];
}

export async function explainView() {
  const [people, desktops] = await Promise.all([look('user/list'), look('desktop/list')]);
  const person = choice({ label: t('admin.grants.person'), names: people.map((one) => one.name), required: true });
  const desktop = choice({ label: t('admin.grants.desktop'), names: desktops.map((one) => one.name), required: true });
  const from = text({ label: t('admin.explain.from'), placeholder: '203.0.113.7', hint: t('admin.explain.fromHint') });
  const at = text({ label: t('admin.explain.at'), placeholder: '2026-12-24T18:00', hint: t('admin.explain.atHint') });
  const place = h('div', { role: 'status' });
  return { title: t('admin.explain'), nodes: [
    h('p', { class: 'lead' }, t('admin.explain.lead')),
    h('section', {}, form({ label: t('admin.explain.ask'), children: h('div', { class: 'pair' }, person.node, desktop.node, from.node, at.node), submit: async () => {
      const values = [person, desktop, from, at].map(({ input }) => input.value.trim());
      place.replaceChildren(...verdict(await ask(...values)).flat());
    } }), place),
  ] };
}

// What was worth attention, and which rules watch.
import { t } from '/i18n.js';
import { h } from '/parts/dom.js';
import { look } from './call.js';
import { section, stamp } from './parts.js';
import { table } from './table.js';

export async function alertsView() {
  const [rows, rules] = await Promise.all([look('alert/list', { last: 200 }), look('alert/rules')]);
  const columns = [
    { label: t('admin.audit.at'), of: (one) => one.at, show: (one) => stamp(one.at) },
    { label: t('admin.alerts.rule'), of: (one) => one.rule },
    { label: t('admin.alerts.message'), of: (one) => one.message },
  ];
  const ruleColumns = [
    { label: t('admin.alerts.rule'), of: (one) => one.rule },
    { label: t('admin.alerts.on'), of: (one) => (one.on ? t('admin.yes') : t('admin.no')), show: (one) => h('span', { class: one.on ? 'good' : 'bad' }, one.on ? t('admin.yes') : t('admin.no')) },
    { label: t('admin.alerts.about'), of: (one) => one.about },
  ];
  return { title: t('admin.alerts'), nodes: [
    h('p', { class: 'lead' }, t('admin.alerts.lead')),
    table({ columns, rows: [...rows].reverse(), empty: t('admin.alerts.none'), label: t('admin.alerts') }),
    section(t('admin.alerts.rules'), table({ columns: ruleColumns, rows: rules, empty: '', label: t('admin.alerts.rules') })),
  ] };
}

// What has happened: the audit log, the latest first, with filters; and whether it is whole.
import { t } from '/i18n.js';
import { h } from '/parts/dom.js';
import { form } from '/parts/form.js';
import { look } from './call.js';
import { action, stamp, text } from './parts.js';
import { table } from './table.js';

const ROWS = 200;
const MOST = 1000;

const columns = () => [
  { label: t('admin.audit.at'), of: (one) => one.at, show: (one) => h('time', { datetime: one.at, title: one.at }, stamp(one.at)) },
  { label: t('admin.audit.event'), of: (one) => one.event },
  { label: t('admin.audit.outcome'), of: (one) => one.outcome, show: (one) => h('span', { class: one.outcome === 'ok' ? 'good' : 'bad' }, one.outcome) },
  { label: t('admin.audit.user'), of: (one) => one.user },
  { label: t('admin.audit.desktop'), of: (one) => one.desktop },
  { label: t('admin.audit.address'), of: (one) => one.address },
  { label: t('admin.audit.by'), of: (one) => one.by },
  { label: t('admin.audit.detail'), of: (one) => one.detail },
];

function verdict(told) {
  return h('p', { class: told.good ? 'notice' : 'alert', role: 'status' },
    told.good ? t('admin.audit.whole', { rows: told.rows, last: told.last }) : t('admin.audit.broken', { words: told.words || told.fault }));
}

export async function auditView(about, tools) {
  const made = {
    user: text({ label: t('admin.audit.user') }),
    event: text({ label: t('admin.audit.event'), placeholder: 'sign-in' }),
    since: text({ label: t('admin.audit.since'), placeholder: '2h' }),
    until: text({ label: t('admin.audit.until'), placeholder: '2026-12-24', hint: t('admin.untilHint') }),
  };
  const place = h('div', { 'aria-live': 'polite' });
  const seal = h('div');

  async function show(last) {
    const values = Object.fromEntries(Object.entries(made).map(([key, { input }]) => [key, input.value.trim()]));
    const rows = (await look('audit/list', { ...values, last })).reverse();
    const more = rows.length === last && last < MOST && action({ label: t('admin.audit.more'), run: () => show(MOST).catch(tools.tell) });
    place.replaceChildren(...[table({ columns: columns(), rows, empty: t('admin.audit.none'), label: t('admin.audit') }), more].flat(2).filter(Boolean));
  }

  await show(ROWS);
  return { title: t('admin.audit'), nodes: [
    form({ quiet: true, label: t('admin.audit.filter'), children: h('div', { class: 'tools' }, Object.values(made).map(({ node }) => node)), submit: () => show(ROWS) }),
    action({ label: t('admin.audit.verify'), run: async () => {
      try {
        seal.replaceChildren(verdict(await look('audit/verify')));
      } catch (error) {
        tools.tell(error);
      }
    } }),
    seal,
    place,
  ] };
}

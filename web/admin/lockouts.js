// Who has to wait before the next try to sign in.
import { t } from '/i18n.js';
import { h } from '/parts/dom.js';
import { act, look } from './call.js';
import { action, stamp } from './parts.js';
import { table } from './table.js';

function clearOf(row) {
  if (row.who && row.who !== '(unknown)') return [[row.who], {}];
  return row.network ? [[], { address: row.network.replace(/\/\d+$/, '') }] : null;
}

export async function lockoutsView(about, tools) {
  const rows = await look('lockout/list', { all: true });
  const columns = [
    { label: t('admin.lockouts.of'), of: (one) => t(`admin.bucket.${one.of}`) },
    { label: t('admin.lockouts.who'), of: (one) => one.who },
    { label: t('admin.lockouts.network'), of: (one) => one.network },
    { label: t('admin.lockouts.failures'), of: (one) => one.failures, number: true },
    { label: t('admin.lockouts.last'), of: (one) => one.last, show: (one) => stamp(one.last) },
    { label: t('admin.lockouts.wait'), of: (one) => one.wait_seconds, number: true,
      show: (one) => (one.wait_seconds ? h('span', { class: 'bad' }, t('admin.seconds', { count: one.wait_seconds })) : t('admin.lockouts.free')) },
  ];
  const acts = (row) => {
    const clear = clearOf(row);
    return clear && action({ label: t('admin.lockouts.clear'), name: row.who || row.network, run: () => tools.run(() => act('lockout/clear', ...clear)) });
  };
  return { title: t('admin.lockouts'), nodes: [
    h('p', { class: 'lead' }, t('admin.lockouts.lead')),
    rows.length > 0 && action({ label: t('admin.lockouts.clearAll'), ask: t('admin.lockouts.clearAllAsk'), run: () => tools.run(() => act('lockout/clear', [], { all: true })) }),
    table({ columns, rows, acts, empty: t('admin.lockouts.none'), label: t('admin.lockouts') }),
  ] };
}

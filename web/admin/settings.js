// The configuration, as the file and the defaults have it; it is changed in the file alone.
import { t } from '/i18n.js';
import { h } from '/parts/dom.js';
import { look } from './call.js';
import { table } from './table.js';

export async function settingsView() {
  const rows = await look('settings');
  const columns = [
    { label: t('admin.settings.section'), of: (one) => one.section },
    { label: t('admin.settings.key'), of: (one) => one.key, show: (one) => h('code', {}, one.key) },
    { label: t('admin.settings.value'), of: (one) => one.value, show: (one) => h('code', {}, one.value) },
    { label: t('admin.settings.source'), of: (one) => one.source },
  ];
  return { title: t('admin.settings'), nodes: [
    h('p', { class: 'lead' }, t('admin.settings.lead')),
    table({ columns, rows, empty: '', label: t('admin.settings') }),
  ] };
}

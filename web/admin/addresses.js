// From where people may come.
import { t } from '/i18n.js';
import { h } from '/parts/dom.js';
import { form } from '/parts/form.js';
import { act, look } from './call.js';
import { action, choice, section, select, text } from './parts.js';
import { table } from './table.js';

const ownerOf = ({ of, who }) => (of === 'gateway' ? {} : { [of]: who });
const owner = (row) => (row.of === 'gateway' ? t('admin.addresses.gateway') : t(`admin.addresses.${row.of}`, { name: row.who }));

async function addForm(tools) {
  const [people, groups] = await Promise.all([look('user/list'), look('group/list')]);
  const rule = select({ label: t('admin.addresses.rule'), options: [['deny', t('admin.addresses.deny')], ['allow', t('admin.addresses.allow')]] });
  const network = text({ label: t('admin.addresses.network'), required: true, placeholder: '203.0.113.0/24', spellcheck: 'false' });
  const of = select({ label: t('admin.addresses.of'), options: [['gateway', t('admin.addresses.gateway')], ['user', t('admin.grants.person')], ['group', t('admin.grants.groupOf')]] });
  const person = choice({ label: t('admin.grants.person'), names: people.map((one) => one.name) });
  const group = choice({ label: t('admin.grants.groupOf'), names: groups.map((one) => one.name) });
  function show() {
    person.node.hidden = of.input.value !== 'user';
    group.node.hidden = of.input.value !== 'group';
  }
  of.input.addEventListener('change', show);
  show();
  return form({ label: t('admin.add'), children: h('div', { class: 'pair' }, rule.node, network.node, of.node, person.node, group.node), submit: async () => {
    const who = (of.input.value === 'user' ? person : group).input.value.trim();
    const { said } = await act(`address/${rule.input.value}`, [network.input.value.trim()], ownerOf({ of: of.input.value, who }));
    await tools.done(said ?? t('admin.saved'));
  } });
}

export async function addressesView(about, tools) {
  const rows = await look('address/list');
  const columns = [
    { label: t('admin.addresses.rule'), of: (one) => t(`admin.addresses.${one.rule}`), show: (one) => h('span', { class: one.rule === 'deny' ? 'bad' : 'good' }, t(`admin.addresses.${one.rule}`)) },
    { label: t('admin.addresses.network'), of: (one) => one.network },
    { label: t('admin.addresses.of'), of: owner },
  ];
  const acts = (one) => action({ label: t('admin.remove'), name: one.network, danger: true, ask: t('admin.addresses.removeAsk', { network: one.network, owner: owner(one) }),
    run: () => tools.run(() => act('address/remove', [one.network], ownerOf(one))) });
  return { title: t('admin.addresses'), nodes: [
    h('p', { class: 'lead' }, t('admin.addresses.lead')),
    section(t('admin.addresses.new'), await addForm(tools)),
    table({ columns, rows, acts, empty: t('admin.addresses.none'), label: t('admin.addresses') }),
  ] };
}

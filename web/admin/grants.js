// Who may reach what, and when.
import { t } from '/i18n.js';
import { h } from '/parts/dom.js';
import { form } from '/parts/form.js';
import { act, look } from './call.js';
import { saveChanges, watchChanges } from './changed.js';
import { action, choice, orNone, section, select, stamp, text, what, who } from './parts.js';
import { table } from './table.js';

/** How the command line names a grant: words and options. */
function nameOf(grant) {
  const words = [];
  const options = {};
  if (grant.kind === 'group') options.group = grant.who;
  else words.push(grant.who);
  if (grant.desktop_group) options['desktop-group'] = grant.desktop;
  else words.push(grant.desktop);
  return [words, options];
}

function termsDialog(grant, tools) {
  const [words, options] = nameOf(grant);
  const from = text({ label: t('admin.from'), value: grant.from ?? '', placeholder: '2026-12-24T08:00' });
  const until = text({ label: t('admin.until'), value: grant.until ?? '', placeholder: '2027-01-31', hint: t('admin.untilHint') });
  const hours = text({ label: t('admin.grants.hours'), value: grant.hours, hint: t('admin.grants.hoursHint'), placeholder: 'mon-fri 08:00-18:00' });
  const changes = watchChanges(() => ({ from: orNone(from.input), until: orNone(until.input), hours: orNone(hours.input) }));
  const dialog = h('dialog', { 'aria-labelledby': 'terms', on: { close: () => dialog.remove() } },
    h('h2', { id: 'terms' }, t('admin.grants.terms', { who: who(grant), what: what(grant) })),
    form({ label: t('admin.save'), children: [from.node, until.node, hours.node], submit: () => saveChanges(changes(), {
      done(said) {
        dialog.close();
        return tools.done(said);
      } }, (terms) => act('grant/limit', words, { ...options, ...terms })) }),
    h('form', { method: 'dialog', class: 'row end' }, h('button', { class: 'plain' }, t('cancel'))));
  document.body.append(dialog);
  dialog.showModal();
}

function acts(grant, tools) {
  const [words, options] = nameOf(grant);
  const name = `${who(grant)}, ${what(grant)}`;
  return [
    action({ label: t('admin.grants.when'), name, run: () => termsDialog(grant, tools) }),
    action({ label: t('admin.remove'), name, danger: true, ask: t('admin.grants.removeAsk', { who: who(grant), what: what(grant) }),
      run: () => tools.run(() => act('grant/remove', words, options)) }),
  ];
}

function grantTable(grants, tools, empty) {
  const columns = [
    { label: t('admin.grants.who'), of: who },
    { label: t('admin.grants.what'), of: what },
    { label: t('admin.from'), of: (one) => one.from ?? '', show: (one) => stamp(one.from) },
    { label: t('admin.until'), of: (one) => one.until ?? '', show: (one) => stamp(one.until) },
    { label: t('admin.grants.hours'), of: (one) => one.hours },
  ];
  return table({ columns, rows: grants, acts: (one) => acts(one, tools), empty, label: t('admin.grants') });
}

/** filter: user, group, desktop or desktop-group and a name. */
export async function grantsOf({ filter, tools }) {
  return [
    grantTable(await look('grant/list', filter), tools, t('admin.grants.none')),
    h('p', {}, h('a', { href: '#grants' }, t('admin.grants.all'))),
  ];
}

async function addForm(tools) {
  const [people, groups, desktops, rooms] = await Promise.all(['user', 'group', 'desktop', 'desktop-group'].map((verb) => look(`${verb}/list`)));
  const names = (list) => list.map((one) => one.name);
  const kind = select({ label: t('admin.grants.kindWho'), options: [['user', t('admin.grants.person')], ['group', t('admin.grants.groupOf')]] });
  const person = choice({ label: t('admin.grants.person'), names: names(people) });
  const group = choice({ label: t('admin.grants.groupOf'), names: names(groups) });
  const kindWhat = select({ label: t('admin.grants.kindWhat'), options: [['desktop', t('admin.grants.desktop')], ['rooms', t('admin.grants.desktopGroupOf')]] });
  const desktop = choice({ label: t('admin.grants.desktop'), names: names(desktops) });
  const room = choice({ label: t('admin.grants.desktopGroupOf'), names: names(rooms) });
  function show() {
    person.node.hidden = kind.input.value !== 'user';
    group.node.hidden = kind.input.value !== 'group';
    desktop.node.hidden = kindWhat.input.value !== 'desktop';
    room.node.hidden = kindWhat.input.value !== 'rooms';
  }
  for (const each of [kind, kindWhat]) each.input.addEventListener('change', show);
  show();
  return form({ label: t('admin.grants.add'), submit: async () => {
    const grant = {
      kind: kind.input.value,
      who: (kind.input.value === 'user' ? person : group).input.value.trim(),
      desktop_group: kindWhat.input.value === 'rooms',
      desktop: (kindWhat.input.value === 'rooms' ? room : desktop).input.value.trim(),
    };
    await act('grant/add', ...nameOf(grant));
    await tools.done(t('admin.grants.added', { who: who(grant), what: what(grant) }));
  }, children: h('div', { class: 'pair' }, kind.node, person.node, group.node, kindWhat.node, desktop.node, room.node) });
}

export async function grantsView(about, tools) {
  const grants = await look('grant/list');
  return { title: t('admin.grants'), nodes: [
    h('p', { class: 'lead' }, t('admin.grants.lead')),
    section(t('admin.grants.new'), await addForm(tools)),
    grantTable(grants, tools, t('admin.grants.nobody')),
  ] };
}

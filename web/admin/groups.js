// Groups: of people, and of desktops, which are called rooms in fragments of the address.
import { t } from '/i18n.js';
import { h } from '/parts/dom.js';
import { form } from '/parts/form.js';
import { act, look } from './call.js';
import { grantsOf } from './grants.js';
import { action, choice, section, text } from './parts.js';
import { table } from './table.js';

const KINDS = {
  groups: { verb: 'group', filter: 'group', members: 'user/list', page: 'people' },
  rooms: { verb: 'desktop-group', filter: 'desktop-group', members: 'desktop/list', page: 'desktops' },
};

const link = (page, name) => h('a', { href: `#${page}/${encodeURIComponent(name)}` }, name);

/** Which groups somebody, or a desktop, is in; joins and leaves. */
export function membership({ names, all, verb, member, tools }) {
  const rest = all.filter((name) => !names.includes(name));
  const page = verb === 'group' ? 'groups' : 'rooms';
  const group = choice({ label: t('admin.groups.join'), names: rest, required: true });
  return [
    names.length
      ? h('ul', {}, names.map((name) => h('li', {}, link(page, name), ' ', action({ label: t('admin.groups.leave'), name,
        run: () => tools.run(() => act(`${verb}/leave`, [name, member])) }))))
      : h('p', { class: 'lead' }, t('admin.groups.nowhere')),
    rest.length > 0 && form({ quiet: true, label: t('admin.groups.joinButton'), children: group.node, submit: async () => {
      const { said } = await act(`${verb}/join`, [group.input.value.trim(), member]);
      await tools.done(said);
    } }),
  ];
}

async function list(view, tools) {
  const { verb } = KINDS[view];
  const groups = await look(`${verb}/list`);
  const name = text({ label: t('admin.name'), required: true, maxlength: 64 });
  const columns = [
    { label: t('admin.name'), of: (one) => one.name, show: (one) => link(view, one.name) },
    { label: t('admin.groups.members'), of: (one) => one.members, number: true },
  ];
  return { title: t(`admin.${view}`), nodes: [
    h('p', { class: 'lead' }, t(`admin.${view}.lead`)),
    section(t('admin.groups.add'), form({ label: t('admin.add'), children: name.node, submit: async () => {
      await act(`${verb}/add`, [name.input.value.trim()]);
      tools.go(`#${view}/${encodeURIComponent(name.input.value.trim())}`);
    } })),
    table({ columns, rows: groups, empty: t('admin.groups.none'), label: t(`admin.${view}`) }),
  ] };
}

async function one(view, name, tools) {
  const { verb, filter, members, page } = KINDS[view];
  const [inside, everybody] = await Promise.all([look(`${verb}/members`, { word: name }), look(members)]);
  const rest = everybody.map((each) => each.name).filter((each) => !inside.some((member) => member.name === each));
  const member = choice({ label: t('admin.groups.addMember'), names: rest, required: true });
  const columns = [{ label: t('admin.name'), of: (each) => each.name, show: (each) => link(page, each.name) }];
  const leave = (each) => action({ label: t('admin.groups.leave'), name: each.name, run: () => tools.run(() => act(`${verb}/leave`, [name, each.name])) });
  return { title: name, nodes: [
    h('p', {}, h('a', { href: `#${view}` }, `‹ ${t(`admin.${view}`)}`)),
    action({ label: t('admin.remove'), danger: true, ask: t('admin.groups.removeAsk', { name }), run: async () => {
      try {
        const { said } = await act(`${verb}/remove`, [name]);
        tools.go(`#${view}`, said);
      } catch (error) {
        tools.tell(error);
      }
    } }),
    section(t('admin.groups.members'),
      table({ columns, rows: inside, acts: leave, empty: t('admin.groups.empty'), label: t('admin.groups.members') }),
      rest.length > 0 && form({ quiet: true, label: t('admin.groups.joinButton'), children: member.node, submit: async () => {
        const { said } = await act(`${verb}/join`, [name, member.input.value.trim()]);
        await tools.done(said);
      } })),
    section(t('admin.grants'), await grantsOf({ filter: { [filter]: name }, tools })),
  ] };
}

export const groupsView = (name, tools) => (name ? one('groups', name, tools) : list('groups', tools));
export const roomsView = (name, tools) => (name ? one('rooms', name, tools) : list('rooms', tools));

// The people: a list, and a page for each.
import { t } from '/i18n.js';
import { confirm } from '/parts/confirm.js';
import { copyButton } from '/parts/copy.js';
import { h } from '/parts/dom.js';
import { form } from '/parts/form.js';
import { ago } from '/parts/time.js';
import { act, look } from './call.js';
import { grantsOf } from './grants.js';
import { limitsForm } from './limits.js';
import { membership } from './groups.js';
import { action, facts, section, stamp, tags, text } from './parts.js';
import { table } from './table.js';

function state(person) {
  if (person.disabled) return t('admin.people.disabled');
  if (person.invited_until && !person.signed_in_at) return t('admin.people.invited');
  return t('admin.people.active');
}

/** The link of an invitation, shown this once. */
function invitation({ user, link, expires_at: expires }) {
  return h('div', { class: 'once', role: 'status' },
    h('p', {}, t('admin.people.link', { name: user, until: stamp(expires) })),
    h('code', {}, link), copyButton(() => link, { name: t('admin.people.copyLink') }));
}

function inviteForm(people, tools) {
  const name = text({ label: t('admin.people.name'), required: true, spellcheck: 'false', autocapitalize: 'none', maxlength: 64 });
  return form({ label: t('admin.people.invite'), children: name.node, submit: async () => {
    const wanted = name.input.value.trim();
    // Somebody's password and second factor would be chosen anew by a slip of the keyboard.
    const there = people.find((person) => person.name.toLowerCase() === wanted.toLowerCase());
    if (there && !await confirm(t('admin.people.existsAsk', { name: there.name }), t('admin.people.again'))) return;
    const { result } = await act('user/invite', [wanted]);
    tools.keep(invitation(result));
    await tools.done();
  } });
}

async function list(tools) {
  const people = await look('user/list');
  const columns = [
    { label: t('admin.people.name'), of: (one) => one.name, show: (one) => h('a', { href: `#people/${encodeURIComponent(one.name)}` }, one.name) },
    { label: t('admin.people.role'), of: (one) => t(`admin.role.${one.role}`) },
    { label: t('admin.people.state'), of: state, show: (one) => h('span', { class: one.disabled ? 'bad' : null }, state(one)) },
    { label: t('admin.groups'), of: (one) => one.groups, show: (one) => tags(one.groups) },
    { label: t('admin.people.signedIn'), of: (one) => one.signed_in_at ?? '', show: (one) => (one.signed_in_at ? ago(one.signed_in_at) : '') },
  ];
  return { title: t('admin.people'), nodes: [
    h('p', { class: 'lead' }, t('admin.people.lead')),
    section(t('admin.people.add'), inviteForm(people, tools)),
    table({ columns, rows: people, empty: t('admin.people.none'), label: t('admin.people') }),
  ] };
}

function acts(person, tools) {
  const { name } = person;
  const words = [name];
  const change = (path, ask, danger = true) => action({ label: t(`admin.people.${path}`), danger,
    ask: ask && t(`admin.people.${path}Ask`, { name }), run: () => tools.run(() => act(`user/${path}`, words)) });
  return h('div', { class: 'row' },
    action({ label: t('admin.people.again'), ask: t('admin.people.existsAsk', { name }), run: async () => {
      try {
        const { result } = await act('user/invite', words);
        tools.keep(invitation(result));
      } catch (error) {
        tools.tell(error);
      }
    } }),
    change('must-change', true, false),
    person.role === 'administrator'
      ? action({ label: t('admin.people.demote'), ask: t('admin.people.demoteAsk', { name }), run: () => tools.run(() => act('user/role', [name, 'user'])) })
      : action({ label: t('admin.people.promote'), ask: t('admin.people.promoteAsk', { name }), run: () => tools.run(() => act('user/role', [name, 'administrator'])) }),
    action({ label: t('admin.lockouts.clear'), run: () => tools.run(() => act('lockout/clear', words)) }),
    action({ label: t('admin.live.endSessions'), danger: true, ask: t('admin.live.endSessionsAsk', { name }), run: () => tools.run(() => act('session/end', [], { user: name })) }),
    person.disabled ? change('enable', false, false) : change('disable', true),
    action({ label: t('admin.remove'), danger: true, ask: t('admin.people.removeAsk', { name }), run: async () => {
      try {
        const { said } = await act('user/remove', words);
        tools.go('#people', said);
      } catch (error) {
        tools.tell(error);
      }
    } }));
}

async function one(name, tools) {
  const [people, groups] = await Promise.all([look('user/list'), look('group/list')]);
  const person = people.find((each) => each.name === name);
  if (!person) return { title: name, nodes: [h('p', { class: 'lead' }, t('admin.gone'))] };
  return { title: name, nodes: [
    h('p', {}, h('a', { href: '#people' }, `‹ ${t('admin.people')}`)),
    facts([[t('admin.people.state'), state(person)], [t('admin.people.role'), t(`admin.role.${person.role}`)],
      [t('admin.people.since'), stamp(person.created_at)], [t('admin.people.signedIn'), stamp(person.signed_in_at)],
      [t('admin.people.invitedUntil'), stamp(person.invited_until)]]),
    acts(person, tools),
    section(t('admin.groups'), membership({ names: person.groups, all: groups.map((group) => group.name), verb: 'group', member: name, tools })),
    section(t('admin.limits'), limitsForm({ path: 'user/limit', of: person, tools, dates: true })),
    section(t('admin.grants'), await grantsOf({ filter: { user: name }, tools })),
  ] };
}

export const peopleView = (name, tools) => (name ? one(name, tools) : list(tools));

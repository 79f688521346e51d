// The desktops: a list, and a page for each.
import { t } from '/i18n.js';
import { h } from '/parts/dom.js';
import { form } from '/parts/form.js';
import { act, look } from './call.js';
import { saveChanges, watchChanges } from './changed.js';
import { grantsOf } from './grants.js';
import { membership } from './groups.js';
import { limitsForm } from './limits.js';
import { action, check, facts, section, stamp, tags, text } from './parts.js';
import { table } from './table.js';

const FORBID = ['drives', 'printers', 'ports', 'clipboard', 'pnp'];
const address = (desktop) => `${desktop.host.includes(':') ? `[${desktop.host}]` : desktop.host}:${desktop.port}`;

function fields(desktop = {}) {
  return {
    host: text({ label: t('admin.desktops.host'), value: desktop.host ?? '', required: true, spellcheck: 'false', autocapitalize: 'none' }),
    port: text({ label: t('admin.desktops.port'), value: desktop.port ?? 3389, required: true, inputmode: 'numeric' }),
    description: text({ label: t('admin.desktops.description'), value: desktop.description ?? '', maxlength: 200 }),
    mac: text({ label: t('admin.desktops.mac'), value: desktop.mac ?? '', placeholder: 'aa:bb:cc:dd:ee:ff', spellcheck: 'false' }),
  };
}

const valuesOf = (made) => Object.fromEntries(Object.entries(made).map(([key, { input }]) => [key, input.value.trim()]));

async function list(tools) {
  const desktops = await look('desktop/list');
  const name = text({ label: t('admin.name'), required: true, maxlength: 64, spellcheck: 'false' });
  const made = fields();
  const columns = [
    { label: t('admin.name'), of: (one) => one.name, show: (one) => h('a', { href: `#desktops/${encodeURIComponent(one.name)}` }, one.name) },
    { label: t('admin.desktops.address'), of: address },
    { label: t('admin.desktops.description'), of: (one) => one.description },
    { label: t('admin.rooms'), of: (one) => one.groups, show: (one) => tags(one.groups) },
  ];
  return { title: t('admin.desktops'), nodes: [
    section(t('admin.desktops.add'), form({ label: t('admin.add'), children: h('div', { class: 'pair' }, name.node, Object.values(made).map(({ node }) => node)), submit: async () => {
      const values = Object.fromEntries(Object.entries(valuesOf(made)).filter(([, value]) => value));
      const { warning } = await act('desktop/add', [name.input.value.trim()], values);
      tools.go(`#desktops/${encodeURIComponent(name.input.value.trim())}`, warning);
    } })),
    table({ columns, rows: desktops, empty: t('admin.desktops.none'), label: t('admin.desktops') }),
  ] };
}

function settingsForm(desktop, tools) {
  const made = fields(desktop);
  const same = check({ label: t('admin.desktops.same'), checked: desktop.same_credentials });
  const forbid = FORBID.map((name) => ({ name, ...check({ label: t(`admin.forbid.${name}`), checked: desktop.forbidden.includes(name) }) }));
  const changes = watchChanges(() => ({ ...valuesOf(made), 'same-credentials': same.input.checked ? 'yes' : 'no' }));
  const turned = watchChanges(() => Object.fromEntries(forbid.map(({ name, input }) => [name, input.checked])));
  // All that is forbidden is one option; of it, too, only what was turned here is to change.
  async function forbidding(boxes) {
    if (!Object.keys(boxes).length) return {};
    const { forbidden } = await look('desktop/show', { word: desktop.name });
    return { forbid: FORBID.filter((name) => boxes[name] ?? forbidden.includes(name)).join(',') || 'none' };
  }
  return form({ quiet: true, label: t('admin.save'), submit: async () => {
    await saveChanges({ ...changes(), ...await forbidding(turned()) }, tools, (options) => act('desktop/set', [desktop.name], options));
  }, children: [h('div', { class: 'pair' }, Object.values(made).map(({ node }) => node)), same.node,
    h('fieldset', {}, h('legend', {}, t('admin.desktops.forbid')), h('p', { class: 'hint' }, t('admin.desktops.forbidHint')), forbid.map(({ node }) => node))] });
}

function trust(desktop, told, tools) {
  const renew = (options, ask) => tools.run(() => act('desktop/trust', [desktop.name], options), ask);
  return [
    facts([[t('admin.desktops.trust'), t(`admin.trust.${told.trust}`)], [t('admin.desktops.fingerprint'), told.fingerprint && h('code', {}, told.fingerprint)],
      [t('admin.desktops.fingerprintSince'), stamp(told.fingerprint_at)]]),
    told.trust === 'first-use' && told.fingerprint && action({ label: t('admin.desktops.renew'), ask: t('admin.desktops.renewAsk', { name: desktop.name }),
      run: () => renew({ renew: true }) }),
  ];
}

async function one(name, tools) {
  const [desktop, told, rooms] = await Promise.all([look('desktop/show', { word: name }), look('desktop/trust', { word: name }), look('desktop-group/list')]);
  return { title: desktop.name, nodes: [
    h('p', {}, h('a', { href: '#desktops' }, `‹ ${t('admin.desktops')}`)),
    action({ label: t('admin.remove'), danger: true, ask: t('admin.desktops.removeAsk', { name }), run: async () => {
      try {
        const { said } = await act('desktop/remove', [name]);
        tools.go('#desktops', said);
      } catch (error) {
        tools.tell(error);
      }
    } }),
    section(t('admin.desktops.settings'), settingsForm(desktop, tools)),
    section(t('admin.limits'), limitsForm({ path: 'desktop/limit', of: desktop, tools, stepUp: true })),
    section(t('admin.rooms'), membership({ names: desktop.groups, all: rooms.map((room) => room.name), verb: 'desktop-group', member: name, tools })),
    section(t('admin.desktops.certificate'), trust(desktop, told, tools)),
    section(t('admin.grants'), await grantsOf({ filter: { desktop: name }, tools })),
  ] };
}

export const desktopsView = (name, tools) => (name ? one(name, tools) : list(tools));

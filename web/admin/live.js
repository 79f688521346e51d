// Who is signed in and who is connected, now.
import { api } from '/api.js';
import { t } from '/i18n.js';
import { agentName } from '/parts/agent.js';
import { h } from '/parts/dom.js';
import { form } from '/parts/form.js';
import { ago } from '/parts/time.js';
import { act, look } from './call.js';
import { action, bytes, section, stamp, text } from './parts.js';
import { table } from './table.js';

const AGAIN_MS = 5_000;
const AWAY_MS = 300_000;
const SIGNS = ['pointermove', 'pointerdown', 'keydown', 'wheel'];

function tell(tunnel, tools) {
  const said = text({ label: t('admin.live.words'), required: true, maxlength: 720 });
  const dialog = h('dialog', { 'aria-labelledby': 'tell', on: { close: () => dialog.remove() } },
    h('h2', { id: 'tell' }, t('admin.live.tellTitle', { name: tunnel.user })),
    form({ label: t('admin.live.send'), children: said.node, submit: async () => {
      await act('tunnel/tell', [String(tunnel.id), said.input.value.trim()]);
      dialog.close();
      await tools.done(t('admin.live.sent'));
    } }),
    h('form', { method: 'dialog', class: 'row end' }, h('button', { class: 'plain' }, t('cancel'))));
  document.body.append(dialog);
  dialog.showModal();
}

function tunnels(rows, tools) {
  const columns = [
    { label: t('admin.live.who'), of: (one) => one.user },
    { label: t('admin.live.desktop'), of: (one) => one.desktop },
    { label: t('admin.live.way'), of: (one) => t(`admin.way.${one.way}`) },
    { label: t('admin.live.address'), of: (one) => one.address },
    { label: t('admin.live.since'), of: (one) => one.opened_at, show: (one) => stamp(one.opened_at) },
    { label: t('admin.live.up'), of: (one) => one.up, show: (one) => bytes(one.up), number: true },
    { label: t('admin.live.down'), of: (one) => one.down, show: (one) => bytes(one.down), number: true },
  ];
  const acts = (one) => [
    one.way === 'rdg' && action({ label: t('admin.live.tell'), name: one.user, run: () => tell(one, tools) }),
    action({ label: t('admin.live.end'), name: `${one.user}, ${one.desktop}`, danger: true, ask: t('admin.live.endAsk', { name: one.user, desktop: one.desktop }),
      run: () => tools.run(() => act('tunnel/end', [String(one.id)])) }),
  ];
  return table({ columns, rows, acts, empty: t('admin.live.noTunnels'), label: t('admin.live.tunnels') });
}

function sessions(rows, tools) {
  const columns = [
    { label: t('admin.live.who'), of: (one) => one.user, show: (one) => h('a', { href: `#people/${encodeURIComponent(one.user)}` }, one.user) },
    { label: t('admin.live.address'), of: (one) => one.address },
    { label: t('admin.live.since'), of: (one) => one.created_at, show: (one) => stamp(one.created_at) },
    { label: t('admin.live.used'), of: (one) => one.used_at, show: (one) => ago(one.used_at) },
    { label: t('admin.live.agent'), of: (one) => agentName(one.agent, one.agent), show: (one) => h('span', { title: one.agent }, agentName(one.agent, one.agent)) },
  ];
  const acts = (one) => action({ label: t('admin.live.end'), name: one.user, danger: true, ask: t('admin.live.endSessionAsk', { name: one.user }),
    run: () => tools.run(() => act('session/end', [String(one.id)])) });
  return table({ columns, rows, acts, empty: t('admin.live.noSessions'), label: t('admin.live.sessions') });
}

// Whether there was a sign of somebody lately: to look is to use the session, which would never idle out
// in front of a page that is only left open.
function watchPresence(signal) {
  let at = Date.now();
  for (const type of SIGNS) addEventListener(type, () => { at = Date.now(); }, { signal, passive: true });
  return () => Date.now() - at < AWAY_MS;
}

// Looks again by itself while the page is seen, somebody is there and nothing is being asked. A factor
// that has become stale meanwhile is asked for only when somebody does something.
async function keepLooking(places, tools) {
  const present = watchPresence(tools.signal);
  while (!tools.signal.aborted) {
    await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
    places.resting.hidden = present();
    if (!places.resting.hidden) continue;
    if (tools.signal.aborted || document.hidden || document.querySelector('dialog[open]')) continue;
    try {
      const [open, signedIn] = await Promise.all(['tunnel/list', 'session/list'].map((path) => api('GET', `/api/admin/${path}`)));
      if (tools.signal.aborted || places.tunnels.contains(document.activeElement) || places.sessions.contains(document.activeElement)) continue;
      places.tunnels.replaceChildren(...[tunnels(open.result, tools)].flat().filter(Boolean));
      places.sessions.replaceChildren(...[sessions(signedIn.result, tools)].flat().filter(Boolean));
    } catch (error) {
      if (!error.code) throw error;
      if (error.status === 401 || error.status === 403) {
        tools.tell(error); // what is shown is old from here on
        return;
      }
    }
  }
}

export async function liveView(about, tools) {
  const [open, signedIn] = await Promise.all([look('tunnel/list'), look('session/list')]);
  const places = {
    resting: h('p', { class: 'notice', role: 'status', hidden: true }, t('admin.live.resting')),
    tunnels: h('div', {}, tunnels(open, tools)),
    sessions: h('div', {}, sessions(signedIn, tools)),
  };
  void keepLooking(places, tools);
  return { title: t('admin.live'), nodes: [
    places.resting,
    section(t('admin.live.tunnels'), places.tunnels),
    section(t('admin.live.sessions'), places.sessions),
  ] };
}

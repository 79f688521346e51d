import { t } from '/i18n.js';
import { h } from '/parts/dom.js';
import { save } from '/parts/save.js';

function saveCodes(name, codes) {
  const text = `${t('recovery.file', { name, host: location.host })}\n\n${codes.join('\n')}\n`;
  save(new Blob([text], { type: 'text/plain' }), `deskgate-${name}.txt`);
}

/** The codes, shown once; on only when the person says that they are kept. */
export function recoveryView({ name, codes, done }) {
  const kept = h('input', { type: 'checkbox', id: 'kept', on: { change: () => { on.disabled = !kept.checked; } } });
  const on = h('button', { type: 'button', class: 'main', disabled: true, on: { click: done } }, t('recovery.done'));
  return {
    title: t('recovery.title'),
    narrow: true,
    nodes: [
      h('p', {}, t('recovery.lead')),
      h('ul', { class: 'codes', 'aria-label': t('recovery.list') }, codes.map((code) => h('li', {}, h('code', {}, code)))),
      h('div', { class: 'row no-print' },
        h('button', { type: 'button', class: 'plain', on: { click: () => saveCodes(name, codes) } }, t('recovery.download')),
        h('button', { type: 'button', class: 'plain', on: { click: () => print() } }, t('recovery.print'))),
      h('label', { class: 'check no-print', for: 'kept' }, kept, t('recovery.kept')),
      h('p', { class: 'no-print' }, on),
    ],
  };
}

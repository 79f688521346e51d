// The toolbar: panels that open below their buttons, and what their controls do.
import { t } from '/i18n.js';
import { LAYOUTS } from './layouts.js';
import { scancode } from './scancodes.js';

const element = (id) => document.getElementById(id);

// Key combinations that a browser or its system keeps for itself.
const CHORDS = [
  ['cad', ['ControlLeft', 'AltLeft', 'Delete']],
  ['win', ['MetaLeft']],
  ['alttab', ['AltLeft', 'Tab']],
  ['taskman', ['ControlLeft', 'ShiftLeft', 'Escape']],
  ['altf4', ['AltLeft', 'F4']],
  ['escape', ['Escape']],
  ['winl', ['MetaLeft', 'KeyL']],
  ['wind', ['MetaLeft', 'KeyD']],
  ['printscreen', ['PrintScreen']],
  ['kanji', ['Backquote']],
];

/** Whether this click on a link leaves the page, rather than opening a tab or window of its own. */
export const leavesPage = (event) => event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey;

/** Panels: one open at a time, closed by Escape, their button, or a click elsewhere. */
export class Panels {
  #closed;

  /** closed(): the last panel was closed by a choice; the focus should go back to work. */
  constructor({ closed }) {
    this.#closed = closed;
    for (const button of document.querySelectorAll('.menu > button')) {
      button.addEventListener('click', () => this.#toggle(button));
      button.parentElement.addEventListener('keydown', (event) => {
        if (event.key !== 'Escape' || button.ariaExpanded !== 'true') return;
        this.close();
        button.focus();
      });
    }
    addEventListener('pointerdown', (event) => {
      if (!event.target.closest?.('.menu')) this.close();
    }, true);
  }

  #toggle(button) {
    const open = button.ariaExpanded !== 'true';
    this.close();
    button.ariaExpanded = String(open);
    element(button.getAttribute('aria-controls')).hidden = !open;
  }

  close() {
    for (const button of document.querySelectorAll('.menu > button')) {
      button.ariaExpanded = 'false';
      element(button.getAttribute('aria-controls')).hidden = true;
    }
  }

  /** Closes, and says that the person goes on with the desktop. */
  done() {
    this.close();
    this.#closed();
  }
}

/** The panel with the special keys. layoutChanged(): another layout was chosen. */
export function setUpKeys({ input, panels, settings, guessed, layoutChanged }) {
  for (const [name, codes] of CHORDS) {
    const button = document.createElement('button');
    button.type = 'button';
    button.textContent = t(`viewer.keys.${name}`);
    button.addEventListener('click', () => {
      input.chord(codes.map(scancode));
      panels.done();
    });
    element('chords').append(button);
  }
  const select = element('layout');
  const name = LAYOUTS.find(({ id }) => id === guessed).name;
  select.append(new Option(t('viewer.layout.auto', { name }), 'auto'));
  for (const layout of LAYOUTS) select.append(new Option(layout.name, layout.id));
  select.value = settings.layout;
  if (select.selectedIndex < 0) select.value = 'auto';
  select.addEventListener('change', () => {
    settings.layout = select.value;
    layoutChanged();
  });
}

/** The panel with scaling and size. changed(): the picture must be laid out anew. */
export function setUpView({ settings, desktop, changed }) {
  for (const radio of document.querySelectorAll('input[name=mode]')) {
    radio.checked = radio.value === settings.mode;
    radio.addEventListener('change', () => {
      settings.mode = radio.value;
      changed();
    });
  }
  for (const name of ['follow', 'dense']) {
    const box = element(name);
    box.checked = settings[name];
    box.addEventListener('change', () => {
      settings[name] = box.checked;
      changed();
    });
  }
  const showDense = () => { element('dense-row').hidden = devicePixelRatio === 1; }; // the window may be on another screen by now
  document.querySelector('[aria-controls=view-panel]').addEventListener('click', showDense);
  showDense();
  element('rdp-file').href = `/api/desktops/${encodeURIComponent(desktop)}/rdp`;
}

/** Full screen, and the bar in it. back(): the focus should go to the desktop. */
export class FullScreen {
  #back;
  #locked = false;

  constructor({ back }) {
    this.#back = back;
    const button = element('full-screen');
    button.hidden = !document.fullscreenEnabled;
    button.addEventListener('click', () => this.#toggle());
    element('show-bar').addEventListener('click', () => this.showBar());
    document.addEventListener('fullscreenchange', () => this.#changed());
    element('stage').addEventListener('pointerdown', () => this.#hideBar());
  }

  /** Leads to the toolbar, also when it is out of sight. */
  showBar() {
    document.body.classList.add('bar-shown');
    element('show-bar').hidden = true;
    document.querySelector('#tools button').focus();
  }

  #hideBar() {
    document.body.classList.remove('bar-shown');
    element('show-bar').hidden = !document.fullscreenElement;
  }

  async #toggle() {
    if (document.fullscreenElement) {
      await document.exitFullscreen();
      return;
    }
    await document.documentElement.requestFullscreen().catch(() => {});
    // Where the browser can, also Escape, Alt+Tab and the like go to the desktop then.
    const locked = await navigator.keyboard?.lock?.().then(() => true, () => false);
    this.#locked = Boolean(locked && document.fullscreenElement);
    this.#back();
  }

  /** Whether the system leaves its own keys to the page. */
  get locked() {
    return this.#locked;
  }

  #changed() {
    const full = Boolean(document.fullscreenElement);
    document.body.classList.toggle('full', full);
    element('full-screen').textContent = t(full ? 'viewer.full.leave' : 'viewer.full');
    if (!full) {
      this.#locked = false;
      navigator.keyboard?.unlock?.();
    }
    this.#hideBar();
  }
}

// The viewer's page: puts its parts together.
import { setUp, t } from '/i18n.js';
import { api } from '/api.js';
import { Card } from './card.js';
import { loadClient } from './client.js';
import { Clipboard } from './clipboard.js';
import { Files } from './files.js';
import { Input } from './input.js';
import { Keyboard } from './keyboard.js';
import { layoutHere, layoutNumbers } from './layouts.js';
import { Life } from './life.js';
import { lookUp } from './look_up.js';
import { FullScreen, leavesPage, Panels, setUpKeys, setUpView } from './menu.js';
import { listenToPointer, showCursor } from './pointer.js';
import { Quality } from './quality.js';
import { Screen } from './screen.js';
import { loadSettings } from './settings.js';
import { setUpShare, shareShow } from './share.js';
import { Touch } from './touch.js';
import { diagnose } from './trouble.js';
import { setUpTyping } from './typing.js';

const element = (id) => document.getElementById(id);
const desktop = decodeURIComponent(location.pathname.split('/')[2] ?? '');
const canvas = element('screen');

function announce(text) {
  element('status').textContent = text;
}

function showQuality(measured) {
  const box = element('quality');
  box.hidden = false;
  box.dataset.grade = measured?.grade ?? 'none';
  element('quality-text').textContent = measured
    ? t(`viewer.quality.${measured.grade}`, { ms: measured.milliseconds }) : t('viewer.quality.none');
}

function layoutOf(settings, guessed) {
  return layoutNumbers(settings.layout) ? settings.layout : guessed;
}

class Page {
  renewing = false; // for a choice: a new connection, in place of one that works
  reconnecting = false; // after a break
  leaving = false; // by the link for it: no question whether that is meant
  countdown = null; // until the next attempt

  constructor({ settings, guessed }) {
    this.settings = settings;
    this.guessed = guessed;
    this.account = { same: false, username: '' };
    this.input = new Input();
    this.card = new Card({ desktop, submitted: (credentials) => this.life.open(credentials), shown: (code) => void this.showFactor(code), again: () => this.again() });
    this.screen = new Screen({ stage: element('stage'), canvas, settings, renew: () => this.renew() });
    this.quality = new Quality({ show: showQuality, gone: () => this.life.presumeLost(),
      quiet: () => void this.life.lookForEnd() });
    const show = shareShow({ announce });
    this.clipboard = new Clipboard({ target: canvas, input: this.input, settings, show: show.clipboard });
    this.files = new Files({ clipboard: this.clipboard, show: { ...show.files, offered: (files) => show.files.offered(files, (index) => this.files.fetch(index)) } });
    this.fullScreen = new FullScreen({ back: () => canvas.focus() });
    this.keyboard = new Keyboard({ target: canvas, input: this.input, leave: () => this.fullScreen.showBar(),
      beforePaste: (event) => this.clipboard.holdsBack(event), isLocked: () => this.fullScreen.locked });
    this.life = new Life({ desktop, canvas, wishes: () => this.wishes(), hooks: this.hooks(), show: this.events() });
    this.setUpControls();
  }

  setUpControls() {
    const { input, settings } = this;
    const panels = new Panels({ closed: () => canvas.focus() });
    listenToPointer({ canvas, stage: element('stage'), input });
    new Touch({ canvas, stage: element('stage'), input });
    setUpTyping({ input, keyboard: this.keyboard, layout: () => layoutOf(settings, this.guessed) });
    setUpKeys({ input, panels, settings, guessed: this.guessed, layoutChanged: () => {
      panels.close();
      this.renew();
    } });
    setUpView({ settings, desktop, changed: () => this.screen.refresh() });
    this.share = setUpShare({ clipboard: this.clipboard, files: this.files, settings, panels, announce });
    element('leave').addEventListener('click', () => this.life.leave());
    element('waiting-leave').addEventListener('click', () => this.life.leave());
    element('home').addEventListener('click', (event) => { this.leaving = leavesPage(event); });
    element('waiting-now').addEventListener('click', () => this.life.tryNow());
    addEventListener('beforeunload', (event) => {
      if (this.life.session && !this.leaving) event.preventDefault(); // one Ctrl+W or swipe too many
    });
  }

  async start() {
    element('name').textContent = desktop;
    document.title = t('viewer.title', { desktop });
    canvas.ariaLabel = t('viewer.screen', { desktop });
    try {
      this.account = await lookUp(desktop);
    } catch (error) {
      if (error.status === 401) {
        this.card.trouble('signed-out');
        return;
      }
    }
    this.card.ask(this.account);
    loadClient().catch(() => {}); // while the person types
  }

  wishes() {
    return { size: this.screen.wanted(), keyboard: layoutNumbers(layoutOf(this.settings, this.guessed)) };
  }

  /** A new connection because of a choice, if there is one now. */
  renew() {
    if (!this.life.session) return;
    this.renewing = true;
    void this.life.renew();
  }

  again() {
    if (this.life.credentials) void this.life.open(this.life.credentials);
    else this.card.ask(this.account);
  }

  /** A second factor that the desktop wants fresh; then on with what was begun. */
  async showFactor(code) {
    this.card.progress('ticket');
    try {
      await api('POST', '/api/factor', { code });
    } catch (error) {
      const { reason } = diagnose({ api: error }, null);
      if (reason === 'wrong-code') this.card.askFactor(reason);
      else this.card.trouble(reason);
      return;
    }
    this.again();
  }

  hooks() {
    return {
      step: (name) => this.step(name),
      shares: (yes) => {
        this.share.show(yes);
        element('tools').classList.add('room');
      },
      data: () => this.quality.sawData(),
      cursor: (...parameters) => showCursor(canvas, ...parameters),
      remoteClipboard: (data) => this.clipboard.received(data),
      clipboardWanted: () => this.clipboard.wanted(),
      extensions: (client) => this.files.extensions(client),
    };
  }

  events() {
    return {
      step: (name) => this.step(name),
      open: (connection) => void this.opened(connection),
      waiting: (what) => this.waiting(what),
      over: (trouble) => this.over(trouble),
    };
  }

  step(name) {
    if (this.reconnecting) return; // the banner says it, over the last picture
    if (this.renewing) this.banner(t('viewer.renewing'), false);
    else this.card.progress(name);
    if (!this.renewing) announce(t(`viewer.step.${name}`));
  }

  async opened({ session, shares, crLf, releaseKeys }) {
    const client = await loadClient();
    this.reconnecting = false;
    this.renewing = false;
    clearInterval(this.countdown);
    this.card.hide();
    element('waiting').hidden = true;
    element('tools').hidden = false;
    canvas.hidden = false;
    this.input.use(client, session, releaseKeys);
    this.keyboard.reset();
    this.clipboard.use(client, shares ? session : null, crLf);
    this.files.use(shares ? session : null);
    this.screen.use(session);
    this.quality.start();
    this.share.offer(shares);
    canvas.focus({ preventScroll: true });
    announce(t('viewer.opened'));
    performance.mark('desktop-open');
  }

  closed() {
    this.quality.stop();
    this.input.use(null, null);
    this.clipboard.use(null, null);
    this.files.use(null);
    this.screen.use(null);
  }

  waiting({ seconds }) {
    this.closed();
    this.reconnecting = true;
    showQuality(null);
    clearInterval(this.countdown);
    let left = seconds;
    const tell = () => this.banner(left > 0 ? t('viewer.waiting.later', { seconds: left }) : t('viewer.waiting.now'), left > 0);
    tell();
    if (seconds === 0) announce(t('viewer.waiting.now'));
    this.countdown = setInterval(() => {
      left--;
      tell();
      if (left <= 0) clearInterval(this.countdown);
    }, 1000);
  }

  banner(text, canHurry) {
    element('waiting').hidden = false;
    element('waiting-text').textContent = text;
    element('waiting-now').hidden = !canHurry;
  }

  over({ reason, ask }) {
    this.closed();
    clearInterval(this.countdown);
    this.reconnecting = false;
    this.renewing = false;
    canvas.hidden = true;
    element('tools').hidden = true;
    element('tools').classList.remove('room');
    for (const id of ['quality', 'waiting', 'ask-clipboard']) element(id).hidden = true;
    if (document.fullscreenElement) void document.exitFullscreen();
    if (ask) this.card.ask({ ...this.account, trouble: reason });
    else if (reason === 'stale-factor') this.card.askFactor(reason);
    else this.card.trouble(reason);
    announce(`${t(`viewer.trouble.${reason}`)}. ${t(`viewer.trouble.${reason}.do`)}`);
  }
}

const [guessed] = await Promise.all([layoutHere(), setUp('viewer')]);
await new Page({ settings: loadSettings(), guessed }).start();

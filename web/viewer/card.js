// The card in the middle of the page while there is no picture: the form, the progress, the trouble.
import { t } from '/i18n.js';
import { plainCode } from '/parts/code.js';
import { typedAccount } from './account.js';

const SLOW_MS = 8_000;

const element = (id) => document.getElementById(id);

export class Card {
  #desktop;
  #slow = null;
  #submitted;
  #shown;

  /**
   * submitted({username, password, domain}); shown(code): a second factor; again(): the person wants
   * another connection.
   */
  constructor({ desktop, submitted, shown, again }) {
    this.#desktop = desktop;
    this.#submitted = submitted;
    this.#shown = shown;
    element('factor').addEventListener('submit', (event) => this.#submitFactor(event));
    element('form').addEventListener('submit', (event) => this.#submit(event));
    element('again').addEventListener('click', again);
  }

  hide() {
    clearTimeout(this.#slow);
    element('card').hidden = true;
  }

  /** Asks for the desktop's credentials; trouble: why again, if so. */
  ask({ username, same, trouble = null }) {
    this.#compose({ title: trouble ? t(`viewer.trouble.${trouble}`) : t('viewer.form.title', { desktop: this.#desktop }),
      text: trouble ? t(`viewer.trouble.${trouble}.do`) : t(same ? 'viewer.form.same' : 'viewer.form.text'), form: true });
    const name = element('username');
    if (username && !name.value) name.value = username;
    // A password manager's entry for this page is the gateway's; at a password's "off" they do not stop.
    name.autocomplete = same ? 'username' : 'off';
    element('password').autocomplete = same ? 'current-password' : 'new-password';
    (name.value ? element('password') : name).focus();
    if (trouble) element('password').select();
  }

  /** Asks for a second factor; trouble: why (again). */
  askFactor(trouble) {
    this.#compose({ title: t(`viewer.trouble.${trouble}`), text: t(`viewer.trouble.${trouble}.do`), factor: true });
    element('code').focus();
  }

  /** Shows how far the connection has come. */
  progress(step) {
    const begins = element('progress').hidden || element('card').hidden;
    this.#compose({ title: t('viewer.step.title', { desktop: this.#desktop }), text: t(`viewer.step.${step}`), progress: true });
    if (begins) element('card-title').focus();
    this.#slow = setTimeout(() => { element('card-do').textContent = t('viewer.slow'); }, SLOW_MS);
  }

  /** Shows why there is no connection (any more). */
  trouble(reason) {
    this.#compose({ title: t(`viewer.trouble.${reason}`), text: '', advice: t(`viewer.trouble.${reason}.do`), actions: true });
    const retry = !['signed-out', 'not-allowed', 'password-due'].includes(reason);
    element('again').hidden = !retry;
    const comesBack = ['signed-out', 'password-due'].includes(reason); // once the portal has had what it asks for
    element('card-home').href = comesBack ? `/#open=${encodeURIComponent(this.#desktop)}` : '/';
    element('card-home').textContent = t(reason === 'signed-out' ? 'viewer.signIn' : 'viewer.back');
    element('card-title').focus();
  }

  #compose({ title, text, advice = '', form = false, factor = false, progress = false, actions = false }) {
    clearTimeout(this.#slow);
    element('card').hidden = false;
    element('card-title').textContent = title;
    element('card-text').textContent = text;
    element('card-do').textContent = advice;
    element('form').hidden = !form;
    element('factor').hidden = !factor;
    element('progress').hidden = !progress;
    element('card-actions').hidden = !actions;
  }

  #submitFactor(event) {
    event.preventDefault();
    const code = plainCode(element('code').value);
    element('code').value = '';
    this.#shown(code);
  }

  #submit(event) {
    event.preventDefault();
    const value = (id) => element(id).value;
    const credentials = { ...typedAccount(value('username').trim(), value('domain').trim()), password: value('password') };
    element('password').value = ''; // from here on it is in the page's memory, not in its document
    this.#submitted(credentials);
  }
}

// What forms have in common: one answer at a time, errors in words where they are heard.
import { t } from '/i18n.js';
import { plainCode } from './code.js';
import { field, h } from './dom.js';

export const KNOWN = ['unreachable', 'sign_in_refused', 'busy', 'no_session', 'no_desktop', 'not_now', 'not_from_here',
  'too_many', 'factor_stale', 'not_let_in', 'not_administrator', 'invitation', 'wrong_password', 'wrong_code', 'code_wanted', 'offer_gone', 'weak_password',
  'password_change_due', 'mismatch', 'bad_request'];

// What may be wrong with a new password.
export const WEAK = ['short', 'long', 'unusable', 'guessable', 'name', 'classes', 'used'];

/** An error of the API in words. */
export function words(error) {
  if (error.code === 'refused') return error.message; // in the command line's own words
  if (error.code === 'weak_password' && WEAK.includes(error.reason)) return t(`error.weak_password.${error.reason}`);
  return KNOWN.includes(error.code) ? t(`error.${error.code}`) : t('error.failed');
}

export const passwordField = (label, autocomplete, hint) => field({
  label, hint, type: 'password', autocomplete, maxlength: 1024,
  words: { show: t('show'), hide: t('hide'), label },
});

/** Not to be seen: tells password managers whose password a form changes. */
export const whose = (name) => h('input', { type: 'text', autocomplete: 'username', value: name, hidden: true, readonly: true });

/** A field for a code: {node, input, value}; value() is the code in it, plain. */
export function codeField(label, more = {}) {
  const made = field({ label, type: 'text', inputmode: 'numeric', autocomplete: 'one-time-code', maxlength: 24, ...more });
  return { ...made, value: () => plainCode(made.input.value) };
}

/**
 * A form that calls submit() and shows what it throws; while it runs, the button is out of action.
 * After too many attempts it counts the seconds down.
 */
export function form({ children, label, submit, quiet = false }) {
  const button = h('button', { type: 'submit', class: quiet ? 'plain' : 'main' }, label);
  const alert = h('p', { class: 'alert', role: 'alert', hidden: true });
  let waiting = false;

  function say(text) {
    alert.textContent = text;
    alert.hidden = !text;
  }

  function countDown(seconds) {
    waiting = seconds > 0;
    button.disabled = waiting;
    say(waiting ? t('error.too_many_attempts', { seconds }) : '');
    if (waiting) setTimeout(countDown, 1000, seconds - 1);
  }

  function failed(error) {
    if (!error.code) throw error; // a mistake of ours
    if (error.code === 'too_many_attempts') countDown(Math.max(1, error.retryAfter));
    else say(words(error));
  }

  async function run(event) {
    event.preventDefault();
    if (button.disabled) return;
    node.setAttribute('aria-busy', 'true');
    button.disabled = true;
    button.textContent = t('busy');
    say('');
    try {
      await submit();
    } catch (error) {
      failed(error);
    } finally {
      button.textContent = label;
      button.disabled = waiting;
      node.removeAttribute('aria-busy');
    }
  }

  const node = h('form', { on: { submit: run } }, children, alert, button);
  return node;
}

// What stands around the views of every page: the language, the way out, the skip link.
import { api, SESSION_OVER } from '/api.js';
import { language, languages, setLanguage, setUp } from '/i18n.js';
import { h } from './dom.js';

function languageMenu(redraw) {
  const menu = document.querySelector('#language');
  menu.append(...languages.map(([code, name]) => h('option', { value: code, lang: code, selected: code === language }, name)));
  menu.addEventListener('change', async () => {
    await setLanguage(menu.value);
    await redraw();
    menu.focus();
  });
}

/**
 * Loads the words of these parts of the site and brings the frame to life. redraw(): the view in another
 * language; signedOut(): by the person's wish; over(): the session has ended; tell(error) says what went wrong.
 */
export async function setUpFrame({ parts, redraw, signedOut, over, tell }) {
  for (const part of parts) await setUp(part);
  languageMenu(redraw);
  // Only when the gateway has said so: who believes to be signed out must be.
  document.querySelector('#sign-out').addEventListener('click', () => api('POST', '/api/logout').then(signedOut, tell));
  document.querySelector('.skip').addEventListener('click', (event) => {
    event.preventDefault(); // the fragment is a view's name
    document.querySelector('h1').focus();
  });
  addEventListener(SESSION_OVER, over);
}

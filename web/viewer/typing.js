// Typing on the glass: a field that nobody sees has the focus, so that the tablet shows its keyboard,
// and what is written into it goes to the desktop.
import { keyFor } from './characters.js';
import { scancode } from './scancodes.js';

const SHIFT = scancode('ShiftLeft');

const KEYS = {
  deleteContentBackward: 'Backspace',
  deleteContentForward: 'Delete',
  insertLineBreak: 'Enter',
  insertParagraph: 'Enter',
};

function type(input, text, layout) {
  for (const character of text) {
    const key = keyFor(character, layout);
    if (!key) input.character(character);
    else input.chord(key.shift ? [SHIFT, key.code] : [key.code]);
  }
}

/** layout(): the id of the one that the desktop was told. */
export function setUpTyping({ input, keyboard, layout }) {
  const button = document.getElementById('soft-keyboard');
  const field = document.getElementById('soft-input');
  button.hidden = !matchMedia('(any-pointer: coarse)').matches;
  button.addEventListener('click', () => field.focus());
  keyboard.listen(field, { hasKey: (event) => event.key !== 'Unidentified' && event.key !== 'Process' &&
    !event.isComposing && (event.key.length > 1 || event.ctrlKey || event.altKey || event.metaKey) });
  // One character stays in the field: without it a keyboard does not say that its Backspace was pressed.
  const empty = () => { field.value = '\u200b'; };
  field.addEventListener('focus', empty);
  field.addEventListener('beforeinput', (event) => {
    if (event.isComposing) return;
    const name = KEYS[event.inputType];
    if (name) input.chord([scancode(name)]);
    else if (event.data) type(input, event.data, layout());
    event.preventDefault();
  });
  field.addEventListener('compositionend', (event) => {
    type(input, event.data, layout());
    empty();
  });
}

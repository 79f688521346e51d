// What was typed and not yet sent outlives that a view is shown again.
const FIELDS = 'form input, form select';

const isTyped = (input) => {
  if (input.type === 'checkbox') return input.checked !== input.defaultChecked;
  if (input.options) return [...input.options].some((one) => one.selected !== one.defaultSelected);
  return input.value !== input.defaultValue;
};

// Where a field stands, in words that are the same once the view is shown anew.
const placeOf = (input) => `${input.closest('section')?.querySelector('h2')?.textContent ?? ''}\n${input.labels[0]?.textContent ?? ''}`;

/** Of `root` as it is now, but not of the form that is being sent. Gives a function that puts it into what has taken its place. */
export function unsent(root) {
  const typed = new Map([...root.querySelectorAll(FIELDS)]
    .filter((input) => !input.form.hasAttribute('aria-busy') && isTyped(input))
    .map((input) => [placeOf(input), input]));
  return () => {
    for (const input of root.querySelectorAll(FIELDS)) {
      const before = typed.get(placeOf(input));
      if (before?.type !== input.type) continue;
      if (input.type === 'checkbox') input.checked = before.checked;
      else input.value = before.value;
      input.dispatchEvent(new Event('change', { bubbles: true }));
    }
  };
}

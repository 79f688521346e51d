// What the person has chosen for the viewer, remembered by this browser. Nothing secret.

const KEY = 'deskgate-viewer';

const DEFAULTS = {
  mode: 'fit', // fit, fill or real
  follow: true, // the desktop has the window's size
  dense: false, // a desktop pixel for each pixel of the screen
  layout: 'auto', // of the keyboard
  clipboard: 'ask', // ask, on or off
};

function stored() {
  try {
    const found = JSON.parse(localStorage.getItem(KEY));
    return typeof found === 'object' && found !== null ? found : {};
  } catch {
    return {};
  }
}

/** The settings; what is assigned to them is kept. */
export function loadSettings() {
  const values = { ...DEFAULTS };
  for (const [name, value] of Object.entries(stored())) {
    if (typeof value === typeof DEFAULTS[name]) values[name] = value;
  }
  return new Proxy(values, {
    set(target, name, value) {
      target[name] = value;
      try {
        localStorage.setItem(KEY, JSON.stringify(target));
      } catch {
        // storage is off or full: it holds for this page
      }
      return true;
    },
  });
}

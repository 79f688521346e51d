// Keys by their place on the keyboard: KeyboardEvent.code to PC scan code (set 1; 0xe0 in the upper
// byte where the key sends that prefix). UI Events KeyboardEvent code Values, and USB HID to PS/2
// Scan Code Translation Table. What a key means is the desktop's to say, by the layout that it was
// told.

const row = (first, codes) => codes.split(' ').map((code, i) => [code, first + i]);

const SCANCODES = new Map([
  ...row(0x01, 'Escape Digit1 Digit2 Digit3 Digit4 Digit5 Digit6 Digit7 Digit8 Digit9 Digit0 Minus Equal Backspace Tab'),
  ...row(0x10, 'KeyQ KeyW KeyE KeyR KeyT KeyY KeyU KeyI KeyO KeyP BracketLeft BracketRight Enter ControlLeft'),
  ...row(0x1e, 'KeyA KeyS KeyD KeyF KeyG KeyH KeyJ KeyK KeyL Semicolon Quote Backquote ShiftLeft Backslash'),
  ...row(0x2c, 'KeyZ KeyX KeyC KeyV KeyB KeyN KeyM Comma Period Slash ShiftRight NumpadMultiply AltLeft Space CapsLock'),
  ...row(0x3b, 'F1 F2 F3 F4 F5 F6 F7 F8 F9 F10'),
  ...row(0x46, 'ScrollLock Numpad7 Numpad8 Numpad9 NumpadSubtract Numpad4 Numpad5 Numpad6 NumpadAdd'),
  ...row(0x4f, 'Numpad1 Numpad2 Numpad3 Numpad0 NumpadDecimal'),
  ...row(0x57, 'F11 F12 NumpadEqual'),
  ...row(0x64, 'F13 F14 F15 F16 F17 F18 F19 F20 F21 F22 F23'),
  ['IntlBackslash', 0x56], ['F24', 0x76], ['NumLock', 0x45],
  // Japanese and Korean
  ['KanaMode', 0x70], ['Lang2', 0x71], ['Lang1', 0x72], ['IntlRo', 0x73], ['Lang4', 0x77], ['Lang3', 0x78],
  ['Convert', 0x79], ['NonConvert', 0x7b], ['IntlYen', 0x7d], ['NumpadComma', 0x7e],
  // with the prefix
  ['NumpadEnter', 0xe01c], ['ControlRight', 0xe01d], ['NumpadDivide', 0xe035], ['PrintScreen', 0xe037],
  ['AltRight', 0xe038], ['Home', 0xe047], ['ArrowUp', 0xe048], ['PageUp', 0xe049], ['ArrowLeft', 0xe04b],
  ['ArrowRight', 0xe04d], ['End', 0xe04f], ['ArrowDown', 0xe050], ['PageDown', 0xe051], ['Insert', 0xe052],
  ['Delete', 0xe053], ['MetaLeft', 0xe05b], ['MetaRight', 0xe05c], ['ContextMenu', 0xe05d],
  ['MediaTrackPrevious', 0xe010], ['MediaTrackNext', 0xe019], ['AudioVolumeMute', 0xe020],
  ['LaunchApp2', 0xe021], ['MediaPlayPause', 0xe022], ['MediaStop', 0xe024], ['AudioVolumeDown', 0xe02e],
  ['AudioVolumeUp', 0xe030], ['BrowserHome', 0xe032], ['BrowserSearch', 0xe065],
  ['BrowserFavorites', 0xe066], ['BrowserRefresh', 0xe067], ['BrowserStop', 0xe068],
  ['BrowserForward', 0xe069], ['BrowserBack', 0xe06a],
]);

// Older Firefox, and Safari, call them so.
const ALIASES = { OSLeft: 'MetaLeft', OSRight: 'MetaRight', VolumeMute: 'AudioVolumeMute',
  VolumeDown: 'AudioVolumeDown', VolumeUp: 'AudioVolumeUp' };

/** The scan code of a key, or null. (Pause has none of its own: see keyboard.js.) */
export function scancode(code) {
  return SCANCODES.get(ALIASES[code] ?? code) ?? null;
}

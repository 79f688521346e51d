// Mouse, pen and wheel to the desktop's mouse. Fingers are in touch.js.
import { pixelAt } from './geometry.js';

const STEP = 120; // of a wheel, in RDP's units
const LINE = 40; // the same in CSS pixels per line that browsers report, three lines a step
const PAGE = 3 * STEP;

/** Where on the desktop an event is. */
export function spot(canvas, event) {
  return pixelAt({ x: event.clientX, y: event.clientY }, canvas.getBoundingClientRect(), canvas);
}

/** Collects the small movements of touch pads until they make a unit that the desktop knows. */
export class Wheel {
  #rest = { x: 0, y: 0 };

  /** What to send for this much scrolling: whole units along an axis, within a message's range. */
  units(axis, amount) {
    const sum = this.#rest[axis] + amount;
    const whole = Math.max(-255, Math.min(255, Math.trunc(sum)));
    this.#rest[axis] = Math.abs(sum) > 255 ? 0 : sum - whole;
    return whole;
  }
}

function amount(delta, mode) {
  if (mode === WheelEvent.DOM_DELTA_LINE) return delta * LINE;
  if (mode === WheelEvent.DOM_DELTA_PAGE) return delta * PAGE;
  return delta;
}

export function listenToPointer({ canvas, input }) {
  const wheel = new Wheel();
  const isMouse = (event) => event.pointerType !== 'touch';

  canvas.addEventListener('pointermove', (event) => {
    if (isMouse(event)) input.move(spot(canvas, event));
  });
  // Of several buttons the second one and those after it come as mouse events only.
  canvas.addEventListener('pointerdown', (event) => {
    if (isMouse(event)) canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener('mousedown', (event) => {
    if (event.sourceCapabilities?.firesTouchEvents) return;
    event.preventDefault();
    canvas.focus({ preventScroll: true });
    input.move(spot(canvas, event));
    input.button(event.button, true);
  });
  canvas.addEventListener('mouseup', (event) => {
    if (event.sourceCapabilities?.firesTouchEvents) return;
    event.preventDefault(); // or the buttons for back and forward leave the page
    input.move(spot(canvas, event));
    input.button(event.button, false);
  });
  canvas.addEventListener('auxclick', (event) => event.preventDefault());
  canvas.addEventListener('contextmenu', (event) => event.preventDefault());
  canvas.addEventListener('wheel', (event) => {
    event.preventDefault();
    if (event.deltaY) {
      const units = wheel.units('y', -amount(event.deltaY, event.deltaMode));
      if (units) input.wheel(true, units);
    }
    if (event.deltaX) {
      const units = wheel.units('x', amount(event.deltaX, event.deltaMode));
      if (units) input.wheel(false, units);
    }
  }, { passive: false });
}

/** Shows the desktop's pointer: arguments as the package gives them. */
export function showCursor(canvas, kind, image, x, y) {
  if (kind === 'url') canvas.style.cursor = `url(${image}) ${Math.round(x)} ${Math.round(y)}, default`;
  else canvas.style.cursor = kind === 'hidden' ? 'none' : 'default';
}

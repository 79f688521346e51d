// Mouse, pen and wheel to the desktop's mouse. Fingers are in touch.js.
import { pixelAt } from './geometry.js';

const LINE = 40; // CSS pixels for what browsers report as a line, three of which are a wheel's step
const PAGE = 360;
const NOTCH = 50; // CSS pixels: an event of this much is a wheel's step (they report 100, 120, 57…)
const ENOUGH = 60; // of smaller ones, as touch pads send, so much is taken for one
const MOST = 3; // steps at once

/** Where on the desktop an event is. */
export function spot(canvas, event) {
  return pixelAt({ x: event.clientX, y: event.clientY }, canvas.getBoundingClientRect(), canvas);
}

/**
 * Scrolling in whole steps of a wheel: X servers make one of every message, however small what it
 * says, so the small movements of touch pads and fingers are collected.
 */
export class Wheel {
  #rest = { x: 0, y: 0 };

  /** The steps for this much scrolling (CSS pixels) along an axis. */
  steps(axis, pixels) {
    let steps;
    if (Math.abs(pixels) >= NOTCH) {
      steps = Math.sign(pixels) * Math.max(1, Math.round(Math.abs(pixels) / 120));
      this.#rest[axis] = 0;
    } else {
      const sum = this.#rest[axis] + pixels;
      steps = Math.trunc(sum / ENOUGH);
      this.#rest[axis] = sum - steps * ENOUGH;
    }
    return Math.max(-MOST, Math.min(MOST, steps)) || 0;
  }
}

/**
 * Moves a picture that is larger than its stage by so many CSS pixels, as far as it goes; whether it
 * has moved. In the other modes nothing is out of sight.
 */
export function pan(stage, { x = 0, y = 0 }) {
  if (!stage.classList.contains('scrolls')) return false;
  const { scrollLeft, scrollTop } = stage;
  stage.scrollLeft += x;
  stage.scrollTop += y;
  return stage.scrollLeft !== scrollLeft || stage.scrollTop !== scrollTop;
}

// With Shift, of which most browsers make a horizontal wheel: to the side, and at that end up or down.
function panByWheel(stage, { x, y }) {
  return pan(stage, { x, y }) || (y === 0 && pan(stage, { y: x }));
}

function amount(delta, mode) {
  if (mode === WheelEvent.DOM_DELTA_LINE) return delta * LINE;
  if (mode === WheelEvent.DOM_DELTA_PAGE) return delta * PAGE;
  return delta;
}

// A pen's tip and button by its own events: where it counts as a finger, too, as on an iPad and on Android,
// the mouse events that browsers make of it do not come (see touch.js), and they shall not come twice.
function listenToPen(canvas, input) {
  let pressed = null;
  const release = (event) => {
    if (event.pointerType !== 'pen' || pressed === null) return;
    event.preventDefault();
    input.move(spot(canvas, event));
    input.button(pressed, false);
    pressed = null;
  };
  canvas.addEventListener('pointerdown', (event) => {
    if (event.pointerType !== 'pen') return;
    event.preventDefault();
    canvas.focus({ preventScroll: true });
    input.move(spot(canvas, event));
    pressed = event.button === 2 ? 2 : 0; // what is no button of a mouse is the tip: an eraser
    input.button(pressed, true);
  });
  canvas.addEventListener('pointerup', release);
  canvas.addEventListener('pointercancel', release);
}

export function listenToPointer({ canvas, stage, input }) {
  const wheel = new Wheel();
  const isFinger = (event) => event.pointerType === 'touch';

  canvas.addEventListener('pointermove', (event) => {
    if (!isFinger(event)) input.move(spot(canvas, event));
  });
  canvas.addEventListener('pointerdown', (event) => {
    if (!isFinger(event)) canvas.setPointerCapture(event.pointerId);
  });
  listenToPen(canvas, input);
  // Of a mouse's buttons the second one and those after it come as mouse events only.
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
    const way = { x: amount(event.deltaX, event.deltaMode), y: amount(event.deltaY, event.deltaMode) };
    if (event.shiftKey && panByWheel(stage, way)) return;
    input.wheel(true, -wheel.steps('y', way.y));
    input.wheel(false, wheel.steps('x', way.x));
  }, { passive: false });
}

/** Shows the desktop's pointer: arguments as the package gives them. */
export function showCursor(canvas, kind, image, x, y) {
  if (kind === 'url') canvas.style.cursor = `url(${image}) ${Math.round(x)} ${Math.round(y)}, default`;
  else canvas.style.cursor = kind === 'hidden' ? 'none' : 'default';
}

// Fingers as a mouse: a tap clicks, a long press is the right button, a finger that moves drags, two
// fingers scroll. A state for the gesture, and what each event makes of it.
import { spot, Wheel } from './pointer.js';

const HOLD_MS = 500;
const NEAR = 10; // CSS pixels that a finger may tremble
const SPEED = 1.5; // a finger's way counts more than a touch pad's

const LEFT = 0;
const RIGHT = 2;

export class Touch {
  #canvas;
  #input;
  #fingers = new Map(); // pointerId to {x, y}, where it was last
  #gesture = null; // null, 'press', 'drag', 'held' or 'scroll'
  #start = null; // the event that began it
  #timer = null;
  #wheel = new Wheel();

  constructor({ canvas, input }) {
    this.#canvas = canvas;
    this.#input = input;
    const on = (type, handle) => canvas.addEventListener(type, (event) => {
      if (event.pointerType !== 'touch') return;
      event.preventDefault();
      handle.call(this, event);
    });
    on('pointerdown', this.#down);
    on('pointermove', this.#move);
    on('pointerup', this.#up);
    on('pointercancel', this.#cancel);
    // The mouse events that browsers make up afterwards would click twice.
    canvas.addEventListener('touchend', (event) => {
      if (event.cancelable) event.preventDefault();
    }, { passive: false });
  }

  #down(event) {
    this.#fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    this.#canvas.setPointerCapture(event.pointerId);
    if (this.#fingers.size === 1) {
      this.#canvas.focus({ preventScroll: true });
      this.#gesture = 'press';
      this.#start = event;
      this.#timer = setTimeout(() => this.#hold(), HOLD_MS);
    } else if (this.#gesture === 'press') {
      clearTimeout(this.#timer);
      this.#gesture = 'scroll';
      this.#input.move(spot(this.#canvas, this.#start));
    }
  }

  #hold() {
    if (this.#gesture !== 'press') return;
    this.#gesture = 'held';
    this.#click(RIGHT);
  }

  #move(event) {
    const last = this.#fingers.get(event.pointerId);
    if (!last) return;
    const moved = { x: event.clientX - last.x, y: event.clientY - last.y };
    if (this.#gesture === 'press') {
      const far = Math.hypot(event.clientX - this.#start.clientX, event.clientY - this.#start.clientY);
      if (far < NEAR) return;
      clearTimeout(this.#timer);
      this.#gesture = 'drag';
      this.#input.move(spot(this.#canvas, this.#start));
      this.#input.button(LEFT, true);
    }
    this.#fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    if (this.#gesture === 'drag') this.#input.move(spot(this.#canvas, event));
    if (this.#gesture === 'scroll') this.#scroll(moved);
  }

  // Each of the fingers tells of its own way: half of the scrolling each.
  #scroll(moved) {
    this.#input.wheel(true, this.#wheel.steps('y', (moved.y * SPEED) / 2));
    this.#input.wheel(false, -this.#wheel.steps('x', (moved.x * SPEED) / 2));
  }

  #up(event) {
    this.#fingers.delete(event.pointerId);
    if (this.#gesture === 'press') this.#click(LEFT);
    if (this.#gesture === 'drag') this.#input.button(LEFT, false);
    if (this.#gesture !== 'scroll' || this.#fingers.size === 0) this.#finish();
  }

  #cancel(event) {
    this.#fingers.delete(event.pointerId);
    if (this.#gesture === 'drag') this.#input.button(LEFT, false);
    this.#finish();
  }

  #click(button) {
    this.#input.move(spot(this.#canvas, this.#start));
    this.#input.button(button, true);
    this.#input.button(button, false);
  }

  #finish() {
    clearTimeout(this.#timer);
    this.#gesture = null;
    this.#start = null;
  }
}

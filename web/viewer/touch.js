// Fingers as a mouse: a tap clicks, a long press is the right button, a finger that moves drags, two
// fingers scroll. What is out of sight comes first: they move the picture, and only where it ends
// already when they begin, the desktop's contents. A state for the gesture, and what each event makes of it.
import { pan, spot, Wheel } from './pointer.js';

const HOLD_MS = 500;
const NEAR = 10; // CSS pixels that a finger may tremble
const SPEED = 1.5; // a finger's way counts more than a touch pad's

const LEFT = 0;
const RIGHT = 2;
const TWO = ['two', 'pan', 'scroll'];

export class Touch {
  #canvas;
  #stage;
  #input;
  #fingers = new Map(); // pointerId to {x, y}, where it was last
  #gesture = null; // null, 'press', 'drag' or 'held'; of two fingers 'two', and then 'pan' or 'scroll'
  #start = null; // the event that began it
  #timer = null;
  #way = { x: 0, y: 0 }; // of two fingers, that nothing was made of yet
  #wheel = new Wheel();

  constructor({ canvas, stage, input }) {
    this.#canvas = canvas;
    this.#stage = stage;
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
      this.#gesture = 'two';
      this.#way = { x: 0, y: 0 };
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
    if (TWO.includes(this.#gesture)) this.#both(moved);
  }

  // Each of the fingers tells of its own way: half of the whole each.
  #both(moved) {
    this.#way = { x: this.#way.x + moved.x / 2, y: this.#way.y + moved.y / 2 };
    if (this.#gesture === 'two') this.#decide();
    if (this.#gesture === 'pan') this.#pan();
    if (this.#gesture === 'scroll') this.#scroll();
  }

  // By the main direction: fingers tremble across it.
  #decide() {
    const { x, y } = this.#way;
    if (Math.hypot(x, y) < NEAR) return;
    const axis = Math.abs(x) > Math.abs(y) ? 'x' : 'y';
    const moved = pan(this.#stage, { [axis]: -this.#way[axis] });
    this.#gesture = moved ? 'pan' : 'scroll';
    if (moved) this.#way[axis] = 0;
  }

  #pan() {
    const { x, y } = this.#way;
    const whole = { x: Math.trunc(x), y: Math.trunc(y) };
    pan(this.#stage, { x: -whole.x, y: -whole.y });
    this.#way = { x: x - whole.x, y: y - whole.y };
  }

  #scroll() {
    const { x, y } = this.#way;
    this.#way = { x: 0, y: 0 };
    this.#input.wheel(true, this.#wheel.steps('y', y * SPEED));
    this.#input.wheel(false, -this.#wheel.steps('x', x * SPEED));
  }

  #up(event) {
    this.#fingers.delete(event.pointerId);
    if (this.#gesture === 'press') this.#click(LEFT);
    if (this.#gesture === 'drag') this.#input.button(LEFT, false);
    if (!TWO.includes(this.#gesture) || this.#fingers.size === 0) this.#finish();
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

// Fingers, wheel and pen over the picture, and what of it goes to the desktop.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import './portal_rig.mjs';

globalThis.WheelEvent = { DOM_DELTA_LINE: 1, DOM_DELTA_PAGE: 2 };
const { listenToPointer } = await import('/viewer/pointer.js');
const { Touch } = await import('/viewer/touch.js');

/** A picture of 800 by 600 on a stage of 390 by 600 (or larger): {log, stage, event(type, more)}. */
function picture({ scrolls = true, width = 390, height = 600 } = {}) {
  const clamp = (value, most) => Math.min(Math.max(value, 0), Math.max(most, 0));
  let left = 0;
  let top = 0;
  const stage = { classList: { contains: (name) => scrolls && name === 'scrolls' },
    get scrollLeft() { return left; }, set scrollLeft(x) { left = clamp(Math.round(x), 800 - width); },
    get scrollTop() { return top; }, set scrollTop(y) { top = clamp(Math.round(y), 600 - height); } };
  const log = [];
  const canvas = Object.assign(new EventTarget(), { width: 800, height: 600, focus() {}, setPointerCapture() {},
    getBoundingClientRect: () => ({ left: -left, top: -top, width: 800, height: 600 }) });
  const input = {
    move: ({ x, y }) => log.push(`${x},${y}`),
    button: (number, down) => log.push(`${down ? '+' : '-'}${number}`),
    wheel: (vertical, steps) => { if (steps) log.push(`${vertical ? 'down' : 'across'} ${-steps}`); },
  };
  listenToPointer({ canvas, stage, input });
  new Touch({ canvas, stage, input });
  return { log, stage, event(type, more) {
    const event = Object.assign(new Event(type, { cancelable: true }), more);
    canvas.dispatchEvent(event);
    return event;
  } };
}

function fingers({ event }, from, by, steps = 20) {
  const at = (pointerId, x, y) => ({ pointerType: 'touch', pointerId, clientX: x, clientY: y });
  event('pointerdown', at(1, from.x, from.y));
  event('pointerdown', at(2, from.x + 40, from.y));
  for (let step = 1; step <= steps; step++) {
    const part = step / steps;
    for (const id of [1, 2]) event('pointermove', at(id, from.x + (id - 1) * 40 + by.x * part, from.y + by.y * part));
  }
  for (const id of [1, 2]) event('pointerup', at(id, from.x + by.x, from.y + by.y));
}
const wheels = (log) => log.filter((one) => /down|across/.test(one));
const wheel = ({ event }, deltaX, deltaY, shiftKey) => event('wheel', { deltaX, deltaY, deltaMode: 0, shiftKey });

test('two fingers move a picture that is larger than its stage, and nothing of it goes to the desktop', () => {
  const view = picture();
  fingers(view, { x: 300, y: 300 }, { x: -200, y: 5 });
  assert.equal(view.stage.scrollLeft, 200);
  fingers(view, { x: 100, y: 300 }, { x: 80, y: 0 });
  assert.equal(view.stage.scrollLeft, 120);
  fingers(view, { x: 380, y: 300 }, { x: -370, y: 0 });
  assert.equal(view.stage.scrollLeft, 410, 'as far as it goes');
  assert.deepEqual(wheels(view.log), []);
});

test('where the picture ends already, or all of it is seen, two fingers scroll the desktop', () => {
  const view = picture();
  fingers(view, { x: 300, y: 100 }, { x: 3, y: 200 });
  assert.equal(view.stage.scrollLeft, 0);
  assert.ok(wheels(view.log).length > 2 && wheels(view.log).every((one) => /^down -/.test(one)), view.log.join(' '));
  const whole = picture({ scrolls: false });
  fingers(whole, { x: 300, y: 300 }, { x: -200, y: 0 });
  assert.ok(wheels(whole.log).length > 2 && wheels(whole.log).every((one) => /^across -/.test(one)), whole.log.join(' '));
});

test('Shift and the wheel move the picture, to the side and then down; at its end they go to the desktop', () => {
  const view = picture({ height: 400 });
  wheel(view, 0, 100, false);
  assert.deepEqual([view.stage.scrollLeft, view.stage.scrollTop, wheels(view.log).length], [0, 0, 1], 'without Shift it is the desktop\'s');
  for (let turn = 0; turn < 5; turn++) wheel(view, 100, 0, true); // as browsers turn it
  assert.deepEqual([view.stage.scrollLeft, view.stage.scrollTop], [410, 0]);
  for (let turn = 0; turn < 2; turn++) wheel(view, 100, 0, true);
  assert.deepEqual([view.stage.scrollLeft, view.stage.scrollTop], [410, 200]);
  assert.equal(wheels(view.log).length, 1);
  wheel(view, 100, 0, true);
  assert.equal(wheels(view.log).length, 2);
});

test('a pen clicks and drags by its own events, whose made-up mouse events are not wanted', () => {
  const view = picture({ scrolls: false });
  const pen = (type, x, y, button = 0) => view.event(type, { pointerType: 'pen', pointerId: 7, clientX: x, clientY: y, button });
  assert.ok(pen('pointerdown', 10, 20).defaultPrevented);
  pen('pointermove', 15, 20, -1);
  assert.ok(pen('pointerup', 15, 20).defaultPrevented);
  assert.deepEqual(view.log, ['10,20', '+0', '15,20', '15,20', '-0']);
  view.log.length = 0;
  pen('pointerdown', 10, 20, 2);
  pen('pointerup', 10, 20, 2);
  pen('pointerdown', 10, 20, 5);
  pen('pointercancel', 10, 20, -1);
  pen('pointerup', 10, 20, 0);
  assert.deepEqual(view.log.filter((one) => /^[+-]/.test(one)), ['+2', '-2', '+0', '-0']);
});

test('a mouse clicks by its mouse events, once', () => {
  const view = picture({ scrolls: false });
  const at = { clientX: 5, clientY: 5, button: 0 };
  view.event('pointerdown', { pointerType: 'mouse', pointerId: 1, ...at });
  view.event('mousedown', at);
  view.event('pointerup', { pointerType: 'mouse', pointerId: 1, ...at });
  view.event('mouseup', at);
  assert.deepEqual(view.log.filter((one) => /^[+-]/.test(one)), ['+0', '-0']);
});

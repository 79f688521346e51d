// The picture's place and size, and the page's own small things that depend on the screen.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { paper, soon } from './paper.mjs';
import { fresh, pretend } from './portal_rig.mjs';

const source = (name) => readFileSync(new URL(`../../web/${name}`, import.meta.url), 'utf8');

/** What tells of sizes and densities: resized(), moved(density), with as many who listen to it. */
function surroundings(t) {
  const made = { queries: [] };
  pretend(t, 'ResizeObserver', class { constructor(call) { made.change = call; } observe() {} });
  pretend(t, 'MutationObserver', class { observe() {} });
  pretend(t, 'devicePixelRatio', 1);
  pretend(t, 'matchMedia', (query) => {
    const list = new EventTarget();
    made.queries.push([query, list]);
    return list;
  });
  return Object.assign(made, { resized: () => made.change(),
    moved(density) {
      globalThis.devicePixelRatio = density;
      made.queries.at(-1)[1].dispatchEvent(new Event('change'));
    } });
}

test('a keyboard on the glass leaves the desktop its size, and the picture can be moved from below it', async (t) => {
  const { sheet, make } = paper(t);
  const { resized } = surroundings(t);
  const stage = Object.assign(make('main'), { clientWidth: 700, clientHeight: 600 });
  const canvas = Object.assign(make('canvas'), { width: 700, height: 600 });
  const field = Object.assign(make('textarea'), { id: 'soft-input' });
  sheet.body.append(stage, field);
  stage.append(canvas);
  const { Screen } = await fresh('viewer/screen.js');
  const screen = new Screen({ stage, canvas, settings: { mode: 'fit', follow: true, dense: false }, renew() {} });
  resized();
  assert.deepEqual([canvas.style.height, stage.classList.contains('scrolls')], ['600px', false]);

  field.focus();
  stage.clientHeight = 280;
  resized();
  assert.deepEqual([canvas.style.height, stage.classList.contains('scrolls')], ['600px', true]);
  assert.equal(screen.wanted().height, 600);
  Object.assign(stage, { clientWidth: 660, clientHeight: 500 }); // turned, or another window
  resized();
  assert.deepEqual([screen.wanted().width, stage.classList.contains('scrolls')], [660, false]);

  stage.clientHeight = 300;
  resized();
  sheet.activeElement = sheet.body;
  stage.clientHeight = 480;
  resized();
  assert.deepEqual([screen.wanted().height, stage.classList.contains('scrolls')], [480, false], 'a window that is smaller');
  assert.match(source('viewer.html'), /interactive-widget=resizes-content/, 'or a keyboard covers what it does not resize');
});

test('a desktop that did not take a size is asked anew after the next connection', async (t) => {
  const { sheet, make } = paper(t);
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { resized } = surroundings(t);
  const stage = Object.assign(make('main'), { clientWidth: 1000, clientHeight: 600 });
  const canvas = Object.assign(make('canvas'), { width: 1000, height: 600 });
  sheet.body.append(stage);
  pretend(t, 'document', Object.assign(sheet, { createElement: (tag) => Object.assign(make(tag), {
    getContext: () => ({ drawImage() {}, getImageData: () => ({ data: new Uint8Array(64 * 48 * 4) }) }) }) }));
  const { Screen } = await fresh('viewer/screen.js');
  const done = [];
  const screen = new Screen({ stage, canvas, settings: { mode: 'fit', follow: true, dense: false }, renew: () => done.push('renewed') });
  const session = { resize: (width) => done.push(width) };
  const turn = (width) => {
    stage.clientWidth = width;
    resized();
    for (let tenths = 0; tenths < 30; tenths++) t.mock.timers.tick(100);
  };
  screen.wanted();
  screen.use(session);
  turn(1200); // in vain
  assert.deepEqual(done, [1200, 'renewed']);
  canvas.width = 1200;
  screen.wanted();
  screen.use(session);
  turn(1400);
  assert.deepEqual(done.slice(2), [1400, 'renewed']);
});

test('every pixel of the screen is used on another one, too, whose pixels are smaller', async (t) => {
  const { make } = paper(t);
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { moved, queries } = surroundings(t);
  const stage = Object.assign(make('main'), { clientWidth: 1000, clientHeight: 600 });
  const canvas = Object.assign(make('canvas'), { width: 1000, height: 600, getContext: () => null });
  pretend(t, 'document', { activeElement: null, createElement: () => ({ getContext: () => ({ drawImage() {}, getImageData: () => ({ data: new Uint8Array(64 * 48 * 4) }) }) }) });
  const { Screen } = await fresh('viewer/screen.js');
  const asked = [];
  const screen = new Screen({ stage, canvas, settings: { mode: 'fit', follow: true, dense: true }, renew() {} });
  screen.wanted();
  screen.use({ resize: (...size) => asked.push(size) });
  t.mock.timers.tick(100);
  for (const density of [2, 1.5]) {
    moved(density);
    t.mock.timers.tick(500);
  }
  assert.deepEqual(asked, [[2000, 1200, 200], [1500, 900, 150]]);
  assert.deepEqual(queries.map(([query]) => query), [1, 2, 1.5].map((density) => `(resolution: ${density}dppx)`));
});

test('the choice for dense screens is there once the window is on one', async (t) => {
  const { sheet, make } = paper(t);
  for (const id of ['follow', 'dense', 'dense-row', 'rdp-file']) sheet.body.append(Object.assign(make('input'), { id }));
  const button = make('button');
  button.setAttribute('aria-controls', 'view-panel');
  sheet.body.append(button);
  pretend(t, 'devicePixelRatio', 1);
  const { setUpView } = await fresh('viewer/menu.js');
  setUpView({ settings: {}, desktop: 'office', changed() {} });
  assert.equal(sheet.getElementById('dense-row').hidden, true);
  globalThis.devicePixelRatio = 2;
  button.click();
  assert.equal(sheet.getElementById('dense-row').hidden, false);
});

test('who opens the list of desktops in a tab of its own has not left this page', async (t) => {
  paper(t);
  const { leavesPage } = await fresh('viewer/menu.js');
  const click = (more) => ({ button: 0, ctrlKey: false, metaKey: false, shiftKey: false, altKey: false, ...more });
  assert.equal(leavesPage(click()), true);
  for (const more of [{ ctrlKey: true }, { metaKey: true }, { shiftKey: true }, { altKey: true }, { button: 1 }]) assert.equal(leavesPage(click(more)), false);
});

test('in full screen the keyboard is locked where the browser can, until the end of it', async (t) => {
  for (const lock of [async () => {}, async () => { throw new Error('refused'); }, undefined]) {
    const { sheet, make } = paper(t);
    for (const id of ['full-screen', 'show-bar', 'stage']) sheet.body.append(Object.assign(make('button'), { id }));
    navigator.keyboard = lock && { lock, unlock() {} };
    const turn = (full) => {
      sheet.fullscreenElement = full ? sheet.root : null;
      sheet.dispatchEvent(new Event('fullscreenchange'));
    };
    sheet.root.requestFullscreen = async () => turn(true);
    const { FullScreen } = await fresh('viewer/menu.js');
    let back = 0;
    const full = new FullScreen({ back: () => { back++; } });
    assert.equal(full.locked, false);
    sheet.getElementById('full-screen').click();
    await soon(() => back === 1);
    assert.equal(full.locked, Boolean(lock) && await lock().then(() => true, () => false));
    turn(false);
    assert.equal(full.locked, false);
  }
});

// The picture on the page: the canvas, how it is scaled, and that the desktop has the window's size.
// While a tablet's keyboard covers a part of the page, the picture stays as it is and can be moved.
import { place, wantedSize } from './geometry.js';

const SETTLE_MS = 400; // a window that is being dragged larger asks once, at the end
const ANSWER_MS = 2500; // for the desktop to change its size by itself, and again to show something
const SAMPLE = { width: 64, height: 48 };

// Whether the canvas has one colour: nothing has been drawn on it, or nothing to look at.
function isPlain(canvas) {
  const small = Object.assign(document.createElement('canvas'), SAMPLE);
  const context = small.getContext('2d', { willReadFrequently: true });
  context.drawImage(canvas, 0, 0, SAMPLE.width, SAMPLE.height);
  const pixels = new Uint32Array(context.getImageData(0, 0, SAMPLE.width, SAMPLE.height).data.buffer);
  return pixels.every((pixel) => pixel === pixels[0]);
}

/**
 * renew(): makes a new connection, at wanted(). settings: see settings.js.
 */
export class Screen {
  #stage;
  #canvas;
  #settings;
  #renew;
  #session = null;
  #timer = null;
  #whole = null; // the stage's size without a keyboard over it
  #asked = null; // the size last asked for
  #answers = true; // the desktop takes another size without a new connection
  #fixed = false; // it has its own size, whatever is asked for

  constructor({ stage, canvas, settings, renew }) {
    this.#stage = stage;
    this.#canvas = canvas;
    this.#settings = settings;
    this.#renew = renew;
    new ResizeObserver(() => this.#stageChanged()).observe(stage);
    new MutationObserver(() => this.layout()).observe(canvas, { attributeFilter: ['width', 'height'] });
    this.#watchDensity();
  }

  // A window that is moved to a screen of another density may keep its size.
  #watchDensity() {
    matchMedia(`(resolution: ${devicePixelRatio}dppx)`).addEventListener('change', () => {
      this.#watchDensity();
      this.#stageChanged();
    }, { once: true });
  }

  /** The size to ask for with the next connection. */
  wanted() {
    this.#asked = wantedSize(this.#size(), devicePixelRatio, this.#settings.dense);
    return this.#asked;
  }

  /** A session has begun (null: it is over). */
  use(session) {
    clearTimeout(this.#timer);
    this.#session = session;
    if (!session) return;
    this.#answers = true; // until it is known of this one; what is asked for early may be lost on the way
    this.layout();
    this.#fixed = !this.#has(this.#asked);
    if (!this.#fixed) this.#later(0); // the window may have changed while we connected
  }

  /** Puts the canvas where it belongs. */
  layout() {
    const stage = this.#size();
    const picture = { width: this.#canvas.width, height: this.#canvas.height };
    const { mode, dense } = this.#settings;
    const box = place(stage, picture, mode, dense ? 1 / devicePixelRatio : 1);
    for (const side of ['left', 'top', 'width', 'height']) this.#canvas.style[side] = `${box[side]}px`;
    this.#stage.classList.toggle('scrolls', mode === 'real' || stage.height > this.#stage.clientHeight);
  }

  #size() {
    const now = { width: this.#stage.clientWidth, height: this.#stage.clientHeight };
    const covered = document.activeElement?.id === 'soft-input' && this.#whole?.width === now.width && this.#whole.height > now.height;
    if (!covered) this.#whole = now;
    return this.#whole;
  }

  /** A setting has changed that the desktop's size depends on. */
  refresh() {
    this.layout();
    this.#later(0);
  }

  #has(size) {
    return this.#canvas.width === size.width && this.#canvas.height === size.height;
  }

  #stageChanged() {
    this.layout();
    this.#later(SETTLE_MS);
  }

  #later(delay) {
    clearTimeout(this.#timer);
    if (this.#session && this.#settings.follow && !this.#fixed) {
      this.#timer = setTimeout(() => this.#follow(), delay);
    }
  }

  #follow() {
    const before = this.#asked;
    const size = this.wanted();
    if (this.#has(size) && before.scale === size.scale) return;
    if (!this.#answers) {
      this.#renew();
      return;
    }
    const plain = isPlain(this.#canvas);
    this.#session.resize(size.width, size.height, size.scale);
    this.#timer = setTimeout(() => {
      if (this.#has(size)) {
        if (!plain) this.#expectPicture();
        return;
      }
      this.#answers = false;
      this.#renew();
    }, ANSWER_MS);
  }

  // The picture after a change of size may be lost on the way from the desktop's screen (seen with
  // xrdp on a busy machine), and nobody sends it again.
  #expectPicture() {
    if (!isPlain(this.#canvas)) return;
    this.#timer = setTimeout(() => {
      if (isPlain(this.#canvas)) this.#renew();
    }, ANSWER_MS);
  }
}

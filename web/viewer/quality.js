// How good the connection is: the time that a request to the gateway takes, now and then. And
// whether it is still there at all, since a dead network says nothing by itself, nor does a router that
// has forgotten the desktop's connection while others work.

const EVERY_MS = 5_000;
const LIMIT_MS = 4_000;
const MISSED = 3; // without an answer or a byte of the desktop: it is gone
const QUIET = 3; // so often without a byte of the desktop, and again after as many: worth a question
const KEPT = 5;

/** 'good', 'fair' or 'poor', by the median of these round trips in milliseconds. */
export function grade(times) {
  const sorted = [...times].sort((a, b) => a - b);
  const median = sorted[Math.floor(sorted.length / 2)];
  if (median < 120) return 'good';
  return median < 300 ? 'fair' : 'poor';
}

/**
 * show({grade, milliseconds}) or show(null) while there is no answer. gone(): it is lost. quiet(): the
 * desktop has said nothing for a while.
 */
export class Quality {
  #show;
  #gone;
  #timer = null;
  #times = [];
  #missed = 0;
  #silent = 0; // answers since something came from the desktop
  #quiet;

  constructor({ show, gone, quiet }) {
    this.#show = show;
    this.#gone = gone;
    this.#quiet = quiet;
  }

  start() {
    this.stop();
    this.#times = [];
    this.#missed = 0;
    this.#silent = 0;
    this.#timer = setInterval(() => this.#measure(), EVERY_MS);
    void this.#measure();
  }

  stop() {
    clearInterval(this.#timer);
    this.#timer = null;
  }

  /** Something came from the desktop. */
  sawData() {
    this.#missed = 0;
    this.#silent = 0;
  }

  async #measure() {
    if (document.hidden) return; // timers of hidden pages are slowed down, and nobody looks
    const timer = this.#timer;
    const began = performance.now();
    const answered = await fetch('/healthz', { cache: 'no-store', signal: AbortSignal.timeout(LIMIT_MS) })
      .then(() => true, () => false);
    if (timer !== this.#timer || timer === null) return;
    if (answered) this.#answered(performance.now() - began);
    else this.#unanswered();
  }

  #answered(milliseconds) {
    this.#missed = 0;
    this.#times = [...this.#times, milliseconds].slice(-KEPT);
    this.#show({ grade: grade(this.#times), milliseconds: Math.round(milliseconds) });
    this.#silent++;
    if (this.#silent % QUIET === 0) this.#quiet();
  }

  #unanswered() {
    this.#show(null);
    this.#missed++;
    if (this.#missed < MISSED) return;
    this.stop();
    this.#gone();
  }
}

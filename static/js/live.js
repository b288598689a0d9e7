/**
 * Live mode's clock: edits follow the typing. Free of the DOM; tests bring their own timers.
 *
 * A preview starts when nothing changed for `previewDelayMs`; never two at once: what changes while
 * one is in flight is asked for when it is back. When nothing changed for `settleDelayMs` after a
 * preview, `settle` makes the picture at full resolution.
 */

/** @typedef {{set: (run: () => void, ms: number) => unknown, clear: (timer: any) => void}} Timers */

/** @type {Timers} */
const BROWSER_TIMERS = {
  set: (run, ms) => setTimeout(run, ms),
  clear: (timer) => clearTimeout(timer),
};

/**
 * @param {{preview: () => Promise<void>, settle: () => Promise<void>, previewDelayMs?: number,
 *   settleDelayMs?: number, timers?: Timers}} options
 */
export function createFollower({
  preview,
  settle,
  previewDelayMs = 120,
  settleDelayMs = 1100,
  timers = BROWSER_TIMERS,
}) {
  /** @type {unknown} */
  let timer = null;
  let following = false;
  let inFlight = false;
  let changedMeanwhile = false;

  /** @param {() => void} run @param {number} ms */
  function later(run, ms) {
    timers.clear(timer);
    timer = timers.set(run, ms);
  }

  async function runPreview() {
    inFlight = true;
    changedMeanwhile = false;
    try {
      await preview();
    } finally {
      inFlight = false;
    }
    if (!following) return;
    if (changedMeanwhile) later(runPreview, 0);
    else later(settle, settleDelayMs);
  }

  return {
    /** What is asked for has changed. */
    changed() {
      following = true;
      if (inFlight) changedMeanwhile = true;
      else later(runPreview, previewDelayMs);
    },

    /** Nothing more starts by itself; what is in flight comes back unheard. */
    stop() {
      following = false;
      timers.clear(timer);
    },
  };
}

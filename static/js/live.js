/**
 * Live mode's clock: edits follow the typing. Free of the DOM; tests bring their own timers.
 *
 * A change starts a preview: at once where the last one was back quickly, else after
 * `previewDelayMs`, so that a slow server is not asked for a letter of a word. Never two at once:
 * what changes while one is in flight is asked for when it is back. When nothing changed for
 * `settleDelayMs` after a preview, `settle` makes the picture at full resolution.
 */

/** @typedef {{set: (run: () => void, ms: number) => unknown, clear: (timer: any) => void,
 *   now: () => number}} Timers  now: in milliseconds */

/** @type {Timers} */
const BROWSER_TIMERS = {
  set: (run, ms) => setTimeout(run, ms),
  clear: (timer) => clearTimeout(timer),
  now: () => performance.now(),
};

/**
 * @param {{preview: () => Promise<void>, settle: () => Promise<void>, previewDelayMs?: number,
 *   quickMs?: number, settleDelayMs?: number, timers?: Timers}} options  quickMs: an answer that
 *   took no longer lets the next preview start at once
 */
export function createFollower({
  preview,
  settle,
  previewDelayMs = 120,
  quickMs = 250,
  settleDelayMs = 1100,
  timers = BROWSER_TIMERS,
}) {
  /** @type {unknown} */
  let timer = null;
  let following = false;
  let waits = false; // a preview is about to start
  let inFlight = false;
  let changedMeanwhile = false;
  let isQuick = false;

  /** @param {() => void} run @param {number} ms */
  function later(run, ms) {
    timers.clear(timer);
    timer = timers.set(run, ms);
  }

  /** @param {number} ms */
  function previewLater(ms) {
    if (waits) return; // else somebody who types steadily would never see one
    waits = true;
    later(runPreview, ms);
  }

  async function runPreview() {
    waits = false;
    inFlight = true;
    changedMeanwhile = false;
    const began = timers.now();
    try {
      await preview();
    } finally {
      inFlight = false;
      isQuick = timers.now() - began <= quickMs;
    }
    if (!following) return;
    if (changedMeanwhile) previewLater(0);
    else later(settle, settleDelayMs);
  }

  return {
    /** What is asked for has changed. */
    changed() {
      following = true;
      if (inFlight) changedMeanwhile = true;
      else previewLater(isQuick ? 0 : previewDelayMs);
    },

    /** Nothing more starts by itself; what is in flight comes back unheard. */
    stop() {
      following = false;
      waits = false;
      timers.clear(timer);
    },
  };
}

/** Makes pictures as they are asked for: one, the latest of many while somebody types, a sheet. */

import * as api from "./api.js";
import { withSteps } from "./between.js";
import { createFollower } from "./live.js";
import { incomplete, problemOf } from "./problems.js";
import * as results from "./results.js";
import * as runs from "./running.js";
import * as sheets from "./sheet.js";
import * as is from "./state.js";

const STEPS = 12; // of a way to another end

/** @typedef {ReturnType<typeof createPainter>} Painter */

/**
 * @param {import("./store.js").Store<is.State>} store
 * @param {import("./pictures.js").Pictures} pictures
 * @param {import("./maker.js").Maker} maker
 * @param {(error: unknown) => void} refuse
 */
export function createPainter(store, pictures, maker, refuse) {
  /** @type {{ask: is.Ask | null, full: boolean, stop: AbortController, job: api.Job | null} | null}
   * ask: null where it is for many pictures */
  let running = null;
  let tickets = 0;

  const follower = createFollower({
    preview: () => run({ full: false }),
    settle: () => run({ full: true }),
  });

  store.subscribe((state, before) => {
    if (state.live !== before.live) return state.live ? follower.changed() : follower.stop();
    if (!state.live || is.keyOf(is.asked(state)) === is.keyOf(is.asked(before))) return;
    follow(state);
  });

  /** @param {is.State} state whose edit has just changed, in live mode */
  function follow(state) {
    if (running?.full) abandon();
    const ask = is.asked(state);
    const wanted = ask !== null && is.keyOf(ask) !== state.shown?.key;
    // The preview in flight is a step towards what is asked for, or it is stale.
    const isStep = wanted && running?.ask && runs.isAkin(running.ask, ask);
    if (runs.isBusy(state) && !isStep) store.update(runs.idle);
    if (wanted) follower.changed();
    else follower.stop();
  }

  /** Stops what runs, here and on the server. */
  function abandon() {
    running?.stop.abort();
    if (running?.job) api.cancel(running.job).catch(() => {}); // it may just have ended
    running = null;
  }

  /** @param {{full: boolean}} options */
  async function run({ full }) {
    const ask = is.asked(store.get());
    if (!ask) return;
    const made = results.madeBefore(store.get(), ask) ?? results.whole(store.get(), ask);
    if (made) return show(made);
    abandon();
    const ticket = ++tickets;
    /** @type {NonNullable<typeof running>} */
    const mine = { ask, full, stop: new AbortController(), job: null };
    running = mine;
    store.update((state) => runs.started(state, ticket, full));
    try {
      const [result] = await maker.make(ask, wishOf(mine, ticket));
      store.update((state) => results.finished(state, ticket, result));
    } catch (error) {
      if (mine.stop.signal.aborted) return;
      const problem = problemOf(error);
      // While somebody types, words that say nothing yet are no trouble.
      if (!full && problem.field === "caption") return store.update((s) => runs.dropped(s, ticket));
      store.update((state) => runs.failed(state, ticket, problem));
    } finally {
      if (running === mine) running = null;
    }
  }

  /** @param {NonNullable<typeof running>} mine @param {number} ticket
   * @returns {import("./maker.js").Wish} */
  function wishOf(mine, ticket) {
    return {
      full: mine.full,
      signal: mine.stop.signal,
      onPhase(phase, before) {
        store.update((state) => runs.progressed(state, ticket, phase, before));
      },
      onJob(job) {
        mine.job = job;
      },
    };
  }

  /** Makes the pictures of a sheet one after the other; one that can't be made leaves its reason.
   * @param {import("./sheet.js").Sheet} sheet @param {NonNullable<typeof running>} mine
   * @param {number} ticket */
  async function fill(sheet, mine, ticket) {
    for (const places of sheets.batches(sheet)) {
      const { ask } = sheet.cells[places[0]];
      try {
        const made = await maker.make(ask, wishOf(mine, ticket), places.length);
        sheet = sheets.filled(sheet, places, made);
      } catch (error) {
        if (mine.stop.signal.aborted) return;
        sheet = sheets.spoiled(sheet, places, problemOf(error).detail);
      }
      const now = sheet;
      store.update((state) => runs.withSheet(state, ticket, now));
    }
  }

  /** @param {is.Result} result */
  async function show(result) {
    await pictures.result(result.image);
    store.update((state) => results.shownResult(runs.idle(state), result));
  }

  /** Makes the edit at full resolution. */
  async function go() {
    follower.stop();
    const missing = is.missing(store.get());
    if (missing) store.update((state) => is.withProblem(state, incomplete(missing)));
    else await run({ full: true }).catch(refuse);
  }

  /** Nothing that was asked for is wanted any more. */
  function cancel() {
    follower.stop();
    abandon();
    store.update((state) => (runs.isBusy(state) ? runs.idle(state) : state));
  }

  return {
    go,

    /** Makes pictures to compare. @param {import("./sheet.js").Sheet} sheet */
    async explore(sheet) {
      cancel();
      const ticket = ++tickets;
      /** @type {NonNullable<typeof running>} */
      const mine = { ask: null, full: false, stop: new AbortController(), job: null };
      running = mine;
      store.update((state) => runs.exploring(state, ticket, sheet));
      await fill(sheet, mine, ticket);
      if (running === mine) running = null;
      store.update((state) => runs.dropped(state, ticket));
    },

    /** Makes the pictures from what is asked for to another end.
     * @param {is.Ask} ask @param {import("./between.js").End} end
     * @param {import("./between.js").Way} way */
    async goBetween(ask, end, way) {
      cancel();
      const ticket = ++tickets;
      /** @type {NonNullable<typeof running>} */
      const mine = { ask: null, full: false, stop: new AbortController(), job: null };
      running = mine;
      store.update((state) => runs.onTheWay(state, ticket, way));
      try {
        const made = await maker.makeWay(ask, end, wishOf(mine, ticket), STEPS);
        const whole = withSteps(way, made.steps, made.animation);
        store.update((state) => is.withWay(runs.dropped(state, ticket), whole));
      } catch (error) {
        if (mine.stop.signal.aborted) return;
        store.update((state) => is.withWay(runs.failed(state, ticket, problemOf(error)), null));
        store.update((state) => is.withView(state, state.shown ? "compare" : "crop"));
      } finally {
        if (running === mine) running = null;
      }
    },

    /** The same words with other noise. */
    again() {
      const seed = Math.floor(Math.random() * is.SEED_LIMIT);
      store.update((state) => is.withSeed(state, seed));
      return go();
    },

    cancel,
  };
}

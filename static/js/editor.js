/** What a person can do, and what follows from it. */

import * as api from "./api.js";
import { withSteps } from "./between.js";
import { downloadName } from "./captions.js";
import { createFollower } from "./live.js";
import { readParameters } from "./parameters.js";
import { incomplete, problemOf } from "./problems.js";
import * as results from "./results.js";
import * as sheets from "./sheet.js";
import * as is from "./state.js";

const STEPS = 12; // of a way to another end

/** @typedef {ReturnType<typeof createEditor>} Editor */

/**
 * @param {import("./store.js").Store<is.State>} store
 * @param {import("./pictures.js").Pictures} pictures
 * @param {import("./uploads.js").Uploads} uploads
 * @param {import("./photos.js").Photos} photos
 * @param {import("./maker.js").Maker} maker
 */
export function createEditor(store, pictures, uploads, photos, maker) {
  /** @type {{ask: is.Ask | null, full: boolean, stop: AbortController, job: api.Job | null} | null}
   * ask: null where it is for many pictures */
  let running = null;
  let tickets = 0;
  let openings = 0;

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
    const isStep = wanted && running?.ask && is.isAkin(running.ask, ask);
    if (is.isBusy(state) && !isStep) store.update(is.idle);
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
    store.update((state) => is.started(state, ticket, full));
    try {
      const [result] = await maker.make(ask, wishOf(mine, ticket));
      store.update((state) => results.finished(state, ticket, result));
    } catch (error) {
      if (mine.stop.signal.aborted) return;
      const problem = problemOf(error);
      // While somebody types, words that say nothing yet are no trouble.
      if (!full && problem.field === "caption") return store.update((s) => is.dropped(s, ticket));
      store.update((state) => is.failed(state, ticket, problem));
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
        store.update((state) => is.progressed(state, ticket, phase, before));
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
      store.update((state) => is.withSheet(state, ticket, now));
    }
  }

  /** @param {is.Result} result */
  async function show(result) {
    await pictures.result(result.image);
    store.update((state) => results.shownResult(is.idle(state), result));
  }

  /** @param {unknown} error */
  function refuse(error) {
    store.update((state) => is.withProblem(state, problemOf(error)));
  }

  /** Changes the state to one of another photo or result, once its pictures are there.
   * @param {(state: is.State) => is.State} change */
  async function moveTo(change) {
    const { photo, shown } = change(store.get());
    try {
      if (photo) await photos.open(photo);
      if (shown) await pictures.result(shown.image);
      store.update(change);
    } catch (error) {
      refuse(error);
    }
  }

  return {
    /** Edits a person's photo from now on; or goes on where a picture made here was made.
     * @param {Blob} file @param {string} name
     * @param {{asPhoto?: boolean, sample?: string, stored?: import("./uploads.js").Stored}} [options]
     *   asPhoto: even if it was made here; sample: its name, where it is one; stored: where the
     *   server has it already */
    async choose(file, name, { asPhoto = false, sample, stored } = {}) {
      const opening = ++openings;
      this.cancel();
      store.update(is.opening);
      try {
        const photo = await photos.read(file, name, sample);
        const bytes = new Uint8Array(await file.arrayBuffer());
        const parameters = asPhoto ? null : readParameters(bytes);
        if (opening !== openings) return;
        const known = parameters && results.madeWith(store.get(), parameters);
        if (known) return await moveTo((state) => results.resumed(state, known.key));
        if (parameters?.task === "generate" && is.canDraw(store.get())) {
          return store.update((state) => results.redrawn(state, parameters));
        }
        uploads.add(photo.token, file, name, stored);
        store.update((state) => results.withParameters(is.withPhoto(state, photo), parameters));
        uploads.imageId(photo.token).catch(refuse);
      } catch (error) {
        if (opening === openings) refuse(error);
      }
    },

    /** Edits a sample, with the model of its kind and, where none was typed, a caption for it.
     * @param {is.Sample} sample */
    async chooseSample(sample) {
      const fits = store
        .get()
        .models.find((one) => one.domain === sample.domain && one.tasks.includes("manipulate"));
      try {
        const file = await api.download(sample.url);
        await this.choose(file, `${sample.name}.jpg`, { sample: sample.name });
      } catch (error) {
        return refuse(error);
      }
      if (fits && fits.id !== store.get().model) {
        store.update((state) => is.withCaption(is.withModel(state, fits.id), ""));
      }
      const [example] = is.suggestions(store.get());
      if (example && store.get().caption === "") {
        store.update((state) => is.withCaption(state, example));
      }
    },

    /** Edits the picture at an address, which the server fetches. @param {string} url */
    async chooseUrl(url) {
      store.update(is.opening);
      try {
        const stored = await api.fetchImage(url);
        const file = await api.download(api.addressOf(stored));
        await this.choose(file, nameIn(url), { stored });
      } catch (error) {
        refuse(error);
      }
    },

    /** Edits a picture that this server has. @param {string} address of it, without a host */
    async chooseAddress(address) {
      if (!/^\/(library|images|jobs)\//.test(address)) return;
      const name = decodeURIComponent(address.split("/").at(-1) ?? "");
      const file = await api.download(address).catch(refuse);
      if (file) await this.choose(file, name === "image" ? "found" : name, { asPhoto: true });
    },

    /** Edits the result that is shown, as the photo from now on. */
    async goOn() {
      const { shown, photos: known } = store.get();
      if (!shown) return;
      const from = shown.ask.photo ? known[shown.ask.photo].name : "drawn";
      const name = downloadName(from, shown.ask.caption, shown.mediaType);
      const file = await pictures.file(shown.image).catch(refuse);
      if (file) await this.choose(file, name, { asPhoto: true });
    },

    /** Draws from words alone from now on. */
    draw() {
      this.cancel();
      store.update(is.withDrawing);
    },

    /** Makes the edit at full resolution. */
    async go() {
      follower.stop();
      const missing = is.missing(store.get());
      if (missing) store.update((state) => is.withProblem(state, incomplete(missing)));
      else await run({ full: true }).catch(refuse);
    },

    /** Makes pictures to compare. @param {import("./sheet.js").Sheet} sheet */
    async explore(sheet) {
      this.cancel();
      const ticket = ++tickets;
      /** @type {NonNullable<typeof running>} */
      const mine = { ask: null, full: false, stop: new AbortController(), job: null };
      running = mine;
      store.update((state) => is.exploring(state, ticket, sheet));
      await fill(sheet, mine, ticket);
      if (running === mine) running = null;
      store.update((state) => is.dropped(state, ticket));
    },

    /** Makes the pictures from what is asked for to another end.
     * @param {is.Ask} ask @param {import("./between.js").End} end
     * @param {import("./between.js").Way} way */
    async goBetween(ask, end, way) {
      this.cancel();
      const ticket = ++tickets;
      /** @type {NonNullable<typeof running>} */
      const mine = { ask: null, full: false, stop: new AbortController(), job: null };
      running = mine;
      store.update((state) => is.onTheWay(state, ticket, way));
      try {
        const made = await maker.makeWay(ask, end, wishOf(mine, ticket), STEPS);
        const whole = withSteps(way, made.steps, made.animation);
        store.update((state) => is.withWay(is.dropped(state, ticket), whole));
      } catch (error) {
        if (mine.stop.signal.aborted) return;
        store.update((state) => is.withWay(is.failed(state, ticket, problemOf(error)), null));
        store.update((state) => is.withView(state, state.shown ? "compare" : "crop"));
      } finally {
        if (running === mine) running = null;
      }
    },

    /** Looks at one picture of a sheet, with all that made it, and makes it whole.
     * @param {is.Result} result */
    async open(result) {
      this.cancel();
      await moveTo((state) => results.lookedAt(state, result));
      await this.go();
    },

    /** The same words with other noise. */
    again() {
      const seed = Math.floor(Math.random() * is.SEED_LIMIT);
      store.update((state) => is.withSeed(state, seed));
      return this.go();
    },

    cancel() {
      follower.stop();
      abandon();
      store.update((state) => (is.isBusy(state) ? is.idle(state) : state));
    },

    /** Back to the choice of a photo. */
    leave() {
      this.cancel();
      store.update(is.withoutPhoto);
    },

    /** To the photo that was left last. */
    resume() {
      this.cancel();
      return moveTo(results.returned);
    },

    /** @param {string} key of a result */
    restore(key) {
      this.cancel();
      return moveTo((state) => results.restored(state, key));
    },

    /** Back to what was shown before, or forward again. @param {-1 | 1} by */
    travel(by) {
      this.cancel();
      return moveTo((state) => results.travelled(state, by));
    },

    /** A deleted result, there again. @param {is.Result} result */
    undelete(result) {
      this.cancel();
      return moveTo((state) => results.withResult(state, result));
    },
  };
}

/** What to call the photo at an address. @param {string} url */
function nameIn(url) {
  const last = new URL(url).pathname.split("/").at(-1);
  return last ? decodeURIComponent(last) : "photo";
}

/** What a person can do, and what follows from it: the page's only I/O beside the pictures'. */

import * as api from "./api.js";
import { toField } from "./crop.js";
import { createFollower } from "./live.js";
import { RequestFailed, incomplete, problemOf, tooLarge } from "./problems.js";
import * as is from "./state.js";

const MAX_BYTES = 25 * 2 ** 20;
const PREVIEW_WAIT_S = 10;
const FULL_WAIT_S = 2; // short, since a place in line can be shown only after it

/** @typedef {{file: Blob, name: string, imageId: Promise<string> | null}} Upload */
/** @typedef {ReturnType<typeof createEditor>} Editor */

/**
 * @param {import("./store.js").Store<is.State>} store
 * @param {import("./pictures.js").Pictures} pictures
 */
export function createEditor(store, pictures) {
  /** @type {Map<string, Upload>} by the photo's token */
  const uploads = new Map();
  /** @type {{full: boolean, stop: AbortController, job: api.Job | null} | null} */
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
    if (is.isBusy(state)) store.update(is.idle); // the preview in flight is stale
    const ask = is.asked(state);
    if (ask && is.keyOf(ask) !== state.shown?.key) follower.changed();
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
    const made = is.madeBefore(store.get(), ask);
    if (made) return show(made);
    abandon();
    const ticket = ++tickets;
    const mine = { full, stop: new AbortController(), job: null };
    running = mine;
    store.update((state) => is.started(state, ticket));
    try {
      const result = await edited(ask, ticket, mine);
      store.update((state) => is.finished(state, ticket, result));
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

  /** @param {is.Ask} ask @param {number} ticket
   * @param {{full: boolean, stop: AbortController, job: api.Job | null}} mine
   * @returns {Promise<is.Result>} */
  async function edited(ask, ticket, mine) {
    const began = performance.now();
    const job = await api.whenDone(await submitted(ask, ticket, mine), {
      signal: mine.stop.signal,
      onProgress(job) {
        mine.job = job;
        const phase = job.status === "queued" ? "queued" : "working";
        store.update((state) => is.progressed(state, ticket, phase, job.queue_position ?? 0));
      },
    });
    const [output] = job.outputs;
    await pictures.result(output.image);
    return {
      key: is.keyOf(ask),
      ask,
      full: mine.full,
      image: output.image,
      mediaType: output.media_type,
      width: output.width,
      height: output.height,
      seconds: (performance.now() - began) / 1000,
    };
  }

  /** Sends the edit; and the photo again if the server no longer has it.
   * @param {is.Ask} ask @param {number} ticket
   * @param {{full: boolean, stop: AbortController}} options @returns {Promise<api.Job>} */
  async function submitted(ask, ticket, { full, stop }) {
    const upload = /** @type {Upload} */ (uploads.get(ask.photo));
    const send = async () =>
      api.manipulate({
        imageId: await imageIdOf(upload, ticket),
        ask,
        crop: toField(ask.crop),
        full,
        waitS: full ? FULL_WAIT_S : PREVIEW_WAIT_S,
        signal: stop.signal,
      });
    try {
      return await send();
    } catch (error) {
      if (problemOf(error).field !== "image_id") throw error;
      upload.imageId = null;
      return send();
    }
  }

  /** @param {Upload} upload @param {number} [ticket] of the edit that waits for it */
  async function imageIdOf(upload, ticket) {
    upload.imageId ??= api.uploadImage(upload.file, upload.name);
    if (ticket) store.update((state) => is.progressed(state, ticket, "sending"));
    try {
      return await upload.imageId;
    } catch (error) {
      upload.imageId = null; // so that the next try sends it again
      throw error;
    } finally {
      if (ticket) store.update((state) => is.progressed(state, ticket, "working"));
    }
  }

  /** @param {is.Result} result */
  async function show(result) {
    await pictures.result(result.image);
    store.update((state) => is.shownResult(is.idle(state), result));
  }

  /** @param {unknown} error */
  function refuse(error) {
    store.update((state) => is.withProblem(state, problemOf(error)));
  }

  /** @param {Blob} file @param {string} name @param {string} token */
  async function opened(file, name, token) {
    if (file.size > MAX_BYTES) throw new RequestFailed(tooLarge());
    try {
      return await pictures.open(token, file);
    } catch (error) {
      await api.uploadImage(file, name); // the server says better what is wrong with it
      throw error;
    }
  }

  return {
    /** Edits a person's photo from now on. @param {Blob} file @param {string} name */
    async choose(file, name) {
      const opening = ++openings;
      const token = `photo-${opening}`;
      this.cancel();
      store.update(is.opening);
      try {
        const { width, height } = await opened(file, name, token);
        if (opening !== openings) return;
        const upload = { file, name, imageId: null };
        uploads.set(token, upload);
        store.update((state) => is.withPhoto(state, { token, name, width, height }));
        imageIdOf(upload).catch(refuse);
      } catch (error) {
        if (opening === openings) refuse(error);
      }
    },

    /** Edits a sample, with the model of its kind and, where none was typed, a caption for it.
     * @param {is.Sample} sample */
    async chooseSample(sample) {
      const fits = store.get().models.find((model) => model.domain === sample.domain);
      try {
        await this.choose(await api.download(sample.url), `${sample.name}.jpg`);
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

    /** Makes the edit at full resolution. */
    async go() {
      follower.stop();
      const missing = is.missing(store.get());
      if (missing) store.update((state) => is.withProblem(state, incomplete(missing)));
      else await run({ full: true }).catch(refuse);
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

    /** @param {string} key of a result */
    async restore(key) {
      this.cancel();
      const result = store.get().results.find((one) => one.key === key);
      if (!result) return;
      try {
        await pictures.result(result.image);
        store.update((state) => is.restored(state, key));
      } catch (error) {
        refuse(error);
      }
    },
  };
}

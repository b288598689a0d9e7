/** Makes a picture: sends what is asked for, waits for it, and has it decoded. Knows no state. */

import * as api from "./api.js";
import { toField } from "./crop.js";
import { maskFile } from "./mask-canvas.js";
import { problemOf } from "./problems.js";
import { keyOf } from "./state.js";

const PREVIEW_WAIT_S = 10;
const FULL_WAIT_S = 2; // short, since a place in line can be shown only after it

/**
 * @typedef {Object} Wish
 * @property {boolean} full  at full resolution; else a preview
 * @property {AbortSignal} signal
 * @property {(phase: "sending" | "queued" | "working", before?: number) => void} onPhase
 * @property {(job: api.Job) => void} [onJob]
 */

/**
 * @param {import("./pictures.js").Pictures} pictures
 * @param {import("./uploads.js").Uploads} uploads
 */
export function createMaker(pictures, uploads) {
  /** Sends what is asked for; and the photo again if the server no longer has it.
   * @param {import("./state.js").Ask} ask @param {Wish} wish @param {number} count
   * @returns {Promise<api.Job>} */
  async function submitted(ask, { full, signal, onPhase }, count) {
    const waitS = full ? FULL_WAIT_S : PREVIEW_WAIT_S;
    const { photo, crop } = ask;
    if (photo === null || crop === null) return api.generate({ ask, count, waitS, signal });
    const send = async () => {
      onPhase("sending");
      const imageId = await uploads.imageId(photo);
      onPhase("working");
      const size = pictures.photo(photo);
      const mask = ask.mask && size ? await maskFile(ask.mask, size) : null;
      const area = { crop: toField(crop), mask };
      return api.manipulate({ imageId, ask, count, ...area, full, waitS, signal });
    };
    try {
      return await send();
    } catch (error) {
      if (problemOf(error).field !== "image_id") throw error;
      uploads.unsent(photo);
      return send();
    }
  }

  return {
    /** What is asked for, once for each of `count` seeds upwards.
     * @param {import("./state.js").Ask} ask @param {Wish} wish @param {number} [count]
     * @returns {Promise<import("./state.js").Result[]>} */
    async make(ask, wish, count = 1) {
      const began = performance.now();
      const job = await api.whenDone(await submitted(ask, wish, count), {
        signal: wish.signal,
        onProgress(job) {
          wish.onJob?.(job);
          wish.onPhase(job.status === "queued" ? "queued" : "working", job.queue_position ?? 0);
        },
      });
      await Promise.all(job.outputs.map((output) => pictures.result(output.image)));
      const seconds = (performance.now() - began) / 1000;
      return job.outputs.map((output) => resultOf(ask, output, wish.full, seconds));
    },
  };
}

/** @param {import("./state.js").Ask} asked @param {api.Output} output @param {boolean} full
 * @param {number} seconds @returns {import("./state.js").Result} */
function resultOf(asked, output, full, seconds) {
  const ask = { ...asked, seed: output.seed };
  return {
    key: keyOf(ask),
    ask,
    full,
    image: output.image,
    mediaType: output.media_type,
    width: output.width,
    height: output.height,
    seconds,
    words: output.words,
    stages: output.stages,
    heatmaps: output.heatmaps,
    scores: output.scores,
    made: Date.now(),
    favourite: false,
  };
}

/** @typedef {ReturnType<typeof createMaker>} Maker */

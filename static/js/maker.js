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
 *
 * @typedef {{count?: number, end?: import("./between.js").End}} Many  count: of seeds, or of the
 *   steps to another end
 */

/**
 * @param {import("./pictures.js").Pictures} pictures
 * @param {import("./uploads.js").Uploads} uploads
 */
export function createMaker(pictures, uploads) {
  /** The file of the mask that was last sent, for it stays while words change.
   * @type {{mask: import("./mask.js").Mask, photo: string, file: Promise<Blob>} | null} */
  let masked = null;

  /** @param {import("./state.js").Ask} ask @returns {Promise<Blob> | null} */
  function maskOf({ mask, photo }) {
    const size = photo && pictures.photo(photo);
    if (!mask || !size) return null;
    if (masked?.mask !== mask || masked.photo !== photo) {
      masked = { mask, photo, file: maskFile(mask, size) };
    }
    return masked.file;
  }

  /** Sends what is asked for; and the photo again if the server no longer has it.
   * @param {import("./state.js").Ask} ask @param {Wish} wish @param {Many} many
   * @returns {Promise<api.Job>} */
  async function submitted(ask, { full, signal, onPhase }, many) {
    const waitS = full ? FULL_WAIT_S : PREVIEW_WAIT_S;
    const { photo, crop } = ask;
    const count = many.count ?? 1;
    const words = many.end?.caption ? { caption_to: many.end.caption } : {};
    const steps = many.end ? { ...words, steps: many.count } : {};
    const variations = many.end ? 1 : count;
    if (photo === null || crop === null) {
      return api.generate({ ask, variations, steps, waitS, signal });
    }
    const send = async () => {
      onPhase("sending");
      const imageId = await uploads.imageId(photo);
      const idTo = many.end?.photo ? { image_id_to: await uploads.imageId(many.end.photo) } : {};
      onPhase("working");
      const area = { crop: toField(crop), mask: await maskOf(ask) };
      const to = { ...steps, ...idTo };
      return api.manipulate({ imageId, ask, variations, steps: to, ...area, full, waitS, signal });
    };
    try {
      return await send();
    } catch (error) {
      const { field } = problemOf(error);
      if (field !== "image_id" && field !== "image_id_to") throw error;
      uploads.unsent(photo);
      if (many.end?.photo) uploads.unsent(many.end.photo);
      return send();
    }
  }

  /** @param {import("./state.js").Ask} ask @param {Wish} wish @param {Many} many */
  async function finished(ask, wish, many) {
    const job = await api.whenDone(await submitted(ask, wish, many), {
      signal: wish.signal,
      onProgress(job) {
        wish.onJob?.(job);
        wish.onPhase(job.status === "queued" ? "queued" : "working", job.queue_position ?? 0);
      },
    });
    await Promise.all(job.outputs.map((output) => pictures.result(output.image)));
    return job;
  }

  return {
    /** What is asked for, once for each of `count` seeds upwards.
     * @param {import("./state.js").Ask} ask @param {Wish} wish @param {number} [count]
     * @returns {Promise<import("./state.js").Result[]>} */
    async make(ask, wish, count = 1) {
      const began = performance.now();
      const { outputs } = await finished(ask, wish, { count });
      const seconds = (performance.now() - began) / 1000;
      return outputs.map((output) => resultOf(ask, output, wish.full, seconds));
    },

    /** `count` pictures from what is asked for to another end.
     * @param {import("./state.js").Ask} ask @param {import("./between.js").End} end
     * @param {Wish} wish @param {number} count */
    async makeWay(ask, end, wish, count) {
      const { outputs, animation } = await finished(ask, wish, { count, end });
      const photo = ask.photo ? pictures.photo(ask.photo) : null;
      const steps = outputs.map((output) => {
        // Between photos of two sizes a step is what the network sees, and not a photo at all.
        const own = photo && hasShapeOf(output, photo) ? ask : { ...ask, photo: null, crop: null };
        const result = resultOf(own, output, wish.full, 0);
        return { result, position: output.position ?? 0 };
      });
      return { steps, animation };
    },
  };
}

/** @param {{width: number, height: number}} a @param {{width: number, height: number}} b */
function hasShapeOf(a, b) {
  return Math.abs((a.width * b.height) / (a.height * b.width) - 1) < 0.02;
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

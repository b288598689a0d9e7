/** Makes a picture: sends what is asked for, waits for it, and has it decoded. Knows no state. */

import * as api from "./api.js";
import { toField } from "./crop.js";
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
  /** Sends the edit; and the photo again if the server no longer has it.
   * @param {import("./state.js").Ask} ask @param {Wish} wish @returns {Promise<api.Job>} */
  async function submitted(ask, { full, signal, onPhase }) {
    const send = async () => {
      onPhase("sending");
      const imageId = await uploads.imageId(ask.photo);
      onPhase("working");
      const waitS = full ? FULL_WAIT_S : PREVIEW_WAIT_S;
      return api.manipulate({ imageId, ask, crop: toField(ask.crop), full, waitS, signal });
    };
    try {
      return await send();
    } catch (error) {
      if (problemOf(error).field !== "image_id") throw error;
      uploads.unsent(ask.photo);
      return send();
    }
  }

  return {
    /** @param {import("./state.js").Ask} ask @param {Wish} wish
     * @returns {Promise<import("./state.js").Result>} */
    async make(ask, wish) {
      const began = performance.now();
      const job = await api.whenDone(await submitted(ask, wish), {
        signal: wish.signal,
        onProgress(job) {
          wish.onJob?.(job);
          wish.onPhase(job.status === "queued" ? "queued" : "working", job.queue_position ?? 0);
        },
      });
      const [output] = job.outputs;
      await pictures.result(output.image);
      return {
        key: keyOf(ask),
        ask,
        full: wish.full,
        image: output.image,
        mediaType: output.media_type,
        width: output.width,
        height: output.height,
        seconds: (performance.now() - began) / 1000,
        made: Date.now(),
        favourite: false,
      };
    },
  };
}

/** @typedef {ReturnType<typeof createMaker>} Maker */

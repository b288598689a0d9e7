/** The photos' files and their ids on the server: each is sent once, and again if forgotten. */

import { uploadImage } from "./api.js";
import { problemOf } from "./problems.js";

/** @typedef {ReturnType<typeof createUploads>} Uploads */

/** @typedef {{imageId: string, expiresAt: number}} Stored  expiresAt: in milliseconds since 1970 */

const LEAST_LEFT_MS = 3600_000; // of the time that a photo is shared for

export function createUploads() {
  /** @type {Map<string, {file: Blob, name: string, stored: Promise<Stored> | null}>} by token */
  const uploads = new Map();

  /** @param {string} token @returns {Promise<Stored>} */
  async function stored(token) {
    const upload = uploads.get(token);
    if (!upload) throw new Error(`the page has no file for ${token}`);
    upload.stored ??= uploadImage(upload.file, upload.name);
    try {
      return await upload.stored;
    } catch (error) {
      upload.stored = null; // so that the next try sends it again
      throw error;
    }
  }

  return {
    /** @param {string} token @param {Blob} file @param {string} name
     * @param {Stored} [known] where the server has it already */
    add(token, file, name, known) {
      uploads.set(token, { file, name, stored: known ? Promise.resolve(known) : null });
    },

    /** @param {string} token */
    file(token) {
      return uploads.get(token)?.file ?? null;
    },

    /** @param {string} token @returns {Promise<string>} the server's id of the photo */
    async imageId(token) {
      return (await stored(token)).imageId;
    },

    /** The photo on the server, for some time to come: sent again where that would be short.
     * @param {string} token @returns {Promise<Stored>} */
    async fresh(token) {
      const known = await stored(token);
      if (known.expiresAt - Date.now() > LEAST_LEFT_MS) return known;
      this.unsent(token);
      return stored(token);
    },

    /** What comes of sending something about the photo, which is sent again where it was forgotten.
     * @template T @param {string} token @param {(imageId: string) => Promise<T>} send */
    async about(token, send) {
      try {
        return await send(await this.imageId(token));
      } catch (error) {
        if (problemOf(error).field !== "image_id") throw error;
        this.unsent(token);
        return send(await this.imageId(token));
      }
    },

    /** The server no longer has it. @param {string} token */
    unsent(token) {
      const upload = uploads.get(token);
      if (upload) upload.stored = null;
    },
  };
}

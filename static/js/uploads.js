/** The photos' files and their ids on the server: each is sent once, and again if forgotten. */

import { uploadImage } from "./api.js";
import { problemOf } from "./problems.js";

/** @typedef {ReturnType<typeof createUploads>} Uploads */

export function createUploads() {
  /** @type {Map<string, {file: Blob, name: string, imageId: Promise<string> | null}>} by token */
  const uploads = new Map();

  return {
    /** @param {string} token @param {Blob} file @param {string} name */
    add(token, file, name) {
      uploads.set(token, { file, name, imageId: null });
    },

    /** @param {string} token */
    file(token) {
      return uploads.get(token)?.file ?? null;
    },

    /** @param {string} token @returns {Promise<string>} the server's id of the photo */
    async imageId(token) {
      const upload = uploads.get(token);
      if (!upload) throw new Error(`the page has no file for ${token}`);
      upload.imageId ??= uploadImage(upload.file, upload.name);
      try {
        return await upload.imageId;
      } catch (error) {
        upload.imageId = null; // so that the next try sends it again
        throw error;
      }
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
      if (upload) upload.imageId = null;
    },
  };
}

/** Photos: each read once, known by a token from then on, and kept for sending. */

import { uploadImage } from "./api.js";
import { RequestFailed, tooLarge } from "./problems.js";
import { withKnownPhoto } from "./state.js";

const MAX_BYTES = 25 * 2 ** 20;

/** @typedef {ReturnType<typeof createPhotos>} Photos */
/** @typedef {import("./state.js").Photo} Photo */

/**
 * @param {import("./store.js").Store<import("./state.js").State>} store
 * @param {import("./pictures.js").Pictures} pictures
 * @param {import("./uploads.js").Uploads} uploads
 */
export function createPhotos(store, pictures, uploads) {
  let read = 0;

  return {
    /** A file as a photo, which nobody knows yet.
     * @param {Blob} file @param {string} name @param {string} [sample] its name, where it is one
     * @returns {Promise<Photo>} @throws {RequestFailed} it can't be used */
    async read(file, name, sample) {
      if (file.size > MAX_BYTES) throw new RequestFailed(tooLarge());
      const token = `photo-${Date.now().toString(36)}-${++read}`;
      try {
        const { width, height } = await pictures.open(token, file);
        return { token, name, width, height, ...(sample ? { sample } : {}) };
      } catch (error) {
        await uploadImage(file, name); // the server says better what is wrong with it
        throw error;
      }
    },

    /** A file as a photo beside the one that is edited.
     * @param {Blob} file @param {string} name @param {string} [sample] @returns {Promise<Photo>} */
    async add(file, name, sample) {
      const photo = await this.read(file, name, sample);
      uploads.add(photo.token, file, name);
      store.update((state) => withKnownPhoto(state, photo));
      return photo;
    },

    /** Has a photo's pixels here, which a reload has left in the browser's keeping.
     * @param {string} token */
    async open(token) {
      const file = uploads.file(token);
      if (file && !pictures.photo(token)) await pictures.open(token, file);
    },
  };
}

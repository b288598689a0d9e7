/** Goes to another photo or result: back, forward, to one of the strip, to one of a sheet. */

import * as results from "./results.js";
import * as is from "./state.js";

/** @typedef {ReturnType<typeof createMoves>} Moves */

/**
 * @param {import("./store.js").Store<is.State>} store
 * @param {import("./pictures.js").Pictures} pictures
 * @param {import("./photos.js").Photos} photos
 * @param {import("./painter.js").Painter} painter
 * @param {(error: unknown) => void} refuse
 */
export function createMoves(store, pictures, photos, painter, refuse) {
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
    moveTo,

    /** Looks at one picture of a sheet, with all that made it, and makes it whole.
     * @param {is.Result} result */
    async open(result) {
      painter.cancel();
      await moveTo((state) => results.lookedAt(state, result));
      await painter.go();
    },

    /** Back to the choice of a photo. */
    leave() {
      painter.cancel();
      store.update(is.withoutPhoto);
    },

    /** To the photo that was left last. */
    resume() {
      painter.cancel();
      return moveTo(results.returned);
    },

    /** @param {string} key of a result */
    restore(key) {
      painter.cancel();
      return moveTo((state) => results.restored(state, key));
    },

    /** Back to what was shown before, or forward again. @param {-1 | 1} by */
    travel(by) {
      painter.cancel();
      return moveTo((state) => results.travelled(state, by));
    },

    /** A deleted result, there again. @param {is.Result} result */
    undelete(result) {
      painter.cancel();
      return moveTo((state) => results.withResult(state, result));
    },
  };
}

/** What a person can do, and what follows from it. */

import { createMoves } from "./moves.js";
import { createOpener } from "./opener.js";
import { createPainter } from "./painter.js";
import { problemOf } from "./problems.js";
import { withProblem } from "./state.js";

/** @typedef {ReturnType<typeof createEditor>} Editor */

/**
 * @param {import("./store.js").Store<import("./state.js").State>} store
 * @param {import("./pictures.js").Pictures} pictures
 * @param {import("./uploads.js").Uploads} uploads
 * @param {import("./photos.js").Photos} photos
 * @param {import("./maker.js").Maker} maker
 */
export function createEditor(store, pictures, uploads, photos, maker) {
  const painter = createPainter(store, pictures, maker, refuse);
  const moves = createMoves(store, pictures, photos, painter, refuse);
  const opener = createOpener(store, pictures, uploads, photos, painter, moves, refuse);
  return { ...painter, ...moves, ...opener };

  /** @param {unknown} error */
  function refuse(error) {
    store.update((state) => withProblem(state, problemOf(error)));
  }
}

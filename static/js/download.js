/** Keeps the result as a file, named after the photo and the words. */

import { downloadName } from "./captions.js";
import { bind, byId, el } from "./dom.js";
import { problemOf } from "./problems.js";
import { withProblem } from "./state.js";

/**
 * @param {import("./store.js").Store<import("./state.js").State>} store
 * @param {import("./pictures.js").Pictures} pictures
 */
export function mountDownload(store, pictures) {
  const link = byId("download");

  link.addEventListener("click", async (event) => {
    event.preventDefault();
    try {
      await save(store.get(), pictures);
    } catch (error) {
      store.update((state) => withProblem(state, problemOf(error)));
    }
  });

  // A preview is not for keeping: it is small.
  bind(
    store,
    (state) => (state.shown?.full ? state.shown : null),
    (result) => {
      link.setAttribute("aria-disabled", String(!result));
      if (result) link.setAttribute("href", result.image);
      else link.removeAttribute("href");
    },
  );
}

/** The server names the file after the job; a link to the bytes may name it better.
 * @param {import("./state.js").State} state
 * @param {import("./pictures.js").Pictures} pictures */
async function save({ shown, photos }, pictures) {
  if (!shown?.full) return;
  const href = URL.createObjectURL(await pictures.file(shown.image));
  const from = shown.ask.photo ? photos[shown.ask.photo].name : "drawn";
  const name = downloadName(from, shown.ask.caption, shown.mediaType);
  el("a", { href, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(href), 60_000); // when it has surely been read
}

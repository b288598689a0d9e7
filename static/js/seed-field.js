/** The seed: typed, or drawn anew by Again. */

import { bind, byId } from "./dom.js";
import { withSeed } from "./state.js";

/**
 * @param {import("./store.js").Store<import("./state.js").State>} store
 * @param {import("./editor.js").Editor} editor
 */
export function mountSeedField(store, editor) {
  const input = /** @type {HTMLInputElement} */ (byId("seed"));

  input.addEventListener("change", () => {
    if (/^\d+$/.test(input.value)) store.update((state) => withSeed(state, Number(input.value)));
    input.value = String(store.get().seed); // what could not be taken goes back
  });
  input.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    input.dispatchEvent(new Event("change"));
    editor.go();
  });
  byId("again").addEventListener("click", () => editor.again());

  bind(
    store,
    (state) => state.seed,
    (seed) => {
      input.value = String(seed);
    },
  );
}

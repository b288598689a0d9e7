/** Captions that the model's makers offer; a click takes one and makes the edit. */

import { bind, byId, el } from "./dom.js";
import { suggestions, withCaption } from "./state.js";

/**
 * @param {import("./store.js").Store<import("./state.js").State>} store
 * @param {import("./editor.js").Editor} editor
 */
export function mountSuggestions(store, editor) {
  const group = byId("suggestions");
  const chips = /** @type {Element} */ (group.querySelector(".chips"));

  bind(
    store,
    (state) => state.model,
    (_, state) => {
      const captions = suggestions(state);
      group.hidden = captions.length === 0;
      chips.replaceChildren(...captions.map(chip));
    },
  );

  /** @param {string} caption */
  function chip(caption) {
    const button = el("button", { type: "button", className: "chip" }, caption);
    button.addEventListener("click", () => {
      store.update((state) => withCaption(state, caption));
      editor.go();
    });
    return button;
  }
}

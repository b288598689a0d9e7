/** Captions that the model's makers offer, and those used before; a click makes the edit. */

import { bind, byId, el } from "./dom.js";
import { earlierCaptions } from "./results.js";
import { suggestions, withCaption } from "./wording.js";

const EARLIER = 5;

/**
 * @param {import("./store.js").Store<import("./state.js").State>} store
 * @param {import("./editor.js").Editor} editor
 */
export function mountSuggestions(store, editor) {
  bind(
    store,
    (state) => state.model,
    (_, state) => show(byId("suggestions"), suggestions(state)),
  );
  bind(
    store,
    (state) => state.results,
    (_, state) => show(byId("earlier"), earlierCaptions(state, EARLIER)),
  );

  /** @param {HTMLElement} group @param {string[]} captions */
  function show(group, captions) {
    group.hidden = captions.length === 0;
    group.querySelector(".chips")?.replaceChildren(...captions.map(chip));
  }

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

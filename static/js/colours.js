/** Swatches: a click puts a colour that the model knows into the caption. */

import { COLOURS, withColour } from "./captions.js";
import { bind, byId, el } from "./dom.js";
import { colourNamed, suggestions, withCaption } from "./wording.js";
import { t } from "./texts.js";

/** @param {import("./store.js").Store<import("./state.js").State>} store */
export function mountColours(store) {
  const group = byId("colours");

  bind(
    store,
    (state) => state.vocabulary,
    (vocabulary) => {
      const known = COLOURS.filter((colour) => vocabulary.includes(colour));
      group.replaceChildren(...known.map(swatch));
      group.hidden = known.length === 0;
      press(colourNamed(store.get()));
    },
  );
  bind(store, colourNamed, press);

  /** @param {string} colour */
  function swatch(colour) {
    const button = el("button", {
      type: "button",
      className: "swatch",
      title: t(`colour.${colour}`),
      ariaLabel: t(`colour.${colour}`),
      data: { colour },
    });
    button.addEventListener("click", () => {
      store.update((state) => {
        const caption = state.caption.trim() || (suggestions(state)[0] ?? "");
        return withCaption(state, withColour(caption, colour));
      });
    });
    return button;
  }

  /** @param {string | null} colour */
  function press(colour) {
    for (const button of group.querySelectorAll("button")) {
      button.setAttribute("aria-pressed", String(button.dataset.colour === colour));
    }
  }
}

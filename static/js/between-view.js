/** The way from one picture to another: a slider over its steps, and the animation to keep. */

import { atStep, placeText } from "./between.js";
import { bind, byId, setText } from "./dom.js";
import { withWay } from "./state.js";

const SIDE = 640; // pixels of a step as it is shown

/**
 * @param {import("./store.js").Store<import("./state.js").State>} store
 * @param {import("./pictures.js").Pictures} pictures
 */
export function mountBetweenView(store, pictures) {
  const place = byId("between");
  const range = /** @type {HTMLInputElement} */ (byId("between-at"));
  const picture = byId("between-picture");
  const links = /** @type {HTMLAnchorElement[]} */ ([byId("between-webp"), byId("between-gif")]);

  range.addEventListener("input", () =>
    store.update((state) => withWay(state, state.way && atStep(state.way, range.valueAsNumber))),
  );
  bind(store, (state) => state.way, show);
  bind(
    store,
    (state) => state.view === "way",
    (isWay) => {
      place.hidden = !isWay;
      byId("mat").toggleAttribute("data-way", isWay);
    },
  );

  /** @param {import("./between.js").Way | null} way */
  function show(way) {
    byId("view-way").hidden = !way;
    byId("between-foot").hidden = !way?.steps.length;
    if (!way?.steps.length) return picture.replaceChildren();
    range.max = String(way.steps.length - 1);
    range.value = String(way.at);
    range.setAttribute("aria-valuetext", placeText(way));
    setText(byId("between-text"), placeText(way));
    for (const link of links) link.hidden = !way.animation;
    links[0].href = way.animation ?? "";
    links[1].href = `${way.animation ?? ""}?format=gif`;
    const { result } = way.steps[way.at];
    pictures.part(result, SIDE).then((canvas) => {
      if (store.get().way !== way) return;
      canvas.setAttribute("role", "img");
      canvas.setAttribute("aria-label", placeText(way));
      picture.replaceChildren(canvas);
    });
  }
}

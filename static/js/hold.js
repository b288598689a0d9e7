/** The photo before, as long as the picture, or the key B, is held. */

import { bind, byId, isTyped } from "./dom.js";

/** @param {import("./store.js").Store<import("./state.js").State>} store */
export function mountHold(store) {
  const hold = byId("hold");
  const frame = byId("frame");
  /** @param {boolean} held */
  const show = (held) => frame.toggleAttribute("data-held", held);

  bind(
    store,
    ({ view, photo, shown }) => view === "whole" && photo !== null && shown !== null,
    (canHold) => {
      hold.hidden = !canHold;
      show(false);
    },
  );
  hold.addEventListener("pointerdown", () => show(true));
  hold.addEventListener("keydown", (event) => {
    if (event.key === " " || event.key === "Enter") show(true);
  });
  document.addEventListener("keydown", (event) => {
    const { photo, shown } = store.get();
    if (event.key.toLowerCase() === "b" && !isTyped(event) && photo && shown) show(true);
  });
  for (const end of ["pointerup", "pointercancel", "keyup", "blur"]) {
    window.addEventListener(end, () => show(false));
  }
}

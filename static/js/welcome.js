/** The first screen: choose a photo or take a sample. Gives way to the editor when there is one. */

import { bind, byId, setText } from "./dom.js";
import { lastName } from "./results.js";
import { canDraw, isOpen } from "./state.js";
import { progressText } from "./status.js";
import { t } from "./texts.js";

/**
 * @param {import("./store.js").Store<import("./state.js").State>} store
 * @param {import("./editor.js").Editor} editor
 */
export function mountWelcome(store, editor) {
  const welcome = byId("welcome");
  const progress = byId("welcome-progress");

  for (const card of welcome.querySelectorAll("[data-sample]")) {
    const index = Number(/** @type {HTMLElement} */ (card).dataset.sample);
    card.addEventListener("click", () => editor.chooseSample(store.get().samples[index]));
  }

  let wasOpen = false;
  bind(store, isOpen, (open) => {
    document.body.dataset.view = open ? "editor" : "welcome";
    welcome.hidden = open;
    byId("editor").hidden = !open;
    if (open) byId("caption").focus({ preventScroll: true });
    else if (wasOpen) byId("choose").focus();
    window.scrollTo(0, 0);
    wasOpen = open;
  });
  bind(store, canDraw, (can) => {
    byId("draw").hidden = !can;
  });
  bind(store, lastName, (name) => {
    byId("back").hidden = name === null;
    setText(byId("back"), name ? t("welcome.back", { name }) : "");
  });
  bind(
    store,
    (state) => state.opening,
    (opening, state) => {
      welcome.toggleAttribute("data-busy", opening);
      setText(progress, opening ? progressText(state) : "");
    },
  );

  byId("draw").addEventListener("click", () => editor.draw());
  byId("back").addEventListener("click", () => editor.resume());
  byId("home").addEventListener("click", (event) => {
    event.preventDefault();
    editor.leave();
  });
}

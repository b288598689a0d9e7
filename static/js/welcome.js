/** The first screen: choose a photo or take a sample. Gives way to the editor when there is one. */

import { bind, byId, setText } from "./dom.js";
import { lastPhoto } from "./state.js";
import { progressText } from "./status.js";

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

  bind(
    store,
    (state) => state.photo !== null,
    (hasPhoto) => {
      document.body.dataset.view = hasPhoto ? "editor" : "welcome";
      welcome.hidden = hasPhoto;
      byId("editor").hidden = !hasPhoto;
    },
  );
  bind(
    store,
    (state) => state.photo,
    (photo, state) => {
      if (photo) byId("caption").focus({ preventScroll: true });
      else if (Object.keys(state.photos).length > 0) byId("choose").focus();
      window.scrollTo(0, 0);
    },
  );
  bind(store, lastPhoto, (photo) => {
    byId("back").hidden = photo === null;
    setText(byId("back"), photo ? `Back to ${photo.name}` : "");
  });
  bind(
    store,
    (state) => state.opening,
    (opening, state) => {
      welcome.toggleAttribute("data-busy", opening);
      setText(progress, opening ? progressText(state) : "");
    },
  );

  byId("back").addEventListener("click", () => editor.resume());
  byId("home").addEventListener("click", (event) => {
    event.preventDefault();
    editor.leave();
  });
}

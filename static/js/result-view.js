/** The picture: the photo, the result over it, and the view that is chosen. */

import { bind, byId, setText } from "./dom.js";
import { isBusy, withView } from "./state.js";
import { cropText, statusText } from "./status.js";

/**
 * @param {import("./store.js").Store<import("./state.js").State>} store
 * @param {import("./editor.js").Editor} editor
 * @param {import("./pictures.js").Pictures} pictures
 */
export function mountResultView(store, editor, pictures) {
  const frame = byId("frame");
  const before = byId("before");
  const after = byId("after");

  byId("leave").addEventListener("click", () => editor.leave());
  byId("view-crop").addEventListener("click", () => show("crop"));
  byId("view-compare").addEventListener("click", () => show("compare"));

  bind(store, (state) => state.photo, showPhoto);
  bind(store, (state) => state.shown, showResult);
  bind(
    store,
    (state) => state.view,
    (view) => {
      byId("view-crop").setAttribute("aria-pressed", String(view === "crop"));
      byId("view-compare").setAttribute("aria-pressed", String(view === "compare"));
      byId("crop").hidden = view !== "crop";
      byId("compare").hidden = view !== "compare";
      frame.dataset.view = view;
    },
  );
  bind(
    store,
    ({ view, live }) => view === "crop" && !live,
    (hidden) => {
      after.hidden = hidden;
    },
  );
  bind(store, statusText, (text) => setText(byId("progress"), text));
  bind(store, cropText, (text) => setText(byId("crop-text"), text));
  bind(store, isBusy, (busy) => {
    byId("working").hidden = !busy;
    frame.toggleAttribute("aria-busy", busy);
  });

  /** @param {"crop" | "compare"} view */
  function show(view) {
    store.update((state) => withView(state, view));
  }

  /** @param {string | null} token @param {import("./state.js").State} state */
  function showPhoto(token, state) {
    const shown = token && pictures.photo(token);
    if (!shown) return before.replaceChildren();
    const { name, width, height } = state.photos[token];
    shown.canvas.setAttribute("role", "img");
    shown.canvas.setAttribute("aria-label", `The photo, ${name}`);
    before.replaceChildren(shown.canvas);
    frame.style.setProperty("--ratio", String(width / height));
    frame.parentElement?.style.setProperty("--ratio", String(width / height));
    frame.style.setProperty("--natural-width", `${width}px`);
  }

  /** @param {import("./state.js").Result | null} result */
  function showResult(result) {
    byId("view-compare").toggleAttribute("disabled", !result);
    if (!result) return after.replaceChildren();
    pictures.result(result.image).then((image) => {
      if (store.get().shown !== result) return;
      describe(image, `After: ${result.ask.caption}`);
      after.replaceChildren(image);
    });
  }
}

/** @param {HTMLImageElement | HTMLCanvasElement} picture @param {string} text */
function describe(picture, text) {
  if (picture instanceof HTMLImageElement) {
    picture.alt = text;
  } else {
    picture.setAttribute("role", "img");
    picture.setAttribute("aria-label", text);
  }
}

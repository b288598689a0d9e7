/** The picture: the photo, the result over it, and the view that is chosen. */

import { bind, byId, isTyped, setText } from "./dom.js";
import { isAwaited } from "./running.js";
import { isOpen, withView } from "./state.js";
import { cropText, statusText } from "./status.js";
import { t } from "./texts.js";

const OF_RESULT = /** @type {const} */ (["compare", "side", "whole"]);
/** @type {import("./state.js").View[]} */
const VIEWS = ["crop", "compare", "side", "whole", "sheet", "way"];

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
  for (const view of VIEWS) {
    byId(`view-${view}`).addEventListener("click", () => show(view));
  }
  document.addEventListener("keydown", (event) => {
    const view = VIEWS[Number(event.key) - 1];
    if (!view || isTyped(event) || !isOpen(store.get())) return;
    const button = byId(`view-${view}`);
    if (!button.hidden && !button.hasAttribute("disabled")) show(view);
  });
  new ResizeObserver(() => arrange(store.get())).observe(byId("mat"));

  bind(store, (state) => state.photo, showPhoto);
  bind(
    store,
    (state) => state.drawing,
    (drawing) => {
      for (const view of ["crop", "compare", "side"]) byId(`view-${view}`).hidden = drawing;
      if (drawing) setShape(1, 1);
    },
  );
  bind(
    store,
    ({ drawing, sheet, way }) => drawing && !sheet && !way,
    (isAlone) => {
      byId("views").hidden = isAlone; // one view is no choice
    },
  );
  bind(
    store,
    ({ drawing, shown }) => drawing && !shown,
    (isBlank) => {
      byId("blank").hidden = !isBlank;
    },
  );
  bind(store, (state) => state.shown, showResult);
  bind(
    store,
    (state) => state.view,
    (view, state) => {
      for (const one of VIEWS) {
        byId(`view-${one}`).setAttribute("aria-pressed", String(view === one));
      }
      arrange(state);
      byId("crop").hidden = view !== "crop";
      byId("compare").hidden = view !== "compare";
      frame.dataset.view = view;
    },
  );
  bind(
    store,
    ({ view }) => view === "sheet" || view === "way",
    (hidden) => {
      frame.hidden = hidden;
      // On a narrow screen what was asked for far below would come to be out of sight.
      if (hidden) requestAnimationFrame(() => byId("stage").scrollIntoView());
    },
  );
  bind(
    store,
    ({ view, live }) => view === "crop" && !live,
    (hidden) => {
      byId("after-pane").hidden = hidden;
    },
  );
  bind(store, statusText, (text) => setText(byId("progress"), text));
  bind(store, cropText, (text) => setText(byId("crop-text"), text));
  bind(store, isAwaited, (busy) => {
    byId("working").hidden = !busy;
    frame.toggleAttribute("aria-busy", busy);
  });

  /** @param {import("./state.js").View} view */
  function show(view) {
    store.update((state) => withView(state, view));
  }

  /** Side by side, or one below the other: as the pictures are larger.
   * @param {import("./state.js").State} state */
  function arrange({ photo, photos }) {
    const { width, height } = byId("mat").getBoundingClientRect();
    const ratio = photo ? photos[photo].width / photos[photo].height : 1;
    const beside = Math.min(width / 2, height * ratio);
    const below = Math.min(width, (height / 2) * ratio);
    frame.dataset.side = beside >= below ? "beside" : "below";
  }

  /** @param {string | null} token @param {import("./state.js").State} state */
  function showPhoto(token, state) {
    const shown = token && pictures.photo(token);
    if (!shown) return before.replaceChildren();
    const { name, width, height } = state.photos[token];
    shown.canvas.setAttribute("role", "img");
    shown.canvas.setAttribute("aria-label", t("stage.photo", { name }));
    before.replaceChildren(shown.canvas);
    setShape(width, height);
  }

  /** @param {number} width @param {number} height in pixels of the picture */
  function setShape(width, height) {
    frame.style.setProperty("--ratio", String(width / height));
    frame.parentElement?.style.setProperty("--ratio", String(width / height));
    frame.style.setProperty("--natural-width", `${width}px`);
    arrange(store.get());
  }

  /** @param {import("./state.js").Result | null} result */
  function showResult(result) {
    for (const view of OF_RESULT) byId(`view-${view}`).toggleAttribute("disabled", !result);
    if (!result) return after.replaceChildren();
    pictures.result(result.image).then((image) => {
      if (store.get().shown !== result) return;
      describe(image, t("stage.result", { caption: result.ask.caption }));
      if (result.ask.photo === null) setShape(result.width, result.height);
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

/** Go and Stop, live mode, the choice of a model, Escape. */

import { bind, byId, el, setText } from "./dom.js";
import { isBusy } from "./running.js";
import { fittingModels, withLive, withModel } from "./state.js";
import { optionText, t } from "./texts.js";

const STOP_AFTER_MS = 250; // a quick edit must not make the button flicker

/**
 * @param {import("./store.js").Store<import("./state.js").State>} store
 * @param {import("./editor.js").Editor} editor
 */
export function mountEditForm(store, editor) {
  const form = byId("edit-form");
  const go = byId("go");
  const live = /** @type {HTMLInputElement} */ (byId("live"));
  const model = /** @type {HTMLSelectElement} */ (byId("model"));

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (go.hasAttribute("data-stops")) editor.cancel();
    else editor.go();
  });
  live.addEventListener("change", () => store.update((s) => withLive(s, live.checked)));
  model.addEventListener("change", () => store.update((s) => withModel(s, model.value)));
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || document.querySelector("dialog[open]")) return;
    editor.cancel();
  });

  bind(
    store,
    (state) => state.drawing,
    (drawing, state) => {
      model.replaceChildren(...fittingModels(state).map(option));
      setText(byId("caption-title"), drawing ? t("caption.draw") : t("caption.become"));
    },
  );
  bind(
    store,
    (state) => state.model,
    (id) => {
      model.value = id ?? "";
    },
  );
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  bind(
    store,
    (state) => isBusy(state) && !state.live,
    (stoppable) => {
      clearTimeout(timer);
      if (stoppable) timer = setTimeout(show, STOP_AFTER_MS, true);
      else show(false);
    },
  );

  /** @param {boolean} stoppable */
  function show(stoppable) {
    const text = stoppable ? t("panel.stop") : t("panel.go");
    setText(/** @type {Element} */ (go.querySelector(".go-text")), text);
    go.querySelector("use")?.setAttribute("href", stoppable ? "#icon-stop" : "#icon-enter");
    go.toggleAttribute("data-stops", stoppable);
  }
}

/** @param {import("./state.js").Model} model */
function option(model) {
  return el("option", { value: model.id }, optionText(model));
}

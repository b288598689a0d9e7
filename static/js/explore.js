/** Many pictures at once: seeds, models, captions by models. */

import { bind, byId, el, setText } from "./dom.js";
import { incomplete } from "./problems.js";
import { captionsIn, nameOf, ofCaptions, ofModels, ofSeeds } from "./sheet.js";
import { asked, fittingModels, missing, withProblem } from "./state.js";
import { suggestions } from "./wording.js";
import { t } from "./texts.js";

const SEEDS = 8; // what one request may ask for
const MAX_CAPTIONS = 6;

/**
 * @param {import("./store.js").Store<import("./state.js").State>} store
 * @param {import("./editor.js").Editor} editor
 */
export function mountExplore(store, editor) {
  const dialog = /** @type {HTMLDialogElement} */ (byId("captions-dialog"));
  const text = /** @type {HTMLTextAreaElement} */ (byId("captions-text"));
  const models = byId("captions-models");

  byId("explore-seeds").addEventListener("click", () => explore((ask) => ofSeeds(ask, SEEDS)));
  byId("explore-models").addEventListener("click", () =>
    explore((ask) => ofModels(ask, fittingModels(store.get()))),
  );
  byId("explore-captions").addEventListener("click", () => {
    const state = store.get();
    const own = [state.caption.trim(), ...suggestions(state)];
    text.value = captionsIn(own.join("\n"), MAX_CAPTIONS).join("\n");
    models.replaceChildren(models.children[0], ...fittingModels(state).map(choice));
    count();
    dialog.showModal();
  });
  dialog.addEventListener("input", count);
  byId("captions-form").addEventListener("submit", () => {
    const { captions, chosen } = wanted();
    const ask = asked({ ...store.get(), caption: captions[0] ?? "" });
    if (ask && chosen.length > 0) editor.explore(ofCaptions(ask, captions, chosen));
  });
  bind(
    store,
    (state) => fittingModels(state).length < 2,
    (isOne) => {
      byId("explore-models").hidden = isOne;
    },
  );

  /** @param {(ask: import("./state.js").Ask) => import("./sheet.js").Sheet} make */
  function explore(make) {
    const ask = asked(store.get());
    const lacks = missing(store.get());
    if (lacks) store.update((state) => withProblem(state, incomplete(lacks)));
    else if (ask) editor.explore(make(ask));
  }

  function wanted() {
    const boxes = [...models.querySelectorAll("input")];
    const ids = boxes.filter((box) => box.checked).map((box) => box.value);
    const chosen = fittingModels(store.get()).filter((model) => ids.includes(model.id));
    return { captions: captionsIn(text.value, MAX_CAPTIONS), chosen };
  }

  function count() {
    const { captions, chosen } = wanted();
    const all = captions.length * chosen.length;
    byId("captions-go").toggleAttribute("disabled", all === 0);
    setText(byId("captions-go"), t("explore.make", { count: all }));
  }

  /** @param {import("./state.js").Model} model */
  function choice(model) {
    const { id } = model;
    const checked = id === store.get().model;
    const box = el("input", { type: "checkbox", value: id, checked });
    return el("label", { className: "choice" }, box, nameOf(model));
  }
}

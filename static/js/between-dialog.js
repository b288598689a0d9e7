/** Asks where a way of pictures should lead: to other words, another photo, or both. */

import { wayTo } from "./between.js";
import { byId, el } from "./dom.js";
import { incomplete } from "./problems.js";
import { asked, missing, withProblem } from "./state.js";
import { suggestions } from "./wording.js";
import { t } from "./texts.js";

/**
 * @param {import("./store.js").Store<import("./state.js").State>} store
 * @param {import("./editor.js").Editor} editor
 */
export function mountBetweenDialog(store, editor) {
  const dialog = /** @type {HTMLDialogElement} */ (byId("between-dialog"));
  const caption = /** @type {HTMLTextAreaElement} */ (byId("between-caption"));
  const photo = /** @type {HTMLSelectElement} */ (byId("between-photo"));

  byId("explore-between").addEventListener("click", () => {
    const state = store.get();
    const lacks = missing(state);
    if (lacks) return store.update((now) => withProblem(now, incomplete(lacks)));
    caption.value = suggestions(state).find((one) => one !== state.caption.trim()) ?? "";
    const others = Object.values(state.photos).filter(({ token }) => token !== state.photo);
    const options = others.reverse().map(({ token, name }) => el("option", { value: token }, name));
    photo.replaceChildren(el("option", { value: "" }, t("between.same-photo")), ...options);
    const hasOthers = state.photo !== null && others.length > 0;
    photo.hidden = !hasOthers;
    byId("between-photo-label").hidden = !hasOthers;
    check();
    dialog.showModal();
  });
  dialog.addEventListener("input", check);
  byId("between-form").addEventListener("submit", () => {
    const ask = asked(store.get());
    if (ask) editor.goBetween(ask, end(), wayTo(store.get(), ask, end()));
  });

  function end() {
    const words = caption.value.replace(/\s+/g, " ").trim();
    const same = words === "" || words === store.get().caption.trim();
    return { caption: same ? null : words, photo: photo.value || null };
  }

  function check() {
    const { caption: words, photo: token } = end();
    byId("between-go").toggleAttribute("disabled", !words && !token);
  }
}

/** A sentence in passing, with the way back where something was deleted. */

import { bind, byId, el } from "./dom.js";
import { withToast } from "./state.js";
import { t } from "./texts.js";

const SHOWN_MS = 7000;

/**
 * @param {import("./store.js").Store<import("./state.js").State>} store
 * @param {import("./editor.js").Editor} editor
 */
export function mountToast(store, editor) {
  const place = byId("toast");
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;

  for (const kind of ["pointerenter", "focusin"]) {
    place.addEventListener(kind, () => clearTimeout(timer));
  }
  for (const kind of ["pointerleave", "focusout"]) place.addEventListener(kind, leaveLater);

  bind(
    store,
    (state) => state.toast,
    (toast) => {
      place.replaceChildren();
      clearTimeout(timer);
      if (!toast) return;
      place.append(el("p", {}, toast.text));
      if (toast.deleted) place.append(back(toast.deleted));
      leaveLater();
    },
  );

  function leaveLater() {
    clearTimeout(timer);
    timer = setTimeout(() => store.update((state) => withToast(state, null)), SHOWN_MS);
  }

  /** @param {import("./state.js").Result} result */
  function back(result) {
    const button = el("button", { type: "button", className: "toast-action" }, t("toast.undo"));
    button.addEventListener("click", () => {
      editor.undelete(result);
      byId("caption").focus({ preventScroll: true });
    });
    return button;
  }
}

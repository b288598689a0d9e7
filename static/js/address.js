/** The address says which screen is shown, so that Back and Reload do what one expects. */

import { bind } from "./dom.js";
import { isOpen } from "./state.js";

const EDIT = "#edit";

/**
 * @param {import("./store.js").Store<import("./state.js").State>} store
 * @param {import("./editor.js").Editor} editor
 * @returns {Promise<void>} when the screen that the address names is shown
 */
export async function mountAddress(store, editor) {
  if (location.hash === EDIT) await editor.resume();
  bind(
    store,
    isOpen,
    (editing) => {
      if (editing === (location.hash === EDIT)) return;
      history.pushState(null, "", editing ? EDIT : location.pathname + location.search);
    },
  );
  window.addEventListener("popstate", () => {
    const editing = isOpen(store.get());
    if (location.hash === EDIT && !editing) editor.resume();
    if (location.hash === "" && editing) editor.leave();
  });
}

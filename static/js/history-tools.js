/** Undo, redo, favourite, delete: buttons beside the filmstrip, and their keys anywhere. */

import { bind, byId } from "./dom.js";
import { favoured, withoutResult } from "./results.js";
import { isOpen } from "./state.js";
import { moved } from "./trail.js";

/**
 * @param {import("./store.js").Store<import("./state.js").State>} store
 * @param {import("./editor.js").Editor} editor
 */
export function mountHistoryTools(store, editor) {
  const undo = byId("undo");
  const redo = byId("redo");
  const goOn = byId("go-on");
  const favourite = byId("favourite");
  const remove = byId("remove");
  let typed = false; // since the last step of the trail

  byId("caption").addEventListener("input", () => {
    typed = true;
  });
  bind(
    store,
    (state) => state.trail,
    () => {
      typed = false;
    },
  );
  undo.addEventListener("click", () => editor.travel(-1));
  redo.addEventListener("click", () => editor.travel(1));
  goOn.addEventListener("click", () => editor.goOn());
  favourite.addEventListener("click", () => withShown(favoured));
  remove.addEventListener("click", () => withShown(withoutResult));
  document.addEventListener("keydown", (event) => {
    const by = direction(event);
    if (!by || !isOurs(event) || document.querySelector("dialog[open]")) return;
    event.preventDefault();
    editor.travel(by);
  });

  bind(
    store,
    (state) => moved(state.trail, -1) === null,
    (atStart) => undo.toggleAttribute("disabled", atStart),
  );
  bind(
    store,
    (state) => moved(state.trail, 1) === null,
    (atEnd) => redo.toggleAttribute("disabled", atEnd),
  );
  bind(
    store,
    (state) => (state.shown?.full ? state.shown : null),
    (shown) => {
      for (const tool of [goOn, favourite, remove]) tool.toggleAttribute("disabled", !shown);
      favourite.setAttribute("aria-pressed", String(shown?.favourite ?? false));
    },
  );

  /** @typedef {import("./state.js").State} State */
  /** @param {(state: State, key: string) => State} change */
  function withShown(change) {
    store.update((state) => (state.shown ? change(state, state.shown.key) : state));
  }

  /** Typing is undone by the browser, until the words are those of the picture again.
   * @param {KeyboardEvent} event */
  function isOurs({ target }) {
    const state = store.get();
    if (!isOpen(state)) return false;
    if (target instanceof HTMLInputElement) return target.type !== "text";
    if (!(target instanceof HTMLTextAreaElement) || !typed) return true;
    return state.caption.trim() === (state.shown?.ask.caption ?? "");
  }
}

/** @param {KeyboardEvent} event @returns {-1 | 1 | 0} */
function direction({ key, ctrlKey, metaKey, shiftKey, altKey }) {
  if (!(ctrlKey || metaKey) || altKey) return 0;
  if (key.toLowerCase() === "z") return shiftKey ? 1 : -1;
  return key.toLowerCase() === "y" ? 1 : 0;
}

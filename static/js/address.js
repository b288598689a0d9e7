/** The address says which screen is shown, so that Back and Reload do what one expects. */

import { bind, byId } from "./dom.js";
import { openShared } from "./open-shared.js";
import { readLink } from "./share.js";
import { isOpen } from "./state.js";

const EDIT = "#edit";
const IMAGE = "#image="; // and a picture's address on this server
const RESULT = "#result="; // and its key: as the gallery links to it

/**
 * @param {import("./store.js").Store<import("./state.js").State>} store
 * @param {import("./editor.js").Editor} editor
 * @returns {Promise<void>} when the screen that the address names is shown
 */
export async function mountAddress(store, editor) {
  const image = location.hash.startsWith(IMAGE) ? location.hash.slice(IMAGE.length) : null;
  const result = location.hash.startsWith(RESULT) ? location.hash.slice(RESULT.length) : null;
  const shared = readLink(location.hash);
  if (location.hash === EDIT) await editor.resume();
  if (result !== null) await editor.restore(decodeURIComponent(result));
  if (image !== null) await editor.chooseAddress(decodeURIComponent(image));
  if (shared) await openShared(shared, store, editor);
  if (result !== null || image !== null || shared) forgetLink();
  bind(
    store,
    isOpen,
    (editing) => {
      if (editing === (location.hash === EDIT)) return;
      history.pushState(null, "", editing ? EDIT : location.pathname + location.search);
    },
  );
  // A page that comes after a form has the form's place, unless the server names another.
  const language = /** @type {HTMLFormElement} */ (byId("language"));
  language.addEventListener("submit", () => {
    language.action = `/language${location.hash}`;
  });
  window.addEventListener("popstate", () => {
    const editing = isOpen(store.get());
    if (location.hash === EDIT && !editing) editor.resume();
    if (location.hash === "" && editing) editor.leave();
    const link = readLink(location.hash); // one that was put into the address of an open page
    if (link) openShared(link, store, editor).then(forgetLink);
  });

  function forgetLink() {
    history.replaceState(null, "", isOpen(store.get()) ? EDIT : location.pathname);
  }
}

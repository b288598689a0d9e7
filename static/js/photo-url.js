/** A photo by its address, which the server fetches; only where that is switched on. */

import { byId } from "./dom.js";

/** @param {import("./editor.js").Editor} editor */
export function mountPhotoUrl(editor) {
  const form = document.getElementById("photo-url-form");
  form?.addEventListener("submit", (event) => {
    event.preventDefault();
    const { value } = /** @type {HTMLInputElement} */ (byId("photo-url"));
    editor.chooseUrl(value.trim());
  });
}

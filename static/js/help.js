/** The sheet of keys. */

import { byId, isTyped } from "./dom.js";

export function mountHelp() {
  const dialog = /** @type {HTMLDialogElement} */ (byId("help"));
  byId("help-open").addEventListener("click", () => dialog.showModal());
  document.addEventListener("keydown", (event) => {
    if (event.key !== "?" || isTyped(event)) return;
    event.preventDefault();
    dialog.showModal();
  });
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close(); // beside the sheet
  });
}

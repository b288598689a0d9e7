/** The sheet of keys. */

import { byId } from "./dom.js";

export function mountHelp() {
  const dialog = /** @type {HTMLDialogElement} */ (byId("help"));
  byId("help-open").addEventListener("click", () => dialog.showModal());
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close(); // beside the sheet
  });
}

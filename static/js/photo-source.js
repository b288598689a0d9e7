/** The ways in for a photo: a chosen file, one dropped anywhere, one pasted. */

import { byId } from "./dom.js";

/** @param {import("./editor.js").Editor} editor */
export function mountPhotoSource(editor) {
  const input = /** @type {HTMLInputElement} */ (byId("file"));
  const veil = byId("drop-veil");
  let depth = 0; // dragenter and dragleave come for each element on the way

  byId("choose").addEventListener("click", () => input.click());
  input.addEventListener("change", () => {
    take(input.files);
    input.value = ""; // so that the same file can be chosen again
  });

  document.addEventListener("dragenter", (event) => {
    if (!hasFiles(event.dataTransfer)) return;
    depth += 1;
    veil.hidden = false;
  });
  document.addEventListener("dragleave", (event) => {
    if (!hasFiles(event.dataTransfer)) return;
    depth = Math.max(0, depth - 1);
    veil.hidden = depth === 0;
  });
  document.addEventListener("dragover", (event) => {
    if (hasFiles(event.dataTransfer)) event.preventDefault();
  });
  document.addEventListener("drop", (event) => {
    depth = 0;
    veil.hidden = true;
    if (!hasFiles(event.dataTransfer)) return;
    event.preventDefault();
    take(event.dataTransfer?.files);
  });
  document.addEventListener("paste", (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (files.length === 0) return; // words, for the caption
    event.preventDefault();
    take(files);
  });

  /** @param {ArrayLike<File> | null | undefined} files the first picture of them, or the first */
  function take(files) {
    const all = Array.from(files ?? []);
    const file = all.find((one) => one.type.startsWith("image/")) ?? all[0];
    if (file) editor.choose(file, file.name || "pasted.png");
  }
}

/** @param {DataTransfer | null} transfer */
function hasFiles(transfer) {
  return transfer?.types.includes("Files") ?? false;
}

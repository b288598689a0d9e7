/** What the page says about itself, in sentences. Pure. */

import { progressOf } from "./sheet.js";

/** @typedef {import("./state.js").State} State */

/** What happens now, or what came of it, or what will be edited.
 * @param {State} state @returns {string} */
export function statusText(state) {
  if (state.view === "sheet") return progressText(state) || (state.sheet?.title ?? "");
  return progressText(state) || (state.view === "crop" ? cropText(state) : resultText(state));
}

/** @param {State} state @returns {string} the part that is edited, in pixels of the photo */
export function cropText({ crop }) {
  if (!crop) return "";
  const { left, top, width, height } = crop;
  return `${width} × ${height} pixels, ${left} from the left, ${top} from the top`;
}

/** What happens now; empty when there is nothing to say.
 * @param {State} state @returns {string} */
export function progressText({ edit, opening, server, sheet }) {
  if (opening) return "Opening the photo…";
  if (edit.phase === "sending") return "Sending the photo…";
  if (edit.phase === "queued") return queueText(edit.position);
  if (edit.phase === "working" && edit.many && sheet) return progressOf(sheet);
  if (edit.phase === "working") {
    return server === "warming" ? "Waiting for the model to wake up…" : "Painting…";
  }
  return "";
}

/** What is shown, and what it took. @param {State} state @returns {string} */
export function resultText({ shown }) {
  if (!shown) return "";
  const { seconds } = shown;
  const took = seconds < 1 ? `${Math.round(seconds * 1000)} ms` : `${seconds.toFixed(1)} s`;
  const size = `${shown.width} × ${shown.height}`;
  return shown.full ? `Done in ${took}, ${size} pixels` : `Preview in ${took}`;
}

/** @param {State} state @returns {string} */
export function serverText({ server }) {
  if (server === "offline") return "Offline";
  return server === "warming" ? "Warming up" : "";
}

/** @param {number} before jobs before this one */
function queueText(before) {
  if (before <= 0) return "Next in line…";
  return before === 1 ? "One edit before yours…" : `${before} edits before yours…`;
}

/** What the page says about itself, in sentences. Pure. */

import { progressOf } from "./sheet.js";
import { isAwaited } from "./state.js";
import { t } from "./texts.js";

/** @typedef {import("./state.js").State} State */

/** What happens now, or what came of it, or what will be edited.
 * @param {State} state @returns {string} */
export function statusText(state) {
  if (state.view === "way") return progressText(state);
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
export function progressText(state) {
  const { edit, opening, server, sheet } = state;
  if (opening) return t("status.opening");
  if (state.finding) return t("status.finding");
  if (!isAwaited(state)) return "";
  if (edit.phase === "sending") return t("status.sending");
  if (edit.phase === "queued") return queueText(edit.position);
  if (edit.phase === "working" && edit.many && sheet) return progressOf(sheet);
  if (edit.phase === "working") {
    return server === "warming" ? t("status.waiting-for-model") : t("status.painting");
  }
  return "";
}

/** What is shown, and what it took. @param {State} state @returns {string} */
export function resultText({ shown }) {
  if (!shown) return "";
  if (!shown.full) return t("status.preview");
  const { seconds, width, height } = shown;
  return t("status.done", { time: secondsText(seconds), width, height });
}

/** @param {State} state @returns {string} */
export function serverText({ server }) {
  if (server === "offline") return t("status.offline");
  return server === "warming" ? t("status.warming") : "";
}

/** How a job stands, on the page of the queue. @param {import("./api.js").Job} job
 * @returns {string} */
export function jobText({ status, queue_position, eta_s, metrics, error }) {
  const left = eta_s === null ? "" : `, about ${eta_s < 1 ? "a second" : secondsText(eta_s)} to go`;
  if (status === "queued") return `${placeText(queue_position ?? 0)}${left}`;
  if (status === "processing" || status === "starting") return `Painting${left}`;
  if (status === "succeeded") return metrics ? `Done in ${secondsText(metrics.predict_s)}` : "Done";
  if (status === "failed") return `Failed: ${error?.title ?? "no reason was given"}`;
  return status === "canceled" ? "Stopped" : "No longer kept";
}

/** @param {import("./api.js").Readiness} readiness @returns {string} */
export function workersText({ isReady, models, queued }) {
  if (!isReady) return "No worker is ready: what is asked for waits.";
  const waiting = queued === 1 ? "1 job waits" : `${queued || "No"} jobs wait`;
  return `${waiting}. In memory: ${models.join(", ")}.`;
}

/** @param {number} seconds */
export function secondsText(seconds) {
  if (seconds < 1) return t("time.ms", { number: Math.round(seconds * 1000) });
  if (seconds < 90) return t("time.s", { number: seconds.toFixed(1) });
  return t("time.min", { number: Math.round(seconds / 60) });
}

/** @param {number} before jobs before this one */
function placeText(before) {
  return before <= 0 ? "Next in line" : `${before} before it`;
}

/** @param {number} before jobs before this one */
function queueText(before) {
  return before <= 0 ? t("status.next") : t("status.edits-before", { count: before });
}

/** What the page says about itself, in sentences. Pure. */

import { ofJob } from "./problems.js";
import { progressOf } from "./sheet.js";
import { isAwaited } from "./running.js";
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
  return t("status.crop", { width, height, left, top });
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
  if (status === "queued") return withLeft(placeText(queue_position ?? 0), eta_s);
  if (status === "processing" || status === "starting") return withLeft(t("job.painting"), eta_s);
  if (status === "succeeded") {
    return metrics ? t("job.done-in", { time: secondsText(metrics.predict_s) }) : t("job.done");
  }
  if (status === "failed") return t("job.failed", { reason: ofJob(error).title });
  return status === "canceled" ? t("job.stopped") : t("job.expired");
}

/** @param {import("./api.js").Readiness} readiness @returns {string} */
export function workersText({ isReady, queued }) {
  if (!isReady) return t("workers.none");
  return queued ? t("workers.waiting", { count: queued }) : t("workers.idle");
}

/** @param {number} seconds */
export function secondsText(seconds) {
  if (seconds < 1) return t("time.ms", { number: Math.round(seconds * 1000) });
  if (seconds < 90) return t("time.s", { number: seconds.toFixed(1) });
  return t("time.min", { number: Math.round(seconds / 60) });
}

/** @param {string} stands @param {number | null} eta_s */
function withLeft(stands, eta_s) {
  if (eta_s === null) return stands;
  return t("job.left", { stands, time: eta_s < 1 ? t("job.second") : secondsText(eta_s) });
}

/** @param {number} before jobs before this one */
function placeText(before) {
  return before <= 0 ? t("job.next") : t("job.before", { count: before });
}

/** @param {number} before jobs before this one */
function queueText(before) {
  return before <= 0 ? t("status.next") : t("status.edits-before", { count: before });
}

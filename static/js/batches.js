/** What is said of batches, in sentences. Pure. */

import { secondsText } from "./status.js";
import { t } from "./texts.js";

/** One that waited too long has expired before its pictures have.
 * @param {import("./api.js").Batch} batch @param {number} at ms since 1970
 * @returns {boolean} whether pictures that were made are still there */
export function isKept({ expires_at }, at = Date.now()) {
  return expires_at === null || Date.parse(expires_at) > at;
}

/** @param {import("./api.js").Batch} batch @returns {string} how far it is */
export function batchText(batch) {
  const { request_counts: counts } = batch;
  const { total, succeeded, failed } = counts;
  const leftOut = counts.canceled + counts.expired;
  const said = [t("batches.done", { done: succeeded, total })];
  if (failed) said.push(t("batches.failed", { number: failed }));
  if (leftOut) said.push(t("batches.left-out", { number: leftOut }));
  const now = nowText(batch);
  return now ? `${said.join(", ")}. ${now}` : said.join(", ");
}

/** @param {import("./api.js").BatchItem} item one that failed @returns {string} */
export function rowText({ number, id, error }) {
  const reason = error?.detail ?? t("batches.no-reason");
  const row = { number: number + 1, reason };
  return id === String(number) ? t("batches.row", row) : t("batches.row-named", { ...row, name: id });
}

/** @param {import("./api.js").Batch} batch */
function nowText(batch) {
  const { status, eta_s } = batch;
  const { pending } = batch.request_counts;
  if (status === "expired") return isKept(batch) ? t("batches.waited") : t("batches.expired");
  if (pending === 0) return "";
  if (status === "queued") return t("batches.waits");
  return eta_s === null ? "" : t("batches.left", { time: secondsText(Math.max(1, eta_s)) });
}

/** What is said of batches, in sentences. Pure. */

import { secondsText } from "./status.js";
import { t } from "./texts.js";

/** @param {import("./api.js").Batch} batch @returns {string} how far it is */
export function batchText({ status, request_counts: counts, eta_s }) {
  const { total, succeeded, failed, canceled, pending } = counts;
  const said = [t("batches.done", { done: succeeded, total })];
  if (failed) said.push(t("batches.failed", { number: failed }));
  if (canceled) said.push(t("batches.canceled", { number: canceled }));
  const now = nowText(status, pending, eta_s);
  return now ? `${said.join(", ")}. ${now}` : said.join(", ");
}

/** @param {import("./api.js").BatchItem} item one that failed @returns {string} */
export function rowText({ number, id, error }) {
  const reason = error?.detail ?? t("batches.no-reason");
  const row = { number: number + 1, reason };
  return id === String(number) ? t("batches.row", row) : t("batches.row-named", { ...row, name: id });
}

/** @param {string} status @param {number} pending @param {number | null} eta_s */
function nowText(status, pending, eta_s) {
  if (status === "expired") return t("batches.expired");
  if (pending === 0) return "";
  if (status === "queued") return t("batches.waits");
  return eta_s === null ? "" : t("batches.left", { time: secondsText(Math.max(1, eta_s)) });
}

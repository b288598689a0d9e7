/** The newest jobs: how each stands, and what can be done about it. */

import { cancel, retry } from "./api.js";
import { byId, el, setText } from "./dom.js";
import { mountList } from "./list.js";
import { jobText } from "./status.js";
import { LOCALE, t } from "./texts.js";

/** @typedef {import("./api.js").Job} Job */
/** @typedef {(step: () => Promise<unknown>) => void} Act  does it and says what went wrong */

/** @param {Act} act @returns {(jobs: Job[]) => void} shows them */
export function mountJobs(act) {
  const show = mountList(byId("jobs-rows"), make, update);
  return (jobs) => {
    byId("jobs").hidden = jobs.length === 0;
    byId("no-jobs").hidden = jobs.length > 0;
    show(jobs);
  };

  /** @param {Job} job */
  function make(job) {
    const bar = el("progress", { max: 1, ariaLabel: t("queue.progress") });
    const stop = el("button", { type: "button", className: "button small-button" }, t("queue.stop"));
    stop.addEventListener("click", () => act(() => cancel(job)));
    const again = el("button", { type: "button", className: "button small-button" }, t("queue.again"));
    again.addEventListener("click", () => act(() => retry(job)));
    const open = el("a", { className: "button small-button" }, t("queue.open"));
    const at = new Date(job.created_at);
    const time = el("time", { dateTime: job.created_at }, at.toLocaleTimeString(LOCALE));
    return el(
      "tr",
      {},
      el("th", { scope: "row" }, job.caption || t("queue.picture-alone")),
      el("td", {}, job.model),
      el("td", {}, el("span", { className: "job-text" }), bar),
      el("td", {}, time),
      el("td", { className: "job-action" }, stop, again, open),
    );
  }
}

/** @param {HTMLTableRowElement} row @param {Job} job */
function update(row, job) {
  const stands = row.children[2];
  setText(/** @type {Element} */ (stands.querySelector(".job-text")), jobText(job));
  const bar = /** @type {HTMLProgressElement} */ (stands.querySelector("progress"));
  bar.hidden = job.status !== "processing" && job.status !== "starting";
  bar.value = job.progress;
  const [stop, again, open] = /** @type {Iterable<HTMLElement>} */ (row.children[4].children);
  stop.hidden = !["queued", "starting", "processing"].includes(job.status);
  again.hidden = !["failed", "canceled", "expired"].includes(job.status);
  open.hidden = job.outputs.length === 0;
  if (job.outputs.length > 0) open.setAttribute("href", job.outputs[0].image);
}

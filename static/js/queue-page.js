/** The queue as it stands: jobs, newest first, asked for again every two seconds while in sight. */

import { cancel, listJobs, readiness, retry } from "./api.js";
import { byId, el, setText } from "./dom.js";
import { problemOf } from "./problems.js";
import { jobText, workersText } from "./status.js";

const AGAIN_MS = 2000;

/** @typedef {import("./api.js").Job} Job */

const rows = byId("jobs-rows");
/** @type {Map<string, {row: HTMLTableRowElement, job: Job}>} by id */
const shown = new Map();
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;

async function update() {
  clearTimeout(timer);
  try {
    const [jobs, ready] = await Promise.all([listJobs(), readiness()]);
    setText(byId("queue-state"), workersText(ready));
    show(jobs);
  } catch (error) {
    const { title, advice } = problemOf(error);
    setText(byId("queue-state"), `${title}. ${advice}`);
  }
  if (!document.hidden) timer = setTimeout(update, AGAIN_MS);
}

/** @param {Job[]} jobs */
function show(jobs) {
  byId("jobs").hidden = jobs.length === 0;
  byId("no-jobs").hidden = jobs.length > 0;
  for (const id of shown.keys()) if (!jobs.some((job) => job.id === id)) shown.delete(id);
  const now = jobs.map(rowOf);
  // Rows that stay are not moved, so that a focused button keeps its focus.
  for (const row of [...rows.children]) if (!now.includes(/** @type {any} */ (row))) row.remove();
  now.forEach((row, place) => {
    if (rows.children[place] !== row) rows.insertBefore(row, rows.children[place] ?? null);
  });
}

/** @param {Job} job */
function rowOf(job) {
  const known = shown.get(job.id);
  const row = known?.row ?? made(job);
  shown.set(job.id, { row, job });
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
  return row;
}

/** @param {Job} job */
function made(job) {
  const bar = el("progress", { max: 1, ariaLabel: "Progress" });
  const stop = el("button", { type: "button", className: "button small-button" }, "Stop");
  stop.addEventListener("click", async () => {
    await cancel(job).catch(() => {}); // it may just have ended
    update();
  });
  const again = el("button", { type: "button", className: "button small-button" }, "Try again");
  again.addEventListener("click", () => askAgain(job));
  const open = el("a", { className: "button small-button" }, "Open");
  const at = new Date(job.created_at);
  const time = el("time", { dateTime: job.created_at }, at.toLocaleTimeString());
  return el(
    "tr",
    {},
    el("th", { scope: "row" }, job.caption || "A picture alone"),
    el("td", {}, job.model),
    el("td", {}, el("span", { className: "job-text" }), bar),
    el("td", {}, time),
    el("td", { className: "job-action" }, stop, again, open),
  );
}

/** @param {Job} job */
async function askAgain(job) {
  const trouble = byId("queue-trouble");
  setText(trouble, "");
  try {
    await retry(job);
  } catch (error) {
    const { title, detail } = problemOf(error);
    setText(trouble, `${title}. ${detail}`);
  }
  update();
}

document.addEventListener("visibilitychange", () => {
  if (!document.hidden) update();
});
await update();
document.documentElement.dataset.ready = "";

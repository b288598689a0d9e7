/** The queue as it stands, asked for again every two seconds while in sight. */

import { listBatches, listJobs, listWorkers, readiness } from "./api.js";
import { mountBatchForm } from "./batch-form.js";
import { byId, setText } from "./dom.js";
import { problemOf } from "./problems.js";
import { mountBatches } from "./queue-batches.js";
import { mountJobs } from "./queue-jobs.js";
import { mountWorkers } from "./queue-workers.js";
import { workersText } from "./status.js";

const AGAIN_MS = 2000;

/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;
const showJobs = mountJobs(act);
const showWorkers = mountWorkers();
const batches = mountBatches(act);
mountBatchForm((batch) => {
  batches.open(batch);
  update();
});

async function update() {
  clearTimeout(timer);
  try {
    const [jobs, found, workers, ready] = await Promise.all([
      listJobs(),
      listBatches(),
      listWorkers(),
      readiness(),
    ]);
    setText(byId("queue-state"), workersText(ready));
    showWorkers(workers, (id) => {
      const job = jobs.find((one) => one.id === id);
      return job?.caption || (found.find((one) => one.id === id)?.name ?? null);
    });
    showJobs(jobs);
    batches.show(found);
  } catch (error) {
    const { title, advice } = problemOf(error);
    setText(byId("queue-state"), `${title}. ${advice}`);
  }
  if (!document.hidden) timer = setTimeout(update, AGAIN_MS);
}

/** Does what a button says, and shows what came of it. @param {() => Promise<unknown>} step */
async function act(step) {
  let trouble = "";
  try {
    await step();
  } catch (error) {
    const { title, detail } = problemOf(error);
    trouble = `${title}. ${detail}`;
  }
  setText(byId("queue-trouble"), trouble);
  update();
}

document.addEventListener("visibilitychange", () => {
  if (!document.hidden) update();
});
await update();
document.documentElement.dataset.ready = "";

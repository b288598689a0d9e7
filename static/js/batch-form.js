/** A new batch: a file of lines, a ZIP of the pictures that they name, and off they go. */

import { createBatch } from "./api.js";
import { byId, setText } from "./dom.js";
import { problemOf } from "./problems.js";
import { t } from "./texts.js";

/** @param {(batch: import("./api.js").Batch) => void} onStarted */
export function mountBatchForm(onStarted) {
  const form = /** @type {HTMLFormElement} */ (byId("batch-form"));
  const [lines, images, go] = /** @type {HTMLInputElement[]} */ (
    ["batch-lines", "batch-images", "batch-go"].map((id) => byId(id))
  );
  const sent = /** @type {HTMLProgressElement} */ (byId("batch-sent"));

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const file = lines.files?.[0];
    if (!file || sent.dataset.busy) return;
    say(t("batches.sending"));
    busy(true);
    try {
      const fields = { items: file, images: images.files?.[0] ?? null, name: file.name };
      const batch = await createBatch(fields, (share) => (sent.value = share));
      form.reset();
      const { total, failed } = batch.request_counts;
      say(failed ? t("batches.refused", { failed, total }) : "");
      onStarted(batch);
    } catch (error) {
      const { title, detail } = problemOf(error);
      say("", `${title}. ${detail}`);
    }
    busy(false);
  });

  /** @param {boolean} is */
  function busy(is) {
    sent.hidden = !is;
    sent.value = 0;
    if (is) sent.dataset.busy = "";
    else delete sent.dataset.busy;
    go.setAttribute("aria-disabled", String(is));
  }

  /** @param {string} state @param {string} [trouble] */
  function say(state, trouble = "") {
    setText(byId("batch-state"), state);
    setText(byId("batch-trouble"), trouble);
  }
}

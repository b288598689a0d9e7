/** A new batch: a file of lines, a ZIP of the pictures that they name, and off they go. */

import { createBatch } from "./api.js";
import { byId } from "./dom.js";
import { t } from "./texts.js";
import { mountUploadForm } from "./upload-form.js";

/** @param {(batch: import("./api.js").Batch) => void} onStarted */
export function mountBatchForm(onStarted) {
  mountUploadForm("batch", async (form, { say, share }) => {
    const [lines, images] = ["batch-lines", "batch-images"].map(
      (id) => /** @type {HTMLInputElement} */ (byId(id)).files?.[0] ?? null,
    );
    if (!lines) return;
    say(t("batches.sending"));
    const batch = await createBatch({ items: lines, images, name: lines.name }, share);
    form.reset();
    const { total, failed } = batch.request_counts;
    say(failed ? t("batches.refused", { failed, total }) : "");
    onStarted(batch);
  });
}

/** Where a person may: weights that a paper's authors published become a model of this service. */

import { importWeights, whenImported } from "./api.js";
import { byId, setText } from "./dom.js";
import { t } from "./texts.js";
import { mountUploadForm } from "./upload-form.js";

const system = /** @type {HTMLSelectElement} */ (byId("import-system"));

mountUploadForm("import", async (form, { say, share }) => {
  const fields = new FormData(form);
  const examples = String(fields.get("examples")).split("\n");
  fields.delete("examples");
  for (const one of examples.map((line) => line.trim()).filter(Boolean)) {
    fields.append("example", one);
  }
  say(t("import.sending"));
  const begun = await importWeights(fields, share);
  const model = await whenImported(begun, ({ status, progress }) => {
    say(status === "queued" ? t("import.waiting") : t("import.reading"));
    share(progress);
  });
  window.location.hash = model;
  window.location.reload(); // with the new model's card
});
system.addEventListener("change", showNeeds);
showNeeds();
document.documentElement.dataset.ready = "";

function showNeeds() {
  setText(byId("import-needs"), t(`import.needs.${system.value}`));
}

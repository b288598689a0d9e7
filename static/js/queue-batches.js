/** The newest batches: how far each is, which rows failed and why, and the ZIP of what is done. */

import { cancelBatch, listFailedItems } from "./api.js";
import { batchText, isKept, rowText } from "./batches.js";
import { byId, el, setText } from "./dom.js";
import { mountList } from "./list.js";
import { LOCALE, t } from "./texts.js";

/** @typedef {import("./api.js").Batch} Batch */
/** @typedef {{batch: Batch, text: HTMLElement, bar: HTMLProgressElement, stop: HTMLElement,
 *   zip: HTMLElement, rows: HTMLDetailsElement, told: number}} Card  told: rows that it lists */

/** @param {import("./queue-jobs.js").Act} act */
export function mountBatches(act) {
  /** @type {WeakMap<HTMLElement, Card>} */
  const cards = new WeakMap();
  const list = mountList(byId("batches"), make, update);
  /** @type {string | null} */
  let toOpen = null;

  return {
    /** @param {Batch[]} batches */
    show(batches) {
      byId("no-batches").hidden = batches.length > 0;
      list(batches);
    },
    /** Shows a batch's failed rows as soon as it is listed, if there are any.
     * @param {Batch} batch */
    open(batch) {
      toOpen = batch.id;
    },
  };

  /** @param {Batch} batch */
  function make(batch) {
    const name = batch.name ?? batch.models.join(", ");
    const title = el("h3", { id: `batch-${batch.id}` }, name);
    const at = new Date(batch.created_at);
    const time = el("time", { dateTime: batch.created_at }, at.toLocaleTimeString(LOCALE));
    const stop = el("button", { type: "button", className: "button small-button" }, t("queue.stop"));
    const zip = el("a", { className: "button small-button", href: batch.links.results }, t("batches.zip"));
    zip.setAttribute("download", "");
    const rows = el("details", { className: "batch-rows" }, el("summary"), el("ul"));
    const card = {
      batch,
      text: el("p", { className: "about-lead" }),
      bar: el("progress", { max: 1, ariaLabel: t("batches.progress", { name }) }),
      stop,
      zip,
      rows,
      told: 0,
    };
    stop.addEventListener("click", () => act(() => cancelBatch(batch)));
    rows.addEventListener("toggle", () => act(() => tell(card)));
    const head = el("div", { className: "batch-head" }, title, time);
    const tools = el("div", { className: "batch-tools" }, stop, zip);
    const item = el("li", { className: "batch" }, head, card.bar, card.text, tools, rows);
    item.setAttribute("aria-labelledby", title.id);
    cards.set(item, card);
    return item;
  }

  /** @param {HTMLElement} item @param {Batch} batch */
  function update(item, batch) {
    const card = /** @type {Card} */ (cards.get(item));
    card.batch = batch;
    const { total, succeeded, failed, pending } = batch.request_counts;
    const isOver = !["queued", "processing"].includes(batch.status);
    setText(card.text, batchText(batch));
    card.bar.hidden = isOver;
    card.bar.value = (total - pending) / total;
    card.stop.hidden = isOver;
    card.zip.hidden = succeeded === 0 || !isKept(batch);
    card.rows.hidden = failed === 0;
    setText(/** @type {Element} */ (card.rows.querySelector("summary")), t("batches.rows-failed", { count: failed }));
    if (toOpen === batch.id) {
      card.rows.open = failed > 0;
      toOpen = null;
    } else if (card.rows.open && card.told !== failed) {
      act(() => tell(card));
    }
  }
}

/** Lists the rows that failed, if they are in sight. @param {Card} card */
async function tell(card) {
  if (!card.rows.open) return;
  const { failed } = card.batch.request_counts;
  if (card.told === failed) return;
  card.told = failed;
  const items = await listFailedItems(card.batch);
  const told = items.map((item) => el("li", {}, rowText(item)));
  const more = failed - items.length;
  if (more > 0) told.push(el("li", {}, t("batches.rows-more", { count: more })));
  card.rows.querySelector("ul")?.replaceChildren(...told);
}

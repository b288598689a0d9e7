/** The workers: where each runs, what it has in memory, and what it does now. */

import { byId, el, setText } from "./dom.js";
import { mountList } from "./list.js";
import { LOCALE, t } from "./texts.js";

/** @typedef {import("./api.js").Worker} Worker */

/** @returns {(workers: Worker[], named: (id: string) => string | null) => void} shows them; `named`
 *   says what a job or batch is called */
export function mountWorkers() {
  /** @type {(id: string) => string | null} */
  let nameOf = () => null;
  const show = mountList(byId("workers"), make, (item, worker) => update(item, worker, nameOf));
  return (workers, named) => {
    nameOf = named;
    byId("workers-section").hidden = workers.length === 0;
    show(workers);
  };
}

/** @param {Worker} worker */
function make({ id, host, device }) {
  const title = el("h3", { id: `worker-${id}` }, t("worker.title", { device, host }));
  const memory = el("span", { className: "about-lead" });
  const head = el("div", { className: "batch-head" }, title, memory);
  const item = el("li", { className: "batch" }, head, el("p"), el("p", { className: "about-tags" }));
  item.setAttribute("aria-labelledby", title.id);
  return item;
}

/** @param {HTMLElement} item @param {Worker} worker @param {(id: string) => string | null} nameOf */
function update(item, { models, memory_bytes, doing }, nameOf) {
  const [head, now, tags] = item.children;
  setText(head.children[1], t("worker.memory", { size: megabytes(memory_bytes.resident ?? 0) }));
  setText(now, doing ? doingText(doing.kind, nameOf(doing.id)) : t("worker.doing.nothing"));
  if (tags.childElementCount !== models.length || tags.textContent !== models.join("")) {
    tags.replaceChildren(...models.map((model) => el("span", { className: "tag" }, model)));
  }
}

/** @param {string} kind @param {string | null} name */
function doingText(kind, name) {
  return name === null ? t(`worker.doing.${kind}`) : t(`worker.doing-named.${kind}`, { name });
}

/** @param {number} bytes */
function megabytes(bytes) {
  return `${Math.round(bytes / 2 ** 20).toLocaleString(LOCALE)} MB`;
}

/** All results that this browser keeps: looked through by words, opened, marked, deleted. */

import { byId, el, icon, setText } from "./dom.js";
import { mountFind } from "./find.js";
import { countText, matching, stillServed } from "./gallery.js";
import { createHistory } from "./history.js";
import { LOCALE, t } from "./texts.js";

/** @typedef {import("./history.js").KeptResult} KeptResult */

const history = createHistory();
const grid = byId("gallery");
const query = /** @type {HTMLInputElement} */ (byId("gallery-query"));
const only = byId("gallery-favourites");
const undo = byId("gallery-undo");
/** @type {Map<string, HTMLLIElement>} by key */
const items = new Map();
/** @type {KeptResult | null} */
let deleted = null;
let { results } = await history.all().catch(() => ({ results: [] }));

const canFind = document.getElementById("find") !== null;
const finder = canFind ? mountFind(() => stillServed(results, Date.now())) : null;

query.addEventListener("input", show);
only.addEventListener("click", () => {
  only.setAttribute("aria-pressed", String(!isOnly()));
  show();
});
undo.addEventListener("click", async () => {
  if (!deleted) return;
  await history.keepResult(deleted);
  results = [...results, deleted];
  const { key } = deleted;
  deleted = null;
  show();
  items.get(key)?.querySelector("a")?.focus();
});
show();
document.documentElement.dataset.ready = "";

function isOnly() {
  return only.getAttribute("aria-pressed") === "true";
}

function show() {
  const found = matching(results, query.value, isOnly());
  grid.replaceChildren(...found.map(item));
  setText(byId("gallery-count"), countText(found.length, results.length));
  undo.hidden = deleted === null;
  byId("gallery-tools").hidden = results.length === 0 && deleted === null;
}

/** @param {KeptResult} result */
function item(result) {
  const known = items.get(result.key);
  if (known) return known;
  const { ask, thumb, picture, made, favourite } = result;
  const link = el("a", { href: `/#result=${encodeURIComponent(result.key)}`, className: "kept" });
  const canvas = Object.assign(document.createElement("canvas"), { width: 160, height: 160 });
  createImageBitmap(thumb ?? picture).then(
    (bitmap) => canvas.getContext("2d")?.drawImage(bitmap, 0, 0, canvas.width, canvas.height),
    () => {}, // a picture that can't be read leaves its words
  );
  const when = el("time", { dateTime: new Date(made).toISOString() }, dateText(made));
  link.append(canvas, el("span", { className: "kept-words" }, ask.caption), when);
  const { caption } = ask;
  const star = tool("star", t("gallery.favour", { caption }), () => favour(result, star));
  star.setAttribute("aria-pressed", String(favourite));
  const bin = tool("bin", t("gallery.delete", { caption }), () => remove(result));
  const like = tool("search", t("gallery.like", { caption }), () =>
    finder?.like(picture, ask.caption),
  );
  like.hidden = finder === null;
  const li = el("li", {}, link, el("div", { className: "kept-tools" }, like, star, bin));
  items.set(result.key, li);
  return li;
}

/** @param {string} name of the icon @param {string} label @param {() => void} act */
function tool(name, label, act) {
  const button = el("button", { type: "button", className: "icon-button", ariaLabel: label });
  button.append(icon(name));
  button.addEventListener("click", act);
  return button;
}

/** @param {KeptResult} result @param {HTMLElement} star */
async function favour(result, star) {
  const favourite = star.getAttribute("aria-pressed") !== "true";
  const changed = { ...(results.find(({ key }) => key === result.key) ?? result), favourite };
  await history.keepResult(changed);
  results = results.map((one) => (one.key === result.key ? changed : one));
  star.setAttribute("aria-pressed", String(favourite));
  if (isOnly()) show();
}

/** @param {KeptResult} result */
async function remove(result) {
  deleted = results.find(({ key }) => key === result.key) ?? result;
  await history.forgetResult(result.key);
  results = results.filter(({ key }) => key !== result.key);
  items.delete(result.key);
  show();
  undo.focus();
}

/** @param {number} made in milliseconds since 1970 */
function dateText(made) {
  return new Date(made).toLocaleString(LOCALE, { dateStyle: "medium", timeStyle: "short" });
}

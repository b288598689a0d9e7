/** "Find like this, but ...": a picture and words, to the pictures of the library and one's own. */

import { search, whenDone } from "./api.js";
import { byId, el, setText } from "./dom.js";
import { foundText, thumbnail } from "./gallery.js";
import { problemOf } from "./problems.js";
import { t } from "./texts.js";

const SHOWN_SIDE = 320; // pixels of a match

/** @typedef {import("./api.js").Match} Match */

/** @param {() => string[]} ownPictures addresses of results that the server may still keep
 * @returns {{like: (file: Blob, name: string) => void}} */
export function mountFind(ownPictures) {
  const file = /** @type {HTMLInputElement} */ (byId("find-file"));
  const words = /** @type {HTMLInputElement} */ (byId("find-words"));
  const without = byId("find-without");
  /** @type {[Blob, string] | null} */
  let picture = null;
  /** @type {AbortController | null} */
  let running = null;

  byId("find-choose").addEventListener("click", () => file.click());
  file.addEventListener("change", () => {
    const [chosen] = file.files ?? [];
    if (chosen) take([chosen, chosen.name]);
    file.value = ""; // so that the same file can be chosen again
  });
  without.addEventListener("click", () => take(null));
  byId("find-form").addEventListener("submit", (event) => {
    event.preventDefault();
    find();
  });

  /** @param {[Blob, string] | null} chosen */
  async function take(chosen) {
    picture = chosen;
    without.hidden = !chosen;
    const bitmap = chosen && (await createImageBitmap(chosen[0]).catch(() => null));
    if (chosen !== picture) return;
    const place = byId("find-picture");
    if (!chosen) return place.replaceChildren(t("gallery.words-alone"));
    place.replaceChildren(bitmap ? small(bitmap) : chosen[1]);
  }

  async function find() {
    running?.abort();
    const mine = new AbortController();
    running = mine;
    byId("find-trouble").replaceChildren();
    if (!picture && words.value.trim() === "") {
      return setText(byId("find-state"), t("gallery.say"));
    }
    setText(byId("find-state"), t("gallery.looking"));
    try {
      const asked = { image: picture, caption: words.value.trim(), signal: mine.signal };
      const begun = await begin(asked);
      const job = await whenDone(begun, { signal: mine.signal, onProgress() {} });
      byId("matches").replaceChildren(...job.matches.map(match));
      setText(byId("find-state"), foundText(job));
    } catch (error) {
      if (mine.signal.aborted) return;
      const { title, detail, advice } = problemOf(error);
      setText(byId("find-state"), "");
      byId("find-trouble").replaceChildren(el("strong", {}, title), ` ${detail} ${advice}`);
    }
  }

  /** One's own pictures are looked through too, unless the server has forgotten one of them.
   * @param {{image: [Blob, string] | null, caption: string, signal: AbortSignal}} asked */
  async function begin(asked) {
    try {
      return await search({ ...asked, among: ownPictures() });
    } catch (error) {
      if (problemOf(error).field !== "among") throw error;
      return search({ ...asked, among: [] });
    }
  }

  return {
    like(blob, name) {
      take([blob, name]);
      byId("find").scrollIntoView();
      words.focus({ preventScroll: true });
    },
  };
}

/** @param {Match} match */
function match({ image, name, score }) {
  const picture = el("img", { src: thumbnail(image, SHOWN_SIDE), alt: "", loading: "lazy" });
  const text = el("span", { className: "kept-words" }, name ?? t("gallery.one-of-yours"));
  const likeness = t("gallery.likeness", { score: score.toFixed(2) });
  const near = el("span", { className: "kept-near" }, likeness);
  const href = `/#image=${encodeURIComponent(image)}`;
  return el("li", {}, el("a", { href, className: "kept" }, picture, text, near));
}

/** @param {ImageBitmap} bitmap */
function small(bitmap) {
  const canvas = Object.assign(document.createElement("canvas"), { width: 96, height: 96 });
  const side = Math.min(bitmap.width, bitmap.height);
  const [left, top] = [(bitmap.width - side) / 2, (bitmap.height - side) / 2];
  canvas.getContext("2d")?.drawImage(bitmap, left, top, side, side, 0, 0, 96, 96);
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", t("gallery.start"));
  return canvas;
}

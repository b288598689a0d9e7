/** This session's results, newest first; a click goes back to one with all that made it. */

import { bind, byId, el } from "./dom.js";

/**
 * @param {import("./store.js").Store<import("./state.js").State>} store
 * @param {import("./editor.js").Editor} editor
 * @param {import("./pictures.js").Pictures} pictures
 */
export function mountFilmstrip(store, editor, pictures) {
  const strip = byId("filmstrip");
  const film = byId("film");
  /** @type {Map<string, HTMLLIElement>} by the result's key */
  const items = new Map();

  bind(
    store,
    (state) => state.results,
    (results) => {
      strip.hidden = results.length === 0;
      document.body.toggleAttribute("data-film", results.length > 0);
      film.replaceChildren(...results.map(item).reverse());
      film.scrollTo({ left: 0 });
    },
  );
  bind(
    store,
    (state) => state.shown,
    (shown) => {
      for (const [key, li] of items) {
        const current = key === shown?.key && shown.full;
        li.firstElementChild?.setAttribute("aria-current", String(current));
      }
    },
  );

  /** @param {import("./state.js").Result} result */
  function item(result) {
    const known = items.get(result.key);
    if (known) return known;
    const { caption, seed } = result.ask;
    const button = el("button", {
      type: "button",
      className: "still",
      title: `${caption} (seed ${seed})`,
    });
    const thumb = pictures.thumb(result);
    if (thumb) button.append(thumb);
    button.append(el("span", { className: "still-text" }, caption));
    button.addEventListener("click", () => editor.restore(result.key));
    const li = el("li", {}, button);
    items.set(result.key, li);
    return li;
  }
}

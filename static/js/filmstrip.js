/** The results, newest first; a click goes back to one with all that made it. */

import { bind, byId, el, icon } from "./dom.js";
import { favoured, onFilm, withFavouritesOnly, withoutResult } from "./results.js";
import { t } from "./texts.js";

/** @type {Record<string, number>} */
const ALONG = { ArrowLeft: -1, ArrowRight: 1 }; // turned around where text runs to the left
/** @type {Record<string, number>} */
const ACROSS = { ArrowUp: -1, ArrowDown: 1 };

/**
 * @param {import("./store.js").Store<import("./state.js").State>} store
 * @param {import("./editor.js").Editor} editor
 * @param {import("./pictures.js").Pictures} pictures
 */
export function mountFilmstrip(store, editor, pictures) {
  const film = byId("film");
  const only = byId("favourites-only");
  /** @type {Map<string, HTMLLIElement>} by the result's key */
  const items = new Map();

  only.addEventListener("click", () =>
    store.update((state) => withFavouritesOnly(state, !state.favouritesOnly)),
  );
  film.addEventListener("keydown", (event) => {
    const still = /** @type {HTMLElement} */ (event.target).closest("button");
    if (!still || event.ctrlKey || event.metaKey || event.altKey) return;
    if (!afterKey(event.key, still)) return;
    event.preventDefault();
  });

  bind(
    store,
    (state) => state.results.length === 0,
    (isEmpty) => {
      byId("filmstrip").hidden = isEmpty;
    },
  );
  store.subscribe((state, before) => {
    const { results, favouritesOnly, shown } = state;
    if (results !== before.results || favouritesOnly !== before.favouritesOnly || !film.firstChild)
      show(state);
    if (shown?.key !== before.shown?.key) mark(state);
  });

  /** @param {import("./state.js").State} state */
  function show(state) {
    const focused = film.contains(document.activeElement);
    for (const key of items.keys()) {
      if (!state.results.some((result) => result.key === key)) items.delete(key);
    }
    film.replaceChildren(...onFilm(state).map(item));
    only.hidden = !state.favouritesOnly && !state.results.some((result) => result.favourite);
    only.setAttribute("aria-pressed", String(state.favouritesOnly));
    mark(state);
    if (focused) film.querySelector("button[tabindex='0']")?.focus({ preventScroll: true });
  }

  /** The one that is shown is marked, in sight, and the one that Tab comes to.
   * @param {import("./state.js").State} state */
  function mark({ shown }) {
    const stills = [...film.querySelectorAll("button")];
    const current = stills.find((still) => still.dataset.key === shown?.key && shown.full);
    for (const still of stills) {
      still.setAttribute("aria-current", String(still === current));
      still.tabIndex = still === (current ?? stills[0]) ? 0 : -1;
    }
    if (current) reveal(current);
    else film.scrollTo({ left: 0 });
  }

  /** @param {HTMLElement} still */
  function reveal(still) {
    const { left, right } = still.getBoundingClientRect();
    const room = film.getBoundingClientRect();
    if (left < room.left) film.scrollBy({ left: left - room.left - 8 });
    if (right > room.right) film.scrollBy({ left: right - room.right + 8 });
  }

  /** Whether the key was one of ours.
   * @param {string} pressed @param {HTMLButtonElement} still @returns {boolean} */
  function afterKey(pressed, still) {
    const key = still.dataset.key ?? "";
    const isTurned = getComputedStyle(film).direction === "rtl";
    const step = ALONG[pressed] * (isTurned ? -1 : 1) || ACROSS[pressed];
    if (step) {
      const stills = [...film.querySelectorAll("button")];
      stills[stills.indexOf(still) + step]?.focus();
    } else if (pressed === "Delete" || pressed === "Backspace") {
      store.update((state) => withoutResult(state, key));
    } else if (pressed.toLowerCase() === "s") {
      store.update((state) => favoured(state, key));
    } else {
      return false;
    }
    return true;
  }

  /** @param {import("./state.js").Result} result */
  function item(result) {
    const { key, ask, favourite } = result;
    const li = items.get(key) ?? made(result);
    items.set(key, li);
    li.toggleAttribute("data-favourite", favourite);
    const text = /** @type {Element} */ (li.querySelector(".still-text"));
    const { caption } = ask;
    text.textContent = favourite ? t("film.still-favourite", { caption }) : caption;
    return li;
  }

  /** @param {import("./state.js").Result} result */
  function made(result) {
    const { key, ask } = result;
    const button = el("button", {
      type: "button",
      className: "still",
      title: t("film.still", { caption: ask.caption, seed: ask.seed }),
      data: { key },
    });
    const thumb = pictures.thumb(result);
    if (thumb) button.append(thumb);
    const star = icon("star");
    star.classList.add("still-star");
    button.append(star, el("span", { className: "still-text" }));
    button.addEventListener("click", () => editor.restore(key));
    return el("li", {}, button);
  }
}

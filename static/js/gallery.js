/** Which of the kept results the gallery shows: pure. */

import { t } from "./texts.js";

/** @typedef {import("./state.js").Result} Result */

const SERVED_MS = 20 * 3600 * 1000; // a server keeps results for a day, unless it says otherwise
const MAX_AMONG = 64; // that one search may name

/** Those whose words hold every word of the query, begun or whole, the newest first.
 * @template {Result} R @param {R[]} results @param {string} query
 * @param {boolean} favouritesOnly @returns {R[]} */
export function matching(results, query, favouritesOnly) {
  const wanted = query.toLowerCase().split(/\s+/).filter(Boolean);
  const fits = (/** @type {R} */ { ask: { caption, model }, favourite }) => {
    const words = `${caption} ${model}`.toLowerCase().split(/[^\p{L}\p{N}]+/u);
    const has = (/** @type {string} */ start) => words.some((word) => word.startsWith(start));
    return (favourite || !favouritesOnly) && wanted.every(has);
  };
  return results.filter(fits).sort((a, b) => b.made - a.made);
}

/** Where a match is to be had small: the library makes it small itself.
 * @param {string} image @param {number} side in pixels @returns {string} */
export function thumbnail(image, side) {
  return image.startsWith("/library/") ? `${image}?side=${side}` : image;
}

/** What a search came to, in words.
 * @param {{matches: unknown[], searched: number | null, not_yet_searched: number | null}} job
 * @returns {string} */
export function foundText({ matches, searched, not_yet_searched }) {
  if (matches.length === 0) return t("gallery.nothing");
  const nearest = t("gallery.nearest", { count: searched ?? 0 });
  return not_yet_searched ? `${nearest} ${t("gallery.new", { count: not_yet_searched })}` : nearest;
}

/** The results whose pictures the server may still have, the latest first, by their addresses.
 * @param {Result[]} results @param {number} now @returns {string[]} */
export function stillServed(results, now) {
  const young = results.filter(({ made }) => now - made < SERVED_MS);
  const latest = young.sort((a, b) => b.made - a.made).slice(0, MAX_AMONG);
  return latest.map((result) => result.image);
}

/** How many are shown, in words. @param {number} shown @param {number} all @returns {string} */
export function countText(shown, all) {
  if (all === 0) return t("gallery.empty");
  if (shown === 0) return t("gallery.none");
  return shown === all ? t("gallery.all", { count: all }) : t("gallery.some", { shown, all });
}

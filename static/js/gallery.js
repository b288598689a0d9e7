/** Which of the kept results the gallery shows: pure. */

/** @typedef {import("./state.js").Result} Result */

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

/** How many are shown, in words. @param {number} shown @param {number} all @returns {string} */
export function countText(shown, all) {
  if (all === 0) return "Nothing is kept in this browser yet. What you make appears here.";
  if (shown === 0) return "None of your pictures has these words.";
  return shown === all ? `${all} kept in this browser` : `${shown} of ${all}`;
}

/**
 * Which word did what, as numbers: pure functions of a result's heatmaps and their pixels.
 *
 * @typedef {{stage: number, word: number, strength: number, image: string}} Heatmap
 * @typedef {{width: number, height: number, grey: Uint8ClampedArray}} GreyMap  white: looked here
 */

const DARKEST = 0.82; // of black over what the word did not look at
const STEEPNESS = 1.4;

/** The stages that have heatmaps, the smallest picture first.
 * @param {Heatmap[]} heatmaps @returns {number[]} */
export function stagesOf(heatmaps) {
  return [...new Set(heatmaps.map((map) => map.stage))].sort((a, b) => a - b);
}

/** A stage's words, those first that took most places for themselves.
 * @param {Heatmap[]} heatmaps @param {number} stage @param {number} [count] @returns {Heatmap[]} */
export function strongest(heatmaps, stage, count = Infinity) {
  const own = heatmaps.filter((map) => map.stage === stage);
  return own.sort((a, b) => b.strength - a.strength).slice(0, count);
}

/** A shade to lay over the picture, that leaves light where a word looked: it takes no colour to
 * read. RGBA, black, for each pixel of the map.
 * @param {GreyMap} map @returns {Uint8ClampedArray<ArrayBuffer>} */
export function shade({ grey }) {
  const rgba = new Uint8ClampedArray(grey.length * 4);
  grey.forEach((value, pixel) => {
    rgba[4 * pixel + 3] = 255 * DARKEST * (1 - value / 255) ** STEEPNESS;
  });
  return rgba;
}

/** How far each word counts at a place, the most first. A map alone says where its word looked,
 * its strength how much that means beside the others.
 * @param {{word: number, strength: number, map: GreyMap}[]} maps of one stage
 * @param {number} x from 0, left, to 1 @param {number} y from 0, top, to 1
 * @returns {{word: number, value: number}[]} value from 0 to 1 */
export function rankedAt(maps, x, y) {
  const values = maps.map(({ word, strength, map }) => {
    const column = Math.min(map.width - 1, Math.floor(x * map.width));
    const row = Math.min(map.height - 1, Math.floor(y * map.height));
    return { word, value: (strength * map.grey[row * map.width + column]) / 255 };
  });
  return values.sort((a, b) => b.value - a.value);
}

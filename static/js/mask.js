/**
 * What may change, as strokes of a brush: pure functions. Strokes are data, so a mask is undone,
 * compared, kept with its result and drawn at any size.
 *
 * @typedef {{erase: boolean, size: number, points: number[]}} Stroke  size: across; points: x, y,
 *   x, y...; all in whole pixels of the photo
 * @typedef {{found: number[], side: number, box: import("./crop.js").Box}} Found  an object, in
 *   place of all before it: `side` by `side` cells over the box, row by row, as the lengths of their
 *   runs, outside and inside in turn
 * @typedef {(Stroke | Found | "invert")[]} Mask  without a stroke everything may change
 */

export const MIN_SIZE = 0.02; // of the photo's shorter side
export const MAX_SIZE = 0.5;
const APART = 0.15; // of the brush: points that are nearer tell nothing
const INSIDE = 128; // of 255: what is as likely in the object as not counts
const LEAST = 0.002; // of the cells: less is no object

/** A stroke begins. @param {Mask} mask @param {Stroke} stroke @returns {Mask} */
export function begun(mask, { erase, size, points }) {
  return [...mask, { erase, size: Math.round(size), points: points.map(Math.round) }];
}

/** The last stroke goes on.
 * @param {Mask} mask @param {number} x @param {number} y @returns {Mask} */
export function drawnTo(mask, x, y) {
  const last = mask.at(-1);
  if (!last || last === "invert" || "found" in last) return mask;
  const [lastX, lastY] = last.points.slice(-2);
  if (Math.hypot(x - lastX, y - lastY) < last.size * APART) return mask;
  const points = [...last.points, Math.round(x), Math.round(y)];
  return [...mask.slice(0, -1), { ...last, points }];
}

/** @param {Mask} mask @returns {Mask} */
export function inverted(mask) {
  if (mask.length === 0) return mask;
  return mask.at(-1) === "invert" ? mask.slice(0, -1) : [...mask, "invert"];
}

/** @param {Mask} mask @returns {Mask} without its last stroke */
export function undone(mask) {
  return mask.slice(0, -1);
}

/** Whether everything may change before the first stroke: so it is when that one takes away.
 * @param {Mask} mask */
export function startsFull(mask) {
  const [first] = mask;
  return first !== undefined && first !== "invert" && !("found" in first) && first.erase;
}

/** The object that a picture shows in white; null where it shows none.
 * @param {ArrayLike<number>} levels of its pixels, 0 to 255 @param {import("./crop.js").Box} box
 * @returns {Found | null} */
export function foundIn(levels, box) {
  const found = [0];
  let isInside = false;
  let inside = 0;
  for (let n = 0; n < levels.length; n++) {
    if (levels[n] >= INSIDE !== isInside) {
      isInside = !isInside;
      found.push(0);
    }
    found[found.length - 1] += 1;
    inside += Number(isInside);
  }
  return inside < LEAST * levels.length ? null : { found, side: Math.sqrt(levels.length), box };
}

/** The same again, a level for each cell: 255 inside, 0 outside. @param {Found} object */
export function cellsOf({ found, side }) {
  const cells = new Uint8Array(side * side);
  let from = 0;
  found.forEach((length, n) => {
    if (n % 2 === 1) cells.fill(255, from, from + length);
    from += length;
  });
  return cells;
}

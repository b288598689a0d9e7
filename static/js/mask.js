/**
 * What may change, as strokes of a brush: pure functions. Strokes are data, so a mask is undone,
 * compared, kept with its result and drawn at any size.
 *
 * @typedef {{erase: boolean, size: number, points: number[]}} Stroke  size: across; points: x, y,
 *   x, y...; all in whole pixels of the photo
 * @typedef {(Stroke | "invert")[]} Mask  without a stroke everything may change
 */

export const MIN_SIZE = 0.02; // of the photo's shorter side
export const MAX_SIZE = 0.5;
const APART = 0.15; // of the brush: points that are nearer tell nothing

/** A stroke begins. @param {Mask} mask @param {Stroke} stroke @returns {Mask} */
export function begun(mask, { erase, size, points }) {
  return [...mask, { erase, size: Math.round(size), points: points.map(Math.round) }];
}

/** The last stroke goes on.
 * @param {Mask} mask @param {number} x @param {number} y @returns {Mask} */
export function drawnTo(mask, x, y) {
  const last = mask.at(-1);
  if (!last || last === "invert") return mask;
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
  return first !== undefined && first !== "invert" && first.erase;
}

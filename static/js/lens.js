/**
 * What part of the pictures is seen: pure. All panes show the same part, so they move in step.
 *
 * @typedef {{scale: number, x: number, y: number}} Lens  x and y: the left and top edge of what is
 *   seen, as parts of the picture's sides; of each side, 1 / scale is seen
 */

export const MAX_SCALE = 8;

/** @type {Readonly<Lens>} */
export const WHOLE = { scale: 1, x: 0, y: 0 };

/** Enlarged by `factor`, while a point of the pane stays where it is.
 * @param {Lens} lens @param {number} factor @param {{x: number, y: number}} [at] from 0 to 1
 * @returns {Lens} */
export function zoomed(lens, factor, at = { x: 0.5, y: 0.5 }) {
  const scale = Math.min(MAX_SCALE, Math.max(1, lens.scale * factor));
  const gain = 1 / lens.scale - 1 / scale; // of each side, what is no longer seen
  return inside({ scale, x: lens.x + at.x * gain, y: lens.y + at.y * gain });
}

/** Moved by parts of the pane's sides. @param {Lens} lens @param {number} dx @param {number} dy
 * @returns {Lens} */
export function panned(lens, dx, dy) {
  return inside({ ...lens, x: lens.x + dx / lens.scale, y: lens.y + dy / lens.scale });
}

/** @param {Lens} lens @returns {Lens} */
function inside({ scale, x, y }) {
  const room = 1 - 1 / scale;
  return { scale, x: Math.min(room, Math.max(0, x)), y: Math.min(room, Math.max(0, y)) };
}

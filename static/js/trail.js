/**
 * The way through what was shown, for undo and redo: pure functions.
 * Undoing loses nothing: what is left behind stays among the results.
 *
 * @typedef {{photo: string | null, key: string | null}} Stop  key null: the photo as it came
 * @typedef {{stops: Stop[], at: number}} Trail  `at` is the index of the one that is shown
 */

const MAX_STOPS = 200;

/** @type {Readonly<Trail>} */
export const EMPTY = { stops: [], at: -1 };

/** One step on; what had been undone is no longer ahead.
 * @param {Trail} trail @param {Stop} stop @returns {Trail} */
export function stepped(trail, stop) {
  const here = current(trail);
  if (here && here.photo === stop.photo && here.key === stop.key) return trail;
  const stops = [...trail.stops.slice(0, trail.at + 1), stop].slice(-MAX_STOPS);
  return { stops, at: stops.length - 1 };
}

/** @param {Trail} trail @param {-1 | 1} by back or forward @returns {Trail | null} null: an end */
export function moved(trail, by) {
  const at = trail.at + by;
  return at >= 0 && at < trail.stops.length ? { ...trail, at } : null;
}

/** The trail without a result that was deleted.
 * @param {Trail} trail @param {string} key @returns {Trail} */
export function without(trail, key) {
  const gone = trail.stops.map((stop) => stop.key === key);
  const stops = trail.stops.filter((_, index) => !gone[index]);
  return { stops, at: trail.at - gone.slice(0, trail.at + 1).filter(Boolean).length };
}

/** @param {Trail} trail @returns {Stop | null} */
export function current(trail) {
  return trail.stops[trail.at] ?? null;
}

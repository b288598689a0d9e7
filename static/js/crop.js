/**
 * Geometry of the crop box: pure functions. A box is square, in whole pixels of the upright photo,
 * and never leaves it.
 *
 * @typedef {{left: number, top: number, width: number, height: number}} Box
 * @typedef {{width: number, height: number}} Size  in pixels
 * @typedef {"nw" | "ne" | "sw" | "se"} Corner
 */

/** The smallest side that a box may have, where the photo allows it. */
export const MIN_SIDE = 32;

/** The largest centred square, the part that is edited unless a person says otherwise.
 * @param {Size} photo @returns {Box} */
export function largestSquare(photo) {
  const side = Math.min(photo.width, photo.height);
  return square((photo.width - side) >> 1, (photo.height - side) >> 1, side);
}

/** @param {Box} box @param {number} dx @param {number} dy @param {Size} photo @returns {Box} */
export function moved(box, dx, dy, photo) {
  return inside(box.left + dx, box.top + dy, box.width, photo);
}

/** The box grown by `delta` pixels a side around its centre; negative shrinks it.
 * @param {Box} box @param {number} delta @param {Size} photo @returns {Box} */
export function resized(box, delta, photo) {
  const side = clampSide(box.width + delta, photo);
  const shift = (box.width - side) / 2;
  return inside(box.left + shift, box.top + shift, side, photo);
}

/** The box after its `corner` was dragged to a point; the opposite corner stays where it is.
 * @param {Box} box @param {Corner} corner @param {{x: number, y: number}} point @param {Size} photo
 * @returns {Box} */
export function cornerDragged(box, corner, point, photo) {
  const west = corner.endsWith("w");
  const north = corner.startsWith("n");
  const anchorX = west ? box.left + box.width : box.left;
  const anchorY = north ? box.top + box.height : box.top;
  const wanted = Math.max(
    west ? anchorX - point.x : point.x - anchorX,
    north ? anchorY - point.y : point.y - anchorY,
  );
  const room = Math.min(
    west ? anchorX : photo.width - anchorX,
    north ? anchorY : photo.height - anchorY,
  );
  const side = Math.min(clampSide(wanted, photo), room);
  return square(west ? anchorX - side : anchorX, north ? anchorY - side : anchorY, side);
}

/** As the API wants it: "left,top,width,height".
 * @param {Box} box @returns {string} */
export function toField(box) {
  return [box.left, box.top, box.width, box.height].join(",");
}

/** Whether a box, from wherever it came, is a square inside the photo.
 * @param {Box} box @param {Size} photo */
export function lies(box, photo) {
  const { left, top, width, height } = box;
  const inside = left + width <= photo.width && top + height <= photo.height;
  return inside && width === height && width >= Math.min(MIN_SIDE, photo.width, photo.height);
}

/** @param {number} side @param {Size} photo */
function clampSide(side, photo) {
  const most = Math.min(photo.width, photo.height);
  return Math.round(Math.min(most, Math.max(Math.min(MIN_SIDE, most), side)));
}

/** @param {number} left @param {number} top @param {number} side @param {Size} photo */
function inside(left, top, side, photo) {
  return square(
    Math.min(Math.max(0, Math.round(left)), photo.width - side),
    Math.min(Math.max(0, Math.round(top)), photo.height - side),
    side,
  );
}

/** @param {number} left @param {number} top @param {number} side @returns {Box} */
function square(left, top, side) {
  return { left, top, width: side, height: side };
}

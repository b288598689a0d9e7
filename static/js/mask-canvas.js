/** Masks as pixels: for the server white on black, for the eye a shade over what stays. */

import { cellsOf, foundIn, startsFull } from "./mask.js";

const FEATHERED_SIDE = 192; // pixels: drawn so small and enlarged, a mask has soft edges

/** @typedef {import("./mask.js").Mask} Mask */
/** @typedef {{width: number, height: number}} Size */

/** The mask as a file of the photo's size: white may change, black may not.
 * @param {Mask} mask @param {Size} photo @returns {Promise<Blob>} */
export function maskFile(mask, photo) {
  const canvas = blank(photo);
  const context = contextOf(canvas);
  context.fillStyle = "#000";
  context.fillRect(0, 0, photo.width, photo.height);
  context.imageSmoothingQuality = "high";
  const scale = Math.min(1, FEATHERED_SIDE / Math.min(photo.width, photo.height));
  context.drawImage(open(mask, photo, scale), 0, 0, photo.width, photo.height);
  return new Promise((resolve, reject) =>
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("the mask is too large")))),
  );
}

/** The object that a file shows in white, in a box of the photo; null where it shows none.
 * @param {Blob} file @param {import("./crop.js").Box} box */
export async function readObject(file, box) {
  const bitmap = await createImageBitmap(file);
  const canvas = blank(bitmap);
  const context = contextOf(canvas);
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
  return foundIn(
    data.filter((_, n) => n % 4 === 0),
    box,
  );
}

/** Shades on `canvas` what may not change. @param {HTMLCanvasElement} canvas
 * @param {Mask} mask @param {Size} photo @param {string} colour of the shade */
export function shadeMask(canvas, mask, photo, colour) {
  const scale = canvas.width / photo.width;
  const context = contextOf(canvas);
  context.globalCompositeOperation = "source-over";
  context.clearRect(0, 0, canvas.width, canvas.height);
  if (mask.length === 0) return;
  context.fillStyle = colour;
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.globalCompositeOperation = "destination-out";
  context.drawImage(open(mask, photo, scale), 0, 0);
}

/** What may change: white there, clear elsewhere.
 * @param {Mask} mask @param {Size} photo @param {number} scale of the canvas to the photo */
function open(mask, photo, scale) {
  const canvas = blank({ width: photo.width * scale, height: photo.height * scale });
  const context = contextOf(canvas);
  context.fillStyle = "#fff";
  context.strokeStyle = "#fff";
  context.lineCap = "round";
  context.lineJoin = "round";
  if (startsFull(mask)) context.fillRect(0, 0, canvas.width, canvas.height);
  for (const stroke of mask) {
    if (stroke === "invert") {
      context.globalCompositeOperation = "xor";
      context.fillRect(0, 0, canvas.width, canvas.height);
      continue;
    }
    if ("found" in stroke) {
      context.globalCompositeOperation = "source-over";
      const { left, top, width } = stroke.box;
      context.clearRect(0, 0, canvas.width, canvas.height);
      context.drawImage(drawn(stroke), left * scale, top * scale, width * scale, width * scale);
      continue;
    }
    context.globalCompositeOperation = stroke.erase ? "destination-out" : "source-over";
    context.lineWidth = stroke.size * scale;
    context.beginPath();
    const [x, y] = stroke.points;
    context.moveTo(x * scale, y * scale);
    context.lineTo(x * scale, y * scale); // a dab is a stroke too
    for (let n = 2; n < stroke.points.length; n += 2) {
      context.lineTo(stroke.points[n] * scale, stroke.points[n + 1] * scale);
    }
    context.stroke();
  }
  return canvas;
}

/** An object, a pixel a cell. @param {import("./mask.js").Found} object */
function drawn(object) {
  const { side } = object;
  const canvas = blank({ width: side, height: side });
  const image = new ImageData(side, side);
  cellsOf(object).forEach((level, n) => image.data.fill(level, 4 * n, 4 * n + 4));
  contextOf(canvas).putImageData(image, 0, 0);
  return canvas;
}

/** @param {Size} size */
function blank({ width, height }) {
  const size = { width: Math.round(width), height: Math.round(height) };
  return Object.assign(document.createElement("canvas"), size);
}

/** @param {HTMLCanvasElement} canvas */
function contextOf(canvas) {
  return /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
}

/**
 * What Wordbrush wrote into a picture that it made (worker/pictures.py): a text of its own in a
 * PNG, the comment in the EXIF of a JPEG or WebP. Pure; reads bytes, trusts none of them.
 *
 * @typedef {{task: string, model: string, caption: string, seed: number,
 *   crop: import("./crop.js").Box | null}} Parameters
 */

const PNG = [0x89, 0x50, 0x4e, 0x47];
const KEY = "wordbrush\0";
const COMMENT = "ASCII\0\0\0{";
const OBJECT = /^\{(?:"(?:[^"\\]|\\.)*"|[^"}])*\}/; // flat: it ends at a brace outside of quotes
const WITHIN_BYTES = 2 ** 16; // of either end of the file: where EXIF is
const MAX_CAPTION = 300;
const SEED_LIMIT = 2 ** 32;

/** @param {Uint8Array} bytes of a whole file @returns {Parameters | null} null: none of ours */
export function readParameters(bytes) {
  const text = PNG.every((byte, n) => bytes[n] === byte) ? inPng(bytes) : inExif(bytes);
  try {
    return text ? checked(JSON.parse(text)) : null;
  } catch {
    return null;
  }
}

/** @param {Uint8Array} bytes @returns {string | null} */
function inPng(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 8; at + 12 <= bytes.length; ) {
    const length = view.getUint32(at);
    const kind = latin(bytes.subarray(at + 4, at + 8));
    if (kind === "IDAT" || kind === "IEND") return null; // ours stands before the pixels
    const data = bytes.subarray(at + 8, at + 8 + length);
    if (kind === "tEXt" && latin(data.subarray(0, KEY.length)) === KEY) {
      return latin(data.subarray(KEY.length));
    }
    at += 12 + length;
  }
  return null;
}

/** @param {Uint8Array} bytes @returns {string | null} */
function inExif(bytes) {
  for (const part of [bytes.subarray(0, WITHIN_BYTES), bytes.subarray(-WITHIN_BYTES)]) {
    const text = latin(part);
    const start = text.indexOf(COMMENT);
    const found = start < 0 ? null : OBJECT.exec(text.slice(start + COMMENT.length - 1));
    if (found) return found[0];
  }
  return null;
}

/** What somebody says of a picture, where it can be so. @param {any} said
 * @returns {Parameters | null} */
export function checked({ task, model, caption, seed, crop }) {
  const number = Number(seed);
  const texts = [task, model, caption].every((text) => typeof text === "string");
  if (!texts || caption.length > MAX_CAPTION || !/^\d+$/.test(seed) || number >= SEED_LIMIT) {
    return null;
  }
  return { task, model, caption, seed: number, crop: box(crop) };
}

/** @param {unknown} text "left,top,width,height" */
function box(text) {
  const numbers = typeof text === "string" && /^\d+(,\d+){3}$/.test(text) ? text.split(",") : null;
  if (!numbers) return null;
  const [left, top, width, height] = numbers.map(Number);
  return { left, top, width, height };
}

/** @param {Uint8Array} bytes */
function latin(bytes) {
  return new TextDecoder("latin1").decode(bytes);
}

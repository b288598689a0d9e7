/**
 * The pictures themselves, by the tokens and addresses that the state knows them by.
 * Photos are drawn on canvases: so the page needs no `blob:` in its Content-Security-Policy.
 */

import { download } from "./api.js";
import { RequestFailed, undecodable } from "./problems.js";
import { t } from "./texts.js";

const MAX_SHOWN_SIDE = 2400; // pixels; larger photos are shown smaller, and edited whole
const MAX_KEPT_RESULTS = 8; // decoded results; the browser's cache has the others
const THUMB_SIDE = 160; // pixels

/** @typedef {{canvas: HTMLCanvasElement, width: number, height: number}} Shown */

export function createPictures() {
  /** @type {Map<string, Shown>} */
  const photos = new Map();
  /** @type {Map<string, HTMLImageElement | HTMLCanvasElement>} */
  const results = new Map();
  /** @type {Map<string, Blob>} what the browser keeps of results, by their addresses */
  const kept = new Map();
  /** @type {Map<string, HTMLCanvasElement>} */
  const thumbs = new Map();

  return {
    /** Reads a file; its size is that of the upright photo.
     * @param {string} token @param {Blob} file @returns {Promise<Shown>}
     * @throws {RequestFailed} the browser cannot decode it */
    async open(token, file) {
      const bitmap = await createImageBitmap(file).catch(() => {
        throw new RequestFailed(undecodable());
      });
      const { width, height } = bitmap;
      const scale = Math.min(1, MAX_SHOWN_SIDE / Math.max(width, height));
      const shown = { canvas: drawn(bitmap, width * scale, height * scale), width, height };
      bitmap.close();
      photos.set(token, shown);
      return shown;
    },

    /** @param {string} token */
    photo(token) {
      return photos.get(token) ?? null;
    },

    /** The middle of a photo that has been read.
     * @param {string} token @param {number} side in pixels */
    photoThumb(token, side) {
      const { canvas } = /** @type {Shown} */ (photos.get(token));
      const whole = Math.min(canvas.width, canvas.height);
      const [left, top] = [canvas.width - whole, canvas.height - whole].map((rest) => rest / 2);
      return drawn(canvas, side, side, [left, top, whole]);
    },

    /** The result at `url`, decoded, so that showing it does not flicker; the server's picture,
     * or, when it is no longer there, the one that the browser keeps.
     * @param {string} url @returns {Promise<HTMLImageElement | HTMLCanvasElement>} */
    async result(url) {
      const picture = results.get(url) ?? (await loaded(url).catch(() => copied(url)));
      results.delete(url);
      results.set(url, picture);
      if (results.size > MAX_KEPT_RESULTS) results.delete([...results.keys()][0]);
      return picture;
    },

    /** @param {string} url @param {Blob} blob */
    keep(url, blob) {
      kept.set(url, blob);
    },

    /** The file of a result. @param {string} url @returns {Promise<Blob>} */
    async file(url) {
      return kept.get(url) ?? download(url);
    },

    /** @param {string} key of a result @param {Blob} blob */
    async keepThumb(key, blob) {
      const bitmap = await createImageBitmap(blob).catch(() => null);
      if (bitmap) thumbs.set(key, drawn(bitmap, bitmap.width, bitmap.height));
    },

    /** A small picture of the edited part, for the filmstrip; kept.
     * @param {import("./state.js").Result} result */
    thumb(result) {
      const image = results.get(result.image);
      const thumb = thumbs.get(result.key) ?? (image ? partOf(image, result, THUMB_SIDE) : null);
      if (thumb) thumbs.set(result.key, thumb);
      return thumb;
    },

    /** The edited part of a result, which is all of it where words alone made it.
     * @param {import("./state.js").Result} result @param {number} side in pixels */
    async part(result, side) {
      return partOf(await this.result(result.image), result, side);
    },
  };

  /** @param {HTMLImageElement | HTMLCanvasElement} image
   * @param {import("./state.js").Result} result @param {number} side in pixels */
  function partOf(image, { ask: { photo: token, crop }, width }, side) {
    if (!token || !crop) return drawn(image, side, side);
    const scale = widthOf(image) / (photos.get(token)?.width ?? width);
    const part = [crop.left, crop.top, crop.width].map((x) => x * scale);
    return drawn(image, side, side, part);
  }

  /** @param {string} url */
  async function copied(url) {
    const blob = kept.get(url);
    const bitmap = blob && (await createImageBitmap(blob).catch(() => null));
    if (!bitmap) throw new RequestFailed({ ...undecodable(), advice: t("problem.gone.advice") });
    const scale = Math.min(1, MAX_SHOWN_SIDE / Math.max(bitmap.width, bitmap.height));
    return drawn(bitmap, bitmap.width * scale, bitmap.height * scale);
  }
}

/** @typedef {ReturnType<typeof createPictures>} Pictures */

/** @param {string} url @returns {Promise<HTMLImageElement>} */
async function loaded(url) {
  const image = new Image();
  image.src = url;
  await image.decode();
  return image;
}

/** @param {HTMLImageElement | HTMLCanvasElement} picture */
function widthOf(picture) {
  return picture instanceof HTMLImageElement ? picture.naturalWidth : picture.width;
}

/** @param {CanvasImageSource} source @param {number} width @param {number} height
 * @param {number[]} [part] left, top and side of a square in the source */
function drawn(source, width, height, part) {
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(width);
  canvas.height = Math.round(height);
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.imageSmoothingQuality = "high";
  if (part) {
    const [left, top, side] = part;
    context.drawImage(source, left, top, side, side, 0, 0, canvas.width, canvas.height);
  } else {
    context.drawImage(source, 0, 0, canvas.width, canvas.height);
  }
  return canvas;
}

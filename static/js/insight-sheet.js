/** The words that counted most, each with its place, as one picture: a row for each stage. */

import { stagesOf, strongest } from "./attention.js";
import { downloadName } from "./captions.js";
import { el } from "./dom.js";
import { shadeOf } from "./heat-layer.js";

export const TOP = 5; // as in figure 4 of AttnGAN's paper
const SIDE = 256; // pixels of a picture
const GAP = 12;
const LINE = 30;
const INK = "#1f1c18";
const PAPER = "#ffffff";
const FONT = "18px system-ui, sans-serif";

/** @typedef {import("./state.js").Result} Result */
/** @typedef {import("./pictures.js").Pictures} Pictures */
/** @typedef {import("./heat.js").Heat} Heat */

/** A result's edited part with light where a heatmap is white.
 * @param {HTMLCanvasElement} canvas square, of any size @param {Result} result
 * @param {string} url of the heatmap @param {Pictures} pictures @param {Heat} heat */
export async function drawLit(canvas, result, url, pictures, heat) {
  const { width } = canvas;
  const [part, map] = await Promise.all([pictures.part(result, width), heat.map(url)]);
  const context = canvas.getContext("2d");
  context?.drawImage(part, 0, 0);
  context?.drawImage(shadeOf(map), 0, 0, width, width);
}

/** @param {Result} result @param {Pictures} pictures @param {Heat} heat */
export async function saveSheet(result, pictures, heat) {
  const blob = await sheet(result, pictures, heat);
  const href = URL.createObjectURL(blob);
  const download = downloadName("words", result.ask.caption, "image/png");
  el("a", { href, download }).click();
  setTimeout(() => URL.revokeObjectURL(href), 60_000); // when it has surely been read
}

/** @param {Result} result @param {Pictures} pictures @param {Heat} heat @returns {Promise<Blob>} */
async function sheet(result, pictures, heat) {
  const rows = stagesOf(result.heatmaps).map((stage) => strongest(result.heatmaps, stage, TOP));
  const columns = Math.max(...rows.map((row) => row.length)) + 1;
  const height = LINE + GAP + rows.length * (SIDE + LINE + GAP);
  const canvas = blank(GAP + columns * (SIDE + GAP), height);
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.fillStyle = PAPER;
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.fillStyle = INK;
  context.font = FONT;
  context.fillText(result.ask.caption, GAP, LINE, canvas.width - 2 * GAP);
  for (const [index, row] of rows.entries()) {
    const y = LINE + GAP + index * (SIDE + LINE + GAP);
    context.drawImage(await pictures.part(result, SIDE), GAP, y);
    for (const [n, { word, image }] of row.entries()) {
      const x = GAP + (n + 1) * (SIDE + GAP);
      const figure = blank(SIDE, SIDE);
      await drawLit(figure, result, image, pictures, heat);
      context.drawImage(figure, x, y);
      context.fillText(result.words[word], x, y + SIDE + LINE * 0.75, SIDE);
    }
  }
  return new Promise((resolve, reject) =>
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("no picture came of it")))),
  );
}

/** @param {number} width @param {number} height */
function blank(width, height) {
  return Object.assign(document.createElement("canvas"), { width, height });
}

/** A sheet as one picture: every cell with the names of its row and its column. */

import { el } from "./dom.js";

const SIDE = 256; // pixels of a cell
const GAP = 12;
const LINE = 22;
const NAME = 220; // of the column of names
const A_ROW = 4; // cells of a sheet that has no rows of its own
const THUMB = 96; // of a photo at the head of its column
const INK = "#1f1c18";
const FAINT = "#ece7df";
const PAPER = "#ffffff";
const FONT = "16px system-ui, sans-serif";
const TITLE = "600 20px system-ui, sans-serif";

/** @typedef {import("./sheet.js").Sheet} Sheet */
/** @typedef {import("./pictures.js").Pictures} Pictures */

/** @param {Sheet} sheet @param {Pictures} pictures */
export async function saveSheetPicture(sheet, pictures) {
  const href = URL.createObjectURL(await sheetPicture(sheet, pictures));
  el("a", { href, download: "sheet.png" }).click();
  setTimeout(() => URL.revokeObjectURL(href), 60_000); // when it has surely been read
}

/** A text in lines no wider than `width`, where its words allow it.
 * @param {string} text @param {number} width @param {(line: string) => number} measure
 * @returns {string[]} */
export function wrapped(text, width, measure) {
  /** @type {string[]} */
  const lines = [];
  for (const word of text.split(" ")) {
    const longer = lines.length ? `${lines.at(-1)} ${word}` : word;
    if (lines.length && measure(longer) <= width) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}

/** @param {Sheet} sheet @param {Pictures} pictures @returns {Promise<Blob>} */
async function sheetPicture(sheet, pictures) {
  const { title, columns, rows, cells, photos } = sheet;
  const isTable = rows.length > 0;
  const across = isTable ? columns.length : Math.min(A_ROW, columns.length);
  const left = GAP + (isTable ? NAME + GAP : 0);
  const head = GAP + LINE * 2 + (isTable ? LINE * 2 + (photos ? THUMB + GAP : 0) : 0);
  const down = SIDE + GAP + (isTable ? 0 : LINE * 2);
  const canvas = document.createElement("canvas");
  canvas.width = left + across * (SIDE + GAP);
  canvas.height = head + GAP + Math.ceil(cells.length / across) * down;
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.fillStyle = PAPER;
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.fillStyle = INK;
  context.font = TITLE;
  context.fillText(title, GAP, GAP + LINE, canvas.width - 2 * GAP);
  context.font = FONT;

  /** @param {string} text @param {number} x @param {number} y @param {number} width
   * @param {number} most lines */
  function write(text, x, y, width, most) {
    const lines = wrapped(text, width, (line) => context.measureText(line).width);
    lines.slice(0, most).forEach((line, n) => context.fillText(line, x, y + n * LINE, width));
  }

  if (isTable) {
    columns.forEach((name, n) => {
      const x = left + n * (SIDE + GAP);
      const thumb = photos && pictures.photoThumb(photos[n], THUMB);
      if (thumb) context.drawImage(thumb, x, head - 2 * LINE - THUMB - GAP / 2);
      write(name, x, head - LINE, SIDE, 2);
    });
    rows.forEach((name, n) => write(name, GAP, head + GAP + n * down + LINE, NAME, SIDE / LINE));
  }
  for (const [index, { result, problem }] of cells.entries()) {
    const x = left + (index % across) * (SIDE + GAP);
    const y = head + GAP + Math.floor(index / across) * down;
    context.fillStyle = FAINT;
    context.fillRect(x, y, SIDE, SIDE);
    context.fillStyle = INK;
    if (result) context.drawImage(await pictures.part(result, SIDE), x, y);
    else if (problem) write(problem, x + GAP, y + LINE + GAP, SIDE - 2 * GAP, 9);
    if (!isTable) write(columns[index], x, y + SIDE + LINE, SIDE, 1);
  }
  return new Promise((resolve, reject) =>
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("no picture came of it")))),
  );
}

/**
 * A sheet of pictures beside each other, to compare: seeds, models, captions. Pure functions.
 *
 * @typedef {import("./state.js").Ask} Ask
 * @typedef {import("./state.js").Result} Result
 * @typedef {{ask: Ask, result: Result | null, problem: string | null}} Cell
 * @typedef {{title: string, columns: string[], rows: string[], cells: Cell[],
 *   photos?: string[]}} Sheet  cells row by row; a sheet without names for its rows has one;
 *   photos: tokens, where each column is of one
 */

import { largestSquare } from "./crop.js";
import { domainText, t } from "./texts.js";

const SEED_LIMIT = 2 ** 32;

/** The same words with `count` seeds, from the one that is asked for upwards.
 * @param {Ask} ask @param {number} count @returns {Sheet} */
export function ofSeeds(ask, count) {
  const first = Math.min(ask.seed, SEED_LIMIT - count);
  const asks = Array.from({ length: count }, (_, n) => ({ ...ask, seed: first + n }));
  const columns = asks.map(({ seed }) => t("sheet.seed", { seed }));
  const title = t("sheet.variations", { caption: ask.caption });
  return { title, columns, rows: [], cells: asks.map(empty) };
}

/** The same words and seed with each model.
 * @param {Ask} ask @param {import("./state.js").Model[]} models @returns {Sheet} */
export function ofModels(ask, models) {
  const asks = models.map(({ id }) => ({ ...ask, model: id }));
  const columns = models.map(nameOf);
  const title = t("sheet.by-models", { caption: ask.caption });
  return { title, columns, rows: [], cells: asks.map(empty) };
}

/** Captions by models. @param {Ask} ask @param {string[]} captions
 * @param {import("./state.js").Model[]} models @returns {Sheet} */
export function ofCaptions(ask, captions, models) {
  const asks = captions.flatMap((caption) =>
    models.map(({ id }) => ({ ...ask, caption, model: id })),
  );
  const cells = asks.map(empty);
  return { title: t("explore.captions"), columns: models.map(nameOf), rows: captions, cells };
}

/** Captions by photos: of the photo that is edited its area and mask, of others the largest square.
 * @param {Ask} ask @param {string[]} captions @param {import("./state.js").Photo[]} photos
 * @returns {Sheet} */
export function ofPhotos({ model, seed, ...current }, captions, photos) {
  const cells = captions.flatMap((caption) =>
    photos.map((photo) => {
      const isCurrent = photo.token === current.photo;
      const place = isCurrent ? current : { photo: photo.token, crop: largestSquare(photo) };
      return empty({ ...place, model, seed, caption });
    }),
  );
  const columns = photos.map(({ name }) => name);
  const tokens = photos.map(({ token }) => token);
  return { title: t("explore.photos"), columns, rows: captions, cells, photos: tokens };
}

/** What is still to be made, in as few requests as possible: the places of cells that differ by
 * nothing but the next seed. @param {Sheet} sheet @returns {number[][]} */
export function batches({ cells }) {
  /** @type {number[][]} */
  const found = [];
  cells.forEach(({ ask, result }, place) => {
    const last = found.at(-1);
    const before = last ? cells[/** @type {number} */ (last.at(-1))].ask : null;
    if (result) return;
    if (last && before && follows(before, ask) && last.at(-1) === place - 1) last.push(place);
    else found.push([place]);
  });
  return found;
}

/** @param {Sheet} sheet @param {number[]} places @param {Result[]} results @returns {Sheet} */
export function filled(sheet, places, results) {
  return changed(sheet, places, (cell, n) => ({ ...cell, result: results[n] ?? null }));
}

/** @param {Sheet} sheet @param {number[]} places @param {string} problem @returns {Sheet} */
export function spoiled(sheet, places, problem) {
  return changed(sheet, places, (cell) => ({ ...cell, problem }));
}

/** @param {Sheet} sheet @returns {string} */
export function progressOf({ cells }) {
  const done = cells.filter(({ result, problem }) => result ?? problem).length;
  return t("sheet.painting", { number: Math.min(done + 1, cells.length), all: cells.length });
}

/** The captions that somebody wrote, one a line, each once.
 * @param {string} text @param {number} most @returns {string[]} */
export function captionsIn(text, most) {
  const lines = text.split("\n").map((line) => line.trim());
  return [...new Set(lines.filter((line) => line !== ""))].slice(0, most);
}

/** @param {Sheet} sheet @param {number[]} places @param {(cell: Cell, n: number) => Cell} change */
function changed(sheet, places, change) {
  const cells = sheet.cells.map((cell, index) => {
    const n = places.indexOf(index);
    return n < 0 ? cell : change(cell, n);
  });
  return { ...sheet, cells };
}

/** @param {Ask} before @param {Ask} ask */
function follows(before, ask) {
  const { model, caption, photo } = before;
  const isSame = ask.model === model && ask.caption === caption && ask.photo === photo;
  return isSame && ask.seed === before.seed + 1;
}

/** @param {Ask} ask @returns {Cell} */
function empty(ask) {
  return { ask, result: null, problem: null };
}

/** @param {import("./state.js").Model} model */
export function nameOf({ title, domain, image_size }) {
  return t("model.name", { title, size: image_size, domain: domainText(domain) });
}

/**
 * What was made: shown, gone back to, kept, deleted. Pure functions of the page's state.
 *
 * @typedef {import("./state.js").State} State
 * @typedef {import("./state.js").Result} Result
 */

import { largestSquare, lies } from "./crop.js";
import * as running from "./running.js";
import * as is from "./state.js";
import { t } from "./texts.js";
import * as trail from "./trail.js";

const MAX_RESULTS = 200; // favourites not counted

/** The result of an earlier, equal edit.
 * @param {State} state @param {import("./state.js").Ask} ask */
export function madeBefore(state, ask) {
  return find(state, is.keyOf(ask));
}

/** A preview of what is asked for that is all there is to it, as drawings are.
 * @param {State} state @param {import("./state.js").Ask} ask @returns {Result | null} */
export function whole({ shown }, ask) {
  if (ask.photo !== null || shown?.key !== is.keyOf(ask)) return null;
  return { ...shown, full: true };
}

/** The answer to an edit; to any but the latest it is dropped.
 * @param {State} state @param {number} ticket @param {Result} result @returns {State} */
export function finished(state, ticket, result) {
  return ticket === state.edit.ticket ? shownResult(running.idle(state), result) : state;
}

/** A result to look at; at full resolution it joins the results and the trail.
 * @param {State} state @param {Result} result @returns {State} */
export function shownResult(state, result) {
  const isNew = result.full && !find(state, result.key);
  const stop = { photo: result.ask.photo, key: result.key };
  return {
    ...state,
    shown: result,
    view: viewOf(state, result),
    problem: null,
    results: isNew ? pruned([...state.results, result]) : state.results,
    trail: result.full ? trail.stepped(state.trail, stop) : state.trail,
  };
}

/** @param {State} state @param {Result} result @returns {import("./state.js").View} */
function viewOf({ placing, live, view }, { ask }) {
  if (ask.photo === null) return "whole";
  const kept = (placing && live) || !["crop", "sheet", "way"].includes(view);
  return kept ? view : "compare";
}

/** Back to an earlier result: its picture, and the words, seed, model and crop that made it.
 * @param {State} state @param {string} key @returns {State} */
export function restored(state, key) {
  const result = find(state, key);
  return result ? lookedAt(state, result) : state;
}

/** A result, or a preview, with the words, seed, model and crop that made it.
 * @param {State} state @param {Result} result @returns {State} */
export function lookedAt(state, result) {
  const { photo, model, caption, seed, crop, mask = [] } = result.ask;
  const there = { photo, drawing: photo === null, caption, seed, crop, mask, placing: false };
  const isOnSheet = state.sheet?.cells.some(({ ask }) => ask.photo === photo) ?? false;
  const sheet = photo === state.photo || isOnSheet ? state.sheet : null;
  const many = { sheet, way: photo === state.photo ? state.way : null };
  return shownResult({ ...running.idle(is.withModel(state, model)), ...there, ...many }, result);
}

/** What was left last: a photo with the latest of its results, or a drawing.
 * @param {State} state @returns {State} */
export function returned(state) {
  const photo = is.lastPhoto(state);
  const latest = lastDrawing(state) ?? latestOf(state, photo);
  if (latest) return restored(state, latest.key);
  return photo ? is.withPhoto(state, photo) : state;
}

/** Captions that pictures were made with, the latest first, without the one that stands there.
 * @param {State} state @param {number} most @returns {string[]} */
export function earlierCaptions({ results, caption }, most) {
  const all = results.map((result) => result.ask.caption).reverse();
  return [...new Set(all)].filter((one) => one !== caption.trim()).slice(0, most);
}

/** What to call what was left last. @param {State} state @returns {string | null} */
export function lastName(state) {
  const drawing = lastDrawing(state);
  return drawing ? `“${drawing.ask.caption}”` : (is.lastPhoto(state)?.name ?? null);
}

/** One step back or forward on the trail; the same state at its ends.
 * @param {State} state @param {-1 | 1} by @returns {State} */
export function travelled(state, by) {
  const next = trail.moved(state.trail, by);
  const stop = next && trail.current(next);
  if (!stop) return state;
  const there = stop.key ? restored(state, stop.key) : bare(state, stop.photo);
  return { ...there, trail: next };
}

/** @param {State} state @param {string} key @returns {State} */
export function favoured(state, key) {
  const results = state.results.map((result) =>
    result.key === key ? { ...result, favourite: !result.favourite } : result,
  );
  const shown = results.find((result) => result.key === state.shown?.key) ?? state.shown;
  return { ...state, results, shown };
}

/** @param {State} state @param {boolean} favouritesOnly @returns {State} */
export function withFavouritesOnly(state, favouritesOnly) {
  return { ...state, favouritesOnly };
}

/** Those that the filmstrip shows, newest first. @param {State} state @returns {Result[]} */
export function onFilm({ results, favouritesOnly }) {
  return results.filter((result) => result.favourite || !favouritesOnly).reverse();
}

/** Deletes a result, which can be had back while the page says so.
 * @param {State} state @param {string} key @returns {State} */
export function withoutResult(state, key) {
  const result = find(state, key);
  if (!result) return state;
  const results = state.results.filter((other) => other !== result);
  const left = { ...state, results, trail: trail.without(state.trail, key) };
  const isShown = state.shown?.key === key;
  return {
    ...(isShown ? bare(left, state.photo) : left),
    toast: { text: t("film.deleted", { caption: result.ask.caption }), deleted: result },
  };
}

/** A deleted result in its place again. @param {State} state @param {Result} result */
export function withResult(state, result) {
  const results = [...state.results, result].sort((a, b) => a.made - b.made);
  return { ...restored({ ...state, results }, result.key), toast: null };
}

/** What the browser kept from before.
 * @param {State} state @param {import("./state.js").Photo[]} photos @param {Result[]} results
 * @returns {State} */
export function recalled(state, photos, results) {
  const known = Object.fromEntries(photos.map((photo) => [photo.token, photo]));
  const all = { ...known, ...state.photos };
  return { ...state, photos: all, results: [...results, ...state.results] };
}

/** The result that a file came from, by what is written in the file.
 * @param {State} state @param {import("./parameters.js").Parameters} written */
export function madeWith(state, { model, caption, seed, crop }) {
  const sameWords = state.results.filter(
    ({ ask }) => ask.model === model && ask.caption === caption && ask.seed === seed,
  );
  return sameWords.findLast(({ ask }) => isSameBox(ask.crop, crop)) ?? null;
}

/** Back to the result whose file was opened. @param {State} state @param {string} key */
export function resumed(state, key) {
  const text = t("film.resumed");
  return { ...restored(state, key), opening: false, toast: { text, deleted: null } };
}

/** The words, model and seed of a picture that was drawn from words alone, to draw it again.
 * @param {State} state @param {import("./parameters.js").Parameters} written @returns {State} */
export function redrawn(state, { model, caption, seed }) {
  const drawing = is.withDrawing(state);
  const known = is.fittingModels(drawing).some((one) => one.id === model);
  const text = t("film.redrawn");
  const same = known ? is.withModel(drawing, model) : drawing;
  return { ...same, caption, seed, toast: { text, deleted: null } };
}

/** The words, model, seed and area that are written in a file that has become the photo.
 * @param {State} state @param {import("./parameters.js").Parameters | null} written
 * @returns {State} */
export function withParameters(state, written) {
  if (!written) return state;
  const { crop } = written;
  const photo = state.photo ? state.photos[state.photo] : null;
  const fits = crop && photo && lies(crop, photo) ? crop : state.crop;
  const text = t("film.restored");
  return {
    ...withWords(state, written),
    crop: fits,
    toast: { text, deleted: null },
  };
}

/** The words, model and seed of a link, for whatever photo comes.
 * @param {State} state @param {import("./parameters.js").Parameters} shared @returns {State} */
export function withWords(state, { model, caption, seed }) {
  const known = is.fittingModels(state).some((one) => one.id === model);
  return { ...(known ? is.withModel(state, model) : state), caption, seed };
}

/** @param {import("./crop.js").Box | null} a @param {import("./crop.js").Box | null} b */
function isSameBox(a, b) {
  return a?.left === b?.left && a?.top === b?.top && a?.width === b?.width;
}

/** The latest result, if words alone made it. @param {State} state */
function lastDrawing({ results }) {
  const latest = results.at(-1);
  return latest?.ask.photo === null ? latest : null;
}

/** @param {State} state @param {import("./state.js").Photo | null} photo */
function latestOf({ results }, photo) {
  return results.findLast((result) => result.ask.photo === photo?.token) ?? null;
}

/** A photo as it came. @param {State} state @param {string | null} token @returns {State} */
function bare(state, token) {
  const photo = token ? state.photos[token] : null;
  if (!photo) return { ...is.withDrawing(state), trail: state.trail };
  const there = { photo: token, drawing: false, shown: null, problem: null };
  const anew = { crop: largestSquare(photo), mask: [], sheet: null, way: null };
  const other = token === state.photo ? {} : anew;
  return is.withFittingModel({ ...running.idle(state), ...there, ...other, view: "crop" });
}

/** @param {Result[]} results without the oldest, where there are too many */
function pruned(results) {
  const over = results.filter((result) => !result.favourite).length - MAX_RESULTS;
  const oldest = over > 0 ? results.findIndex((result) => !result.favourite) : -1;
  return results.filter((_, index) => index !== oldest);
}

/** @param {State} state @param {string} key */
function find(state, key) {
  return state.results.find((result) => result.key === key) ?? null;
}

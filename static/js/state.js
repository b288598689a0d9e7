/**
 * All that the page knows, and every change to it, as pure functions of plain data.
 * Pictures themselves stay outside (pictures.js); here they are tokens and addresses.
 *
 * @typedef {import("./crop.js").Box} Box
 * @typedef {import("./problems.js").Problem} Problem
 *
 * @typedef {{id: string, title: string, domain: string, image_size: number,
 *   examples: string[], tasks: string[]}} Model
 * @typedef {{name: string, url: string, title: string, author: string, licence: string,
 *   domain: string}} Sample
 * @typedef {{token: string, name: string, width: number, height: number, sample?: string}} Photo
 *   width and height in pixels, upright; sample: its name, where it is one
 * @typedef {{word: string, nearest: string[]}} UnknownWord
 * @typedef {{photo: string | null, model: string, caption: string, seed: number,
 *   crop: Box | null, mask?: import("./mask.js").Mask}} Ask
 *   one picture as the person means it; `photo` is a token, null where words alone make it
 * @typedef {"crop" | "compare" | "side" | "whole" | "sheet" | "way"} View
 *   area, divided, side by side, after alone, many to compare, from one picture to another
 * @typedef {{key: string, ask: Ask, full: boolean, image: string, mediaType: string,
 *   width: number, height: number, seconds: number, made: number, favourite: boolean,
 *   words: string[], stages: string[], heatmaps: import("./attention.js").Heatmap[],
 *   scores: {word: number, score: number}[]}} Result
 *   made: when, in milliseconds since 1970
 * @typedef {{phase: "idle" | "sending" | "queued" | "working", ticket: number,
 *   position: number, many: boolean, preview: boolean}} Edit  position: jobs before this one;
 *   many: a sheet; preview: of a picture that is about to change again
 * @typedef {"unknown" | "ready" | "warming" | "offline"} Server
 * @typedef {{text: string, deleted: Result | null}} Toast  `deleted` can be had back
 *
 * @typedef {Object} State
 * @property {Model[]} models
 * @property {Sample[]} samples
 * @property {boolean} loaded  models and samples have been asked for
 * @property {string | null} model
 * @property {Record<string, Photo>} photos  by token
 * @property {string | null} photo  token of the one being edited
 * @property {boolean} drawing  from words alone; then there is no photo
 * @property {boolean} opening  a photo is being read
 * @property {Box | null} crop
 * @property {import("./mask.js").Mask} mask  what of the crop may change
 * @property {{on: boolean, erase: boolean, size: number}} brush  size: of the shorter side
 * @property {boolean} finding  the object in the area is being looked for
 * @property {string} caption
 * @property {number} seed
 * @property {boolean} live
 * @property {UnknownWord[]} unknownWords
 * @property {string | null} otherModel  of another domain, that the caption speaks to
 * @property {string[]} vocabulary  of the words to choose from (attributes.js), those that the
 *   model knows
 * @property {Edit} edit
 * @property {Result | null} shown
 * @property {Result[]} results  at full resolution, oldest first; results.js changes them
 * @property {boolean} favouritesOnly  in the filmstrip
 * @property {import("./trail.js").Trail} trail
 * @property {View} view
 * @property {import("./sheet.js").Sheet | null} sheet  pictures to compare
 * @property {import("./between.js").Way | null} way  from one picture to another
 * @property {boolean} placing  the crop was the last to change: results leave it in view
 * @property {Problem | null} problem
 * @property {Toast | null} toast
 * @property {Server} server
 */

import { largestSquare } from "./crop.js";
import { IDLE, idle } from "./running.js";
import * as trail from "./trail.js";

const TASKS = ["manipulate", "generate"];
export const SEED_LIMIT = 2 ** 32;

/** @type {Readonly<State>} */
export const INITIAL = {
  models: [],
  samples: [],
  loaded: false,
  model: null,
  photos: {},
  photo: null,
  drawing: false,
  opening: false,
  crop: null,
  mask: [],
  brush: { on: false, erase: false, size: 0.12 },
  finding: false,
  caption: "",
  seed: 0,
  live: false,
  unknownWords: [],
  otherModel: null,
  vocabulary: [],
  edit: IDLE,
  shown: null,
  results: [],
  favouritesOnly: false,
  trail: trail.EMPTY,
  view: "crop",
  sheet: null,
  way: null,
  placing: false,
  problem: null,
  toast: null,
  server: "unknown",
};

/** @param {State} state @param {Model[]} offered @param {Sample[]} samples @returns {State} */
export function withCatalogue(state, offered, samples) {
  const models = offered.filter((model) => TASKS.some((task) => model.tasks.includes(task)));
  return withFittingModel({ ...state, models, samples, loaded: true });
}

/** The models for what is being done: editing a photo, or drawing from words alone.
 * @param {State} state @returns {Model[]} */
export function fittingModels({ models, drawing }) {
  return models.filter((model) => model.tasks.includes(drawing ? "generate" : "manipulate"));
}

/** @param {State} state @returns {boolean} whether words alone can make a picture here */
export function canDraw({ models }) {
  return models.some((model) => model.tasks.includes("generate"));
}

/** @param {State} state @returns {boolean} whether there is a photo, or a picture to draw */
export function isOpen({ photo, drawing }) {
  return photo !== null || drawing;
}

/** @param {State} state @returns {State} */
export function opening(state) {
  return { ...state, opening: true, problem: null };
}

/** A photo to edit, from here on; what was shown of the one before stays in the results.
 * @param {State} state @param {Photo} photo @returns {State} */
export function withPhoto(state, photo) {
  return withFittingModel({
    ...idle(state),
    photos: { ...state.photos, [photo.token]: photo },
    photo: photo.token,
    drawing: false,
    opening: false,
    crop: largestSquare(photo),
    mask: [],
    sheet: null,
    way: null,
    shown: null,
    trail: trail.stepped(state.trail, { photo: photo.token, key: null }),
    view: "crop",
    problem: null,
  });
}

/** A photo that is there beside the one that is edited; it is not the one that was left last.
 * @param {State} state @param {Photo} photo @returns {State} */
export function withKnownPhoto(state, photo) {
  return { ...state, photos: { [photo.token]: photo, ...state.photos } };
}

/** A picture to draw from words alone, from here on.
 * @param {State} state @returns {State} */
export function withDrawing(state) {
  return withFittingModel({
    ...withoutPhoto(state),
    drawing: true,
    trail: trail.stepped(state.trail, { photo: null, key: null }),
    view: "whole",
  });
}

/** @param {State} state @returns {Photo | null} */
export function lastPhoto(state) {
  return Object.values(state.photos).at(-1) ?? null;
}

/** Back to the choice of a photo. @param {State} state @returns {State} */
export function withoutPhoto(state) {
  const left = { ...idle(state), photo: null, drawing: false, opening: false, sheet: null };
  return { ...left, way: null, crop: null, mask: [], shown: null, problem: null };
}

/** @param {State} state @param {string | null} model @returns {State} */
export function withModel(state, model) {
  if (model === state.model) return state;
  return { ...state, model, unknownWords: [], otherModel: null, vocabulary: [] };
}

/** @param {State} state @param {number} seed @returns {State} */
export function withSeed(state, seed) {
  const whole = Math.trunc(seed);
  return whole >= 0 && whole < SEED_LIMIT ? { ...state, seed: whole } : state;
}

/** @param {State} state @param {Box} crop @returns {State} */
export function withCrop(state, crop) {
  return { ...state, crop, placing: true };
}

/** @param {State} state @param {import("./mask.js").Mask} mask @returns {State} */
export function withMask(state, mask) {
  return mask === state.mask ? state : { ...state, mask, placing: true };
}

/** @param {State} state @param {Partial<State["brush"]>} part @returns {State} */
export function withBrush(state, part) {
  return { ...state, brush: { ...state.brush, ...part } };
}

/** @param {State} state @param {boolean} finding @returns {State} */
export function withFinding(state, finding) {
  return state.finding === finding ? state : { ...state, finding };
}

/** Whether the area of a photo is in view. @param {State} state @returns {boolean} */
export function isEditing({ view, photo }) {
  return view === "crop" && photo !== null;
}

/** @param {State} state @param {boolean} live @returns {State} */
export function withLive(state, live) {
  return { ...state, live };
}

/** @param {State} state @param {Server} server @returns {State} */
export function withServer(state, server) {
  return state.server === server ? state : { ...state, server };
}

/** @param {State} state @param {Problem | null} problem @returns {State} */
export function withProblem(state, problem) {
  return { ...state, problem, opening: false };
}

/** Something to say in passing.
 * @param {State} state @param {Toast | null} toast @returns {State} */
export function withToast(state, toast) {
  return { ...state, toast };
}

/** @param {State} state @param {View} view @returns {State} */
export function withView(state, view) {
  if (view === "sheet" || view === "way") return state[view] ? { ...state, view } : state;
  if (state.drawing) return { ...state, view: "whole" };
  return { ...state, view: state.shown ? view : "crop" };
}

/** What Go would ask for now; null while a part is missing.
 * @param {State} state @returns {Ask | null} */
export function asked(state) {
  if (missing(state) !== null) return null;
  const { photo, model, caption, seed, crop, mask } = state;
  const ask = { photo, model: model ?? "", caption: caption.trim(), seed, crop };
  return mask.length > 0 ? { ...ask, mask } : ask;
}

/** @param {State} state @returns {"photo" | "caption" | "model" | null} */
export function missing(state) {
  if (!isOpen(state)) return "photo";
  if (!state.model) return "model";
  return state.caption.trim() === "" ? "caption" : null;
}

/** Equal for edits that give the same picture. @param {Ask | null} ask @returns {string} */
export function keyOf(ask) {
  if (!ask) return "";
  const { left, top, width } = ask.crop ?? {};
  const mask = ask.mask ? [ask.mask] : [];
  return JSON.stringify([ask.photo, ask.model, ask.caption, ask.seed, left, top, width, ...mask]);
}

/** @param {State} state @param {import("./between.js").Way | null} way @returns {State} */
export function withWay(state, way) {
  return { ...state, way };
}

/** With another model, if the one that was chosen can't do what is being done.
 * @param {State} state @returns {State} */
export function withFittingModel(state) {
  const models = fittingModels(state);
  const fits = models.some((model) => model.id === state.model);
  return fits ? state : withModel(state, models[0]?.id ?? null);
}

/**
 * The way from one picture to another: pictures made at places between two captions, two photos, or
 * both. Pure functions.
 *
 * @typedef {{caption: string | null, photo: string | null}} End  null: the same as at the start
 * @typedef {{result: import("./state.js").Result, position: number}} Step  from 0 to 1
 * @typedef {{from: string, to: string, steps: Step[], animation: string | null, at: number}} Way
 *   from, to: names of the ends; at: the step that is shown
 */

import { t } from "./texts.js";

/** A way of which nothing is there yet.
 * @param {import("./state.js").State} state @param {import("./state.js").Ask} ask
 * @param {End} end @returns {Way} */
export function wayTo(state, ask, { caption, photo }) {
  const name = (/** @type {string | null} */ token) => (token && state.photos[token]?.name) || "";
  const both = (/** @type {string[]} */ ...parts) => parts.filter(Boolean).join(", ");
  const from = both(photo ? name(ask.photo) : "", caption ? `“${ask.caption}”` : "");
  const to = both(photo ? name(photo) : "", caption ? `“${caption}”` : "");
  return { from, to, steps: [], animation: null, at: 0 };
}

/** @param {Way} way @param {Step[]} steps @param {string | null} animation @returns {Way} */
export function withSteps(way, steps, animation) {
  const inOrder = [...steps].sort((a, b) => a.position - b.position);
  return { ...way, steps: inOrder, animation, at: Math.floor((steps.length - 1) / 2) };
}

/** @param {Way} way @param {number} at @returns {Way} */
export function atStep(way, at) {
  return { ...way, at: Math.min(way.steps.length - 1, Math.max(0, at)) };
}

/** Where on the way the shown step is, in words. @param {Way} way @returns {string} */
export function placeText({ from, to, steps, at }) {
  const position = steps[at]?.position ?? 0;
  if (position === 0) return from;
  const percent = Math.round(100 * position);
  return position === 1 ? to : t("between.on-the-way", { percent, end: to });
}

/**
 * The words, as part of the page's state: what is typed, and what the model knows of it. Pure
 * functions.
 *
 * @typedef {import("./state.js").State} State
 * @typedef {import("./state.js").UnknownWord} UnknownWord
 */

import { coloursIn } from "./captions.js";

/** @param {State} state @param {string} caption @returns {State} */
export function withCaption(state, caption) {
  const problem = state.problem?.retryable === false ? null : state.problem;
  return { ...state, caption: caption.replace(/\s*\n\s*/g, " "), problem, placing: false };
}

/** The server's answer about words; dropped if caption or model have changed since.
 * @param {State} state @param {{model: string | null, caption: string}} asked
 * @param {{unknownWords: UnknownWord[], otherModel: string | null}} answer @returns {State} */
export function withCheckedWords(state, asked, { unknownWords, otherModel }) {
  if (asked.model !== state.model || asked.caption !== state.caption) return state;
  return { ...state, unknownWords, otherModel };
}

/** @param {State} state @param {string} model @param {string[]} vocabulary @returns {State} */
export function withVocabulary(state, model, vocabulary) {
  return model === state.model ? { ...state, vocabulary } : state;
}

/** Captions to offer for the model.
 * @param {State} state @returns {string[]} */
export function suggestions(state) {
  const examples = state.models.find((model) => model.id === state.model)?.examples ?? [];
  return [...new Set(examples)].slice(0, 6);
}

/** @param {State} state @returns {string | null} the colour that the caption names first */
export function colourNamed(state) {
  return coloursIn(state.caption)[0] ?? null;
}

/**
 * Words of a caption that have others of their kind, to choose from: pure functions.
 *
 * @typedef {{text: string, start: number, kind: string, others: string[]}} Attribute
 */

import { COLOURS, WORD } from "./captions.js";

/** @type {Record<string, string[]>} */
export const KINDS = {
  colour: COLOURS,
  tone: ["bright", "dark", "light", "pale", "deep", "vibrant"],
  size: ["small", "large", "big", "tiny", "long", "short"],
  shape: ["round", "rounded", "oval", "pointed", "pointy", "curved"],
  width: ["thin", "thick", "wide", "narrow"],
  surface: ["smooth", "fuzzy", "spiky", "ruffled", "striped", "spotted", "plain", "silky"],
  number: ["one", "two", "three", "four", "five", "six", "few", "several", "many"],
  part: ["petals", "stamen", "pistil", "anther", "center", "leaves", "stem", "sepals"],
  garment: ["t-shirt", "shirt", "sweater", "jacket", "coat", "dress", "hoodie", "vest", "blouse"],
  sleeve: ["sleeveless", "short-sleeved", "long-sleeved"],
};

/** Captions that hold all these words, each short enough to be asked about at once.
 * @param {number} limit in characters @returns {string[]} */
export function questions(limit) {
  /** @type {string[]} */
  const asked = [];
  for (const word of Object.values(KINDS).flat()) {
    const last = asked.at(-1);
    if (last !== undefined && last.length + word.length < limit) {
      asked[asked.length - 1] = `${last} ${word}`;
    } else {
      asked.push(word);
    }
  }
  return asked;
}

/** The words that have others of their kind, in the caption's order.
 * @param {string} caption @param {string[]} known those that the model knows
 * @returns {Attribute[]} */
export function attributesIn(caption, known) {
  return [...caption.matchAll(WORD)].flatMap((found) => {
    const text = found[0].toLowerCase();
    const [kind, words] = Object.entries(KINDS).find(([, all]) => all.includes(text)) ?? ["", []];
    const others = words.filter((word) => known.includes(word) && word !== text);
    return others.length > 0 ? [{ text: found[0], start: found.index, kind, others }] : [];
  });
}

/** The caption with one of its words changed, where it stands.
 * @param {string} caption @param {Attribute} attribute @param {string} other */
export function withOther(caption, { text, start }, other) {
  return caption.slice(0, start) + other + caption.slice(start + text.length);
}

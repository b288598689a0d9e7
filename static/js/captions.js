/**
 * Captions as text: pure functions. Words are found as the server finds them
 * (models/text/vocabulary.py), so that its answer can be laid over what was typed.
 *
 * @typedef {{text: string, unknown: boolean}} Segment
 */

export const WORD = /[\p{L}\p{N}]+(?:['’-][\p{L}\p{N}]+)*/gu;

/** Colours that have a swatch, in the order of the wheel, then the neutral ones. */
export const COLOURS = [
  "red",
  "orange",
  "yellow",
  "green",
  "blue",
  "purple",
  "pink",
  "brown",
  "white",
  "grey",
  "black",
];

/** The caption cut where known and unknown words meet; joined, the texts are the caption.
 * @param {string} caption @param {Iterable<string>} unknownWords in lower case
 * @returns {Segment[]} */
export function segments(caption, unknownWords) {
  const unknown = new Set(unknownWords);
  /** @type {Segment[]} */
  const found = [];
  let end = 0;
  for (const match of caption.matchAll(WORD)) {
    if (!unknown.has(match[0].toLowerCase())) continue;
    if (match.index > end) found.push({ text: caption.slice(end, match.index), unknown: false });
    found.push({ text: match[0], unknown: true });
    end = match.index + match[0].length;
  }
  if (end < caption.length) found.push({ text: caption.slice(end), unknown: false });
  return found;
}

/** The caption with each occurrence of one word replaced; a capital at its start stays.
 * @param {string} caption @param {string} word @param {string} replacement */
export function withWord(caption, word, replacement) {
  return caption.replace(WORD, (found) => {
    if (found.toLowerCase() !== word.toLowerCase()) return found;
    const capital = found[0] !== found[0].toLowerCase();
    return capital ? replacement[0].toUpperCase() + replacement.slice(1) : replacement;
  });
}

/** The caption with its first colour changed, or, if it names none, with the colour before its
 * last word: "this flower has petals" becomes "this flower has yellow petals".
 * @param {string} caption @param {string} colour */
export function withColour(caption, colour) {
  const first = coloursIn(caption)[0];
  if (first) return withFirst(caption, first, colour);
  const words = [...caption.matchAll(WORD)];
  const last = words.at(-1);
  if (!last) return colour;
  return `${caption.slice(0, last.index)}${colour} ${caption.slice(last.index)}`;
}

/** The colours that a caption names, in its order.
 * @param {string} caption @returns {string[]} */
export function coloursIn(caption) {
  const words = [...caption.toLowerCase().matchAll(WORD)].map((match) => match[0]);
  return words.filter((word) => COLOURS.includes(word));
}

/** A file name for an edited photo: "rose.jpeg" and "yellow petals" give "rose-yellow-petals.jpg".
 * @param {string} photoName @param {string} caption @param {string} mediaType */
export function downloadName(photoName, caption, mediaType) {
  const stem = photoName.replace(/\.[^.]*$/, "") || "photo";
  const words = [...caption.toLowerCase().matchAll(WORD)].map((match) => match[0]);
  const type = mediaType.replace("image/", "");
  return `${[stem, ...words].join("-").slice(0, 80)}.${type === "jpeg" ? "jpg" : type}`;
}

/** @param {string} caption @param {string} word @param {string} replacement */
function withFirst(caption, word, replacement) {
  let done = false;
  return caption.replace(WORD, (found) => {
    if (done || found.toLowerCase() !== word) return found;
    done = true;
    return replacement;
  });
}

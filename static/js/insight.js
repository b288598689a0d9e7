/** Which word did what: words light up their places, places rank their words, stage by stage. */

import { rankedAt, stagesOf, strongest } from "./attention.js";
import { bind, byId, el, setText } from "./dom.js";
import { mountHeatLayer } from "./heat-layer.js";
import { TOP, drawLit, saveSheet } from "./insight-sheet.js";
import { t } from "./texts.js";

const FIGURE_SIDE = 192; // pixels

/** @typedef {import("./state.js").Result} Result */

/**
 * @param {import("./store.js").Store<import("./state.js").State>} store
 * @param {import("./pictures.js").Pictures} pictures
 * @param {import("./heat.js").Heat} heat
 */
export function mountInsight(store, pictures, heat) {
  const section = byId("insight");
  const words = byId("insight-words");
  const stages = byId("insight-stages");
  const top = byId("insight-top");
  const steps = byId("insight-steps");
  const here = byId("insight-here");
  const layer = mountHeatLayer(store, heat, { onPoint: rank, onRest: rest });
  /** @type {Result | null} */
  let result = null;
  let stage = 0;
  /** @type {number | null} the word that stays lit when nothing is pointed at */
  let pinned = null;

  bind(
    store,
    (state) => state.shown,
    (shown) => {
      if (shown?.image === result?.image) return;
      result = shown && tells(shown) ? shown : null;
      pinned = null;
      section.hidden = result === null;
      layer.light(null);
      layer.peek(null);
      if (result) show(result);
    },
  );
  byId("insight-save").addEventListener("click", () => {
    if (result) saveSheet(result, pictures, heat);
  });

  /** @param {Result} shown */
  function show({ heatmaps, stages: pictures, words: texts }) {
    const all = stagesOf(heatmaps);
    stage = all.at(-1) ?? 0;
    stages.hidden = all.length < 2;
    stages.replaceChildren(...all.map(stageButton));
    steps.hidden = pictures.length === 0;
    steps.replaceChildren(...pictures.map(stepButton));
    words.replaceChildren(...texts.map(wordButton));
    byId("insight-save").hidden = all.length === 0;
    showStage();
  }

  function showStage() {
    const ranked = strongest(result?.heatmaps ?? [], stage, TOP);
    top.hidden = ranked.length === 0;
    top.replaceChildren(...ranked.map(figure));
    rest();
    light(pinned);
  }

  /** @param {number | null} word */
  function light(word) {
    const map = result?.heatmaps.find((one) => one.stage === stage && one.word === word);
    layer.light(map?.image ?? null);
  }

  /** @param {number} number @param {number} index */
  function stageButton(number, index) {
    const text = String(index + 1);
    const ariaLabel = t("insight.stage", { number: text });
    const button = el("button", { type: "button", ariaLabel }, text);
    button.setAttribute("aria-pressed", String(number === stage));
    button.addEventListener("click", () => {
      stage = number;
      for (const one of stages.children) one.setAttribute("aria-pressed", String(one === button));
      showStage();
    });
    return button;
  }

  /** @param {string} word @param {number} index */
  function wordButton(word, index) {
    const value = el("span", { className: "word-value" });
    if (!result?.heatmaps.length) return el("span", { className: "word" }, word, value);
    const button = el("button", { type: "button", className: "word" }, word, value);
    lights(button, index);
    return button;
  }

  /** @param {import("./attention.js").Heatmap} heatmap */
  function figure({ word, image }) {
    const size = { width: FIGURE_SIDE, height: FIGURE_SIDE };
    const canvas = Object.assign(document.createElement("canvas"), size);
    const of = /** @type {Result} */ (result);
    const button = el("button", { type: "button", className: "figure" }, canvas, of.words[word]);
    drawLit(canvas, of, image, pictures, heat).catch(() => {}); // no longer kept: a name without
    lights(button, word);
    return el("li", {}, button);
  }

  /** Pointed at or focused, the word's place lights up; pressed, it stays lit.
   * @param {HTMLElement} element @param {number} word */
  function lights(element, word) {
    element.dataset.word = String(word);
    element.setAttribute("aria-pressed", String(word === pinned));
    for (const kind of ["pointerenter", "focus"]) {
      element.addEventListener(kind, () => light(word));
    }
    for (const kind of ["pointerleave", "blur"]) {
      element.addEventListener(kind, () => light(pinned));
    }
    element.addEventListener("click", () => {
      pinned = pinned === word ? null : word;
      for (const one of /** @type {NodeListOf<HTMLElement>} */ (
        section.querySelectorAll("[data-word]")
      )) {
        one.setAttribute("aria-pressed", String(one.dataset.word === String(pinned)));
      }
      light(pinned);
    });
  }

  /** An earlier, smaller picture; pointed at or focused, it is shown in the place of the last.
   * @param {string} url @param {number} index */
  function stepButton(url, index) {
    const image = el("img", { src: url, alt: "" });
    const name = t("insight.stage", { number: index + 1 });
    const button = el("button", { type: "button", className: "figure" }, image, name);
    for (const kind of ["pointerenter", "focus", "click"]) {
      button.addEventListener(kind, () => layer.peek(url));
    }
    for (const kind of ["pointerleave", "blur"]) {
      button.addEventListener(kind, () => layer.peek(null));
    }
    return button;
  }

  /** Ranks the words at a place that is pointed at. @param {number} x @param {number} y */
  async function rank(x, y) {
    const of = result;
    const own = of?.heatmaps.filter((map) => map.stage === stage) ?? [];
    const reading = own.map(async ({ word, strength, image }) => {
      return { word, strength, map: await heat.map(image) };
    });
    const maps = await Promise.all(reading).catch(() => []);
    if (of !== result || !of || maps.length === 0) return;
    const ranked = rankedAt(maps, x, y);
    setBars(ranked);
    const first = ranked.slice(0, 3).map(({ word }) => of.words[word]);
    setText(here, t("insight.here", { words: first.join(", ") }));
  }

  /** The words as they count in the whole picture. */
  function rest() {
    if (!result) return;
    const { scores, heatmaps } = result;
    const obeyed = scores.map(({ word, score }) => ({ word, value: score }));
    const ranked = strongest(heatmaps, stage);
    const counted = ranked.map(({ word, strength }) => ({ word, value: strength }));
    setBars(counted.length > 0 ? counted : obeyed);
    const said = obeyed.length > 0 ? t("insight.obeyed") : "";
    setText(here, counted.length > 0 ? t("insight.point") : said);
  }

  /** @param {{word: number, value: number}[]} values from 0 to 1 */
  function setBars(values) {
    const isScore = !result?.heatmaps.length;
    const most = isScore ? 1 : Math.max(...values.map(({ value }) => value), 1e-6);
    for (const { word, value } of values) {
      const element = /** @type {HTMLElement} */ (words.children[word]);
      element.style.setProperty("--part", String(value / most));
      const text = /** @type {Element} */ (element.querySelector(".word-value"));
      setText(text, ` ${Math.round((100 * value) / most)} %`);
    }
  }
}

/** @param {Result} result */
function tells({ heatmaps, scores, stages }) {
  return heatmaps.length + scores.length + stages.length > 0;
}

/** The caption: unknown words are marked as they stand, their nearest known ones one click away. */

import { segments, withWord } from "./captions.js";
import { bind, byId, el } from "./dom.js";
import { withModel } from "./state.js";
import { suggestions, withCaption } from "./wording.js";
import { optionText, t } from "./texts.js";

/**
 * @param {import("./store.js").Store<import("./state.js").State>} store
 * @param {import("./editor.js").Editor} editor
 */
export function mountCaptionInput(store, editor) {
  const input = /** @type {HTMLTextAreaElement} */ (byId("caption"));
  const marks = byId("caption-marks");
  const help = byId("word-help");

  input.addEventListener("input", () => store.update((s) => withCaption(s, input.value)));
  input.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.isComposing) return;
    event.preventDefault();
    editor.go();
  });
  input.addEventListener("scroll", () => {
    marks.scrollTop = input.scrollTop;
  });
  document.addEventListener("keydown", (event) => {
    if (event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey)) return;
    if (!store.get().photo || document.querySelector("dialog[open]")) return;
    event.preventDefault();
    input.focus();
    input.select();
  });

  bind(
    store,
    (state) => state.caption,
    (caption) => {
      if (input.value !== caption) input.value = caption;
    },
  );
  bind(
    store,
    (state) => state.model,
    (_, state) => {
      input.placeholder = suggestions(state)[0] ?? "";
    },
  );
  store.subscribe((state, before) => {
    const isSame =
      state.caption === before.caption &&
      state.unknownWords === before.unknownWords &&
      state.otherModel === before.otherModel;
    if (!isSame) update(state);
  });

  /** @param {import("./state.js").State} state */
  function update({ caption, unknownWords, otherModel, models }) {
    const words = unknownWords.map((unknown) => unknown.word);
    const found = segments(caption, words);
    marks.replaceChildren(...found.map((s) => (s.unknown ? el("mark", {}, s.text) : s.text)), "\n");
    const present = new Set(found.filter((s) => s.unknown).map((s) => s.text.toLowerCase()));
    const lines = unknownWords.filter((unknown) => present.has(unknown.word)).map(helpLine);
    const other = models.find((model) => model.id === otherModel);
    if (other) lines.push(otherLine(other));
    if (help.textContent !== lines.map((line) => line.textContent).join("")) {
      help.replaceChildren(...lines);
    }
  }

  /** @param {import("./state.js").Model} model */
  function otherLine(model) {
    const button = el("button", { type: "button", className: "chip small" }, optionText(model));
    button.addEventListener("click", () => {
      store.update((state) => withModel(state, model.id));
      input.focus();
    });
    return el("p", { className: "word-line" }, t("word.rather"), " ", button);
  }

  /** @param {import("./state.js").UnknownWord} unknown */
  function helpLine({ word, nearest }) {
    const told = nearest.length > 0 ? t("word.use") : t("word.unknown");
    return el(
      "p",
      { className: "word-line" },
      el("s", {}, word),
      ` ${told} `,
      ...nearest.map(choice),
    );

    /** @param {string} known */
    function choice(known) {
      const button = el("button", { type: "button", className: "chip small" }, known);
      button.addEventListener("click", () => {
        store.update((state) => withCaption(state, withWord(state.caption, word, known)));
        input.focus();
      });
      return button;
    }
  }
}

/** Asks the server which words of the caption, and which colours, the model knows. */

import { checkCaption } from "./api.js";
import { COLOURS } from "./captions.js";
import { bind } from "./dom.js";
import { withColours, withUnknownWords } from "./state.js";

const DELAY_MS = 300; // a word half typed is not yet unknown

/** @param {import("./store.js").Store<import("./state.js").State>} store */
export function watchWords(store) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;

  store.subscribe((state, before) => {
    if (state.caption === before.caption && state.model === before.model) return;
    clearTimeout(timer);
    timer = setTimeout(check, DELAY_MS);
  });

  bind(
    store,
    (state) => state.model,
    async (model) => {
      if (!model) return;
      const checked = await checkCaption(model, COLOURS.join(" ")).catch(() => null);
      const known = checked?.words.filter((word) => word.known).map((word) => word.word) ?? [];
      store.update((state) => withColours(state, model, known));
    },
  );

  async function check() {
    const { model, caption } = store.get();
    if (!model) return;
    const nothing = { unknown_words: [] };
    // Marks are a help: without an answer there are none, and the edit itself says what is wrong.
    const checked = caption.trim()
      ? await checkCaption(model, caption).catch(() => nothing)
      : nothing;
    store.update((state) => withUnknownWords(state, { model, caption }, checked.unknown_words));
  }
}

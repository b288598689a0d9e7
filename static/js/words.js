/** Asks the server which words of the caption, and which to choose from, the model knows. */

import { checkCaption } from "./api.js";
import { questions } from "./attributes.js";
import { bind } from "./dom.js";
import { withCheckedWords, withVocabulary } from "./wording.js";

const MAX_CAPTION = 300; // characters
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
      const asking = questions(MAX_CAPTION).map((caption) => checkCaption(model, caption));
      const answers = await Promise.all(asking).catch(() => []);
      const words = answers.flatMap((answer) => answer.words).filter((word) => word.known);
      const known = words.map((word) => word.word);
      store.update((state) => withVocabulary(state, model, known));
    },
  );

  async function check() {
    const { model, caption } = store.get();
    if (!model) return;
    const nothing = { unknown_words: [], other_model: null };
    // Marks are a help: without an answer there are none, and the edit itself says what is wrong.
    const checked = caption.trim()
      ? await checkCaption(model, caption).catch(() => nothing)
      : nothing;
    const { unknown_words: unknownWords, other_model: otherModel } = checked;
    const answer = { unknownWords, otherModel };
    store.update((state) => withCheckedWords(state, { model, caption }, answer));
  }
}

/** Opens what a link shares: makes the picture again; without its photo, prepares all else. */

import { download } from "./api.js";
import { gone, problemOf } from "./problems.js";
import { redrawn, withParameters, withWords } from "./results.js";
import { withProblem, withToast } from "./state.js";
import { t } from "./texts.js";

const GONE = new Set([404, 410]);

/**
 * @param {import("./share.js").Shared} shared
 * @param {import("./store.js").Store<import("./state.js").State>} store
 * @param {import("./editor.js").Editor} editor
 */
export async function openShared(shared, store, editor) {
  const sample = store.get().samples.find(({ name }) => name === shared.sample);
  const address = sample?.url ?? (shared.image ? `/images/${shared.image}` : null);
  if (shared.task === "generate") store.update((state) => redrawn(state, shared));
  else if (address) await openPhoto(address, sample);
  else store.update((state) => withWords(state, shared));

  const { photo, drawing, model, problem } = store.get();
  if (model !== shared.model) {
    const text = t("share.other-model", { model: shared.model });
    store.update((state) => withToast(state, { text, deleted: null }));
  } else if (!problem && (photo || drawing)) {
    editor.go(); // the page is there before its picture
  }

  /** @param {string} from @param {import("./state.js").Sample | undefined} sample */
  async function openPhoto(from, sample) {
    try {
      const file = await download(from);
      const name = `${sample?.name ?? "shared"}.jpg`;
      await editor.choose(file, name, { asPhoto: true, sample: sample?.name });
      store.update((state) => withParameters(state, shared));
    } catch (error) {
      const problem = problemOf(error);
      const told = GONE.has(problem.status) ? gone() : problem;
      store.update((state) => withProblem(withWords(state, shared), told));
    }
  }
}

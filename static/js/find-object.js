/** Finds the object in the area, as a mask that the brush goes on with. */

import { findObject, download, whenDone } from "./api.js";
import { toField } from "./crop.js";
import { bind, byId, isTyped } from "./dom.js";
import { readObject } from "./mask-canvas.js";
import { problemOf } from "./problems.js";
import { isEditing, withBrush, withFinding, withMask, withProblem, withToast } from "./state.js";
import { t } from "./texts.js";

/**
 * @param {import("./store.js").Store<import("./state.js").State>} store
 * @param {import("./uploads.js").Uploads} uploads
 */
export function mountFindObject(store, uploads) {
  const button = byId("find-object");
  let stop = new AbortController();

  button.addEventListener("click", find);
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") stop.abort();
    if (event.key.toLowerCase() !== "o" || isTyped(event) || !isEditing(store.get())) return;
    find();
  });
  bind(
    store,
    (state) => state.finding,
    (finding) => button.toggleAttribute("disabled", finding),
  );
  // What is being looked for in one photo or area is no object of another.
  store.subscribe((state, before) => {
    if (state.photo !== before.photo || state.crop !== before.crop) stop.abort();
  });

  async function find() {
    const { photo, crop, finding } = store.get();
    if (!photo || !crop || finding) return;
    stop = new AbortController();
    const { signal } = stop;
    store.update((state) => withFinding(state, true));
    try {
      const asked = await uploads.about(photo, (imageId) =>
        findObject({ imageId, crop: toField(crop), signal }),
      );
      const [output] = (await whenDone(asked, { signal, onProgress() {} })).outputs;
      const found = await readObject(await download(output.network_image), crop);
      if (!signal.aborted) show(found);
    } catch (error) {
      if (!signal.aborted) store.update((state) => withProblem(state, problemOf(error)));
    } finally {
      store.update((state) => withFinding(state, false));
    }
  }

  /** @param {import("./mask.js").Found | null} found */
  function show(found) {
    const text = found ? t("object.found") : t("object.none");
    store.update((state) => withToast(withBrush(state, { on: true }), { text, deleted: null }));
    if (found) store.update((state) => withMask(state, [...state.mask, found]));
  }
}

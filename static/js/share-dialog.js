/** Shares what made the result that is shown, and says what of the photo is shared and how long. */

import { bind, byId, isTyped, setText } from "./dom.js";
import { problemOf } from "./problems.js";
import { linkTo } from "./share.js";
import { withProblem, withToast } from "./state.js";
import { LOCALE, t } from "./texts.js";

/**
 * @param {import("./store.js").Store<import("./state.js").State>} store
 * @param {import("./uploads.js").Uploads} uploads
 */
export function mountShareDialog(store, uploads) {
  const dialog = /** @type {HTMLDialogElement} */ (byId("share-dialog"));
  const withPhoto = /** @type {HTMLInputElement} */ (byId("share-photo"));
  const link = /** @type {HTMLInputElement} */ (byId("share-link"));
  const send = byId("share-send");
  /** @type {{ask: import("./state.js").Ask, sample: import("./state.js").Sample | null,
   *   stored: import("./uploads.js").Stored | null} | null} */
  let shared = null;
  send.hidden = !navigator.share; // it is there on https, and not in every browser

  byId("share").addEventListener("click", open);
  document.addEventListener("keydown", (event) => {
    if (event.key.toLowerCase() === "l" && !isTyped(event)) open();
  });
  withPhoto.addEventListener("change", show);
  byId("share-form").addEventListener("submit", (event) => {
    event.preventDefault();
    copy();
  });
  send.addEventListener("click", () =>
    navigator.share({ title: shared?.ask.caption, url: link.value }).then(
      () => dialog.close(),
      () => {}, // somebody thought better of it
    ),
  );
  bind(
    store,
    (state) => state.shown === null,
    (isNothing) => byId("share").toggleAttribute("disabled", isNothing),
  );

  async function open() {
    const { shown, photos, samples } = store.get();
    if (!shown) return;
    const { ask } = shown;
    const name = ask.photo ? photos[ask.photo].sample : null;
    const sample = samples.find((one) => one.name === name) ?? null;
    try {
      const isOwn = ask.photo !== null && !sample;
      const stored = isOwn ? await uploads.fresh(/** @type {string} */ (ask.photo)) : null;
      shared = { ask, sample, stored };
    } catch (error) {
      return store.update((state) => withProblem(state, problemOf(error)));
    }
    withPhoto.checked = true;
    show();
    if (!dialog.open) dialog.showModal();
    link.select();
  }

  function show() {
    if (!shared) return;
    const { ask, sample, stored } = shared;
    const image = withPhoto.checked ? stored?.imageId : undefined;
    link.value = location.origin + linkTo(ask, { sample: sample?.name, image });
    byId("share-choice").hidden = !stored;
    setText(byId("share-about-photo"), aboutPhoto(shared, withPhoto.checked));
    byId("share-mask").hidden = !ask.mask;
  }

  async function copy() {
    try {
      await navigator.clipboard.writeText(link.value);
    } catch {
      link.select(); // no clipboard but over https and on this machine
      return say(t("share.manual"));
    }
    dialog.close();
    say(t("share.copied"));
  }

  /** @param {string} text */
  function say(text) {
    setText(byId("share-told"), dialog.open ? text : "");
    if (!dialog.open) store.update((state) => withToast(state, { text, deleted: null }));
  }
}

/** @param {{sample: import("./state.js").Sample | null,
 *   stored: import("./uploads.js").Stored | null}} shared @param {boolean} withPhoto */
function aboutPhoto({ sample, stored }, withPhoto) {
  if (sample) return t("share.sample", { name: t(`sample.${sample.name}`) });
  if (!stored) return t("share.drawn");
  if (!withPhoto) return t("share.words-alone");
  const style = new Intl.DateTimeFormat(LOCALE, { dateStyle: "long", timeStyle: "short" });
  return t("share.photo", { time: style.format(stored.expiresAt) });
}

/** Asks for captions and photos, each of which is to be made with each. */

import { download } from "./api.js";
import { bind, byId, el, setText } from "./dom.js";
import { problemOf } from "./problems.js";
import { captionsIn, ofPhotos } from "./sheet.js";
import { asked } from "./state.js";
import { suggestions } from "./wording.js";
import { t } from "./texts.js";

const MOST = 6; // captions, and photos
const OFFERED = 12; // photos of the session, the latest
const SIDE = 72; // pixels of a small picture

/** @typedef {import("./state.js").Photo} Photo */
/** @typedef {import("./state.js").Sample} Sample */

/**
 * @param {import("./store.js").Store<import("./state.js").State>} store
 * @param {import("./editor.js").Editor} editor
 * @param {import("./pictures.js").Pictures} pictures
 * @param {import("./photos.js").Photos} photos
 */
export function mountPhotosDialog(store, editor, pictures, photos) {
  const dialog = /** @type {HTMLDialogElement} */ (byId("photos-dialog"));
  const text = /** @type {HTMLTextAreaElement} */ (byId("photos-text"));
  const file = /** @type {HTMLInputElement} */ (byId("photos-file"));
  const list = byId("photos-list");

  byId("explore-photos").addEventListener("click", () => {
    const state = store.get();
    const own = [state.caption.trim(), ...suggestions(state)];
    text.value = captionsIn(own.join("\n"), MOST).slice(0, 3).join("\n");
    offer();
    dialog.showModal();
  });
  dialog.addEventListener("input", count);
  byId("photos-add").addEventListener("click", () => file.click());
  file.addEventListener("change", () =>
    trying(async () => {
      for (const one of file.files ?? []) {
        const photo = await photos.add(one, one.name);
        list.prepend(await ofPhoto(photo, true));
      }
    }).then(count),
  );
  byId("photos-form").addEventListener("submit", (event) => {
    event.preventDefault();
    trying(make);
  });
  bind(
    store,
    (state) => state.photo === null,
    (isDrawing) => {
      byId("explore-photos").hidden = isDrawing;
    },
  );

  /** Photos that are known here, and samples for the model, the one that is edited chosen. */
  async function offer() {
    const state = store.get();
    const known = Object.values(state.photos).filter(({ token }) => token !== state.photo);
    const current = state.photo ? [state.photos[state.photo]] : [];
    const own = [...current, ...known.reverse().slice(0, OFFERED)];
    const domain = state.models.find(({ id }) => id === state.model)?.domain;
    const samples = state.samples.filter(
      (sample) => sample.domain === domain && !own.some((photo) => photo.sample === sample.name),
    );
    const choices = own.map((photo) => ofPhoto(photo, photo.token === state.photo));
    list.replaceChildren(...(await Promise.all(choices)), ...samples.map(ofSample));
    count();
  }

  /** @param {Photo} photo @param {boolean} checked */
  async function ofPhoto({ token, name }, checked) {
    await photos.open(token);
    return choice(name, pictures.photoThumb(token, SIDE), { photo: token }, checked);
  }

  /** @param {Sample} sample */
  function ofSample({ name, thumbnail }) {
    return choice(t(`sample.${name}`), el("img", { src: thumbnail, alt: "" }), { sample: name }, false);
  }

  /** @param {string} name @param {Node} picture @param {Record<string, string>} data
   * @param {boolean} checked */
  function choice(name, picture, data, checked) {
    const box = el("input", { type: "checkbox", checked, data });
    return el("label", { className: "photo-choice" }, box, picture, el("span", {}, name));
  }

  function wanted() {
    const boxes = [...list.querySelectorAll("input")].filter((box) => box.checked);
    return { captions: captionsIn(text.value, MOST), boxes };
  }

  function count() {
    const { captions, boxes } = wanted();
    const fits = boxes.length > 0 && boxes.length <= MOST;
    const pictures = fits ? captions.length * boxes.length : 0;
    byId("photos-go").toggleAttribute("disabled", pictures === 0);
    setText(byId("photos-go"), t("explore.photos-make", { count: pictures }));
    for (const box of list.querySelectorAll("input")) {
      box.disabled = !box.checked && boxes.length >= MOST;
    }
  }

  async function make() {
    const { captions, boxes } = wanted();
    /** @type {Photo[]} */
    const chosen = [];
    for (const { dataset } of boxes) {
      chosen.push(dataset.photo ? store.get().photos[dataset.photo] : await added(dataset.sample));
    }
    const ask = asked({ ...store.get(), caption: captions[0] });
    dialog.close();
    if (ask) editor.explore(ofPhotos(ask, captions, chosen));
  }

  /** @param {string | undefined} name of a sample */
  async function added(name) {
    const sample = /** @type {Sample} */ (store.get().samples.find((one) => one.name === name));
    return photos.add(await download(sample.url), `${sample.name}.jpg`, sample.name);
  }

  /** @param {() => Promise<void>} act what can go wrong: then the dialog says what */
  async function trying(act) {
    byId("photos-go").toggleAttribute("disabled", true);
    try {
      setText(byId("photos-trouble"), "");
      await act();
    } catch (error) {
      setText(byId("photos-trouble"), problemOf(error).detail);
      count();
    }
  }
}

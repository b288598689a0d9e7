/** Takes a photo to edit: a file, a sample, one by its address, a result. */

import * as api from "./api.js";
import { downloadName } from "./captions.js";
import { readParameters } from "./parameters.js";
import * as results from "./results.js";
import * as is from "./state.js";
import * as wording from "./wording.js";

/** @typedef {ReturnType<typeof createOpener>} Opener */

/**
 * @param {import("./store.js").Store<is.State>} store
 * @param {import("./pictures.js").Pictures} pictures
 * @param {import("./uploads.js").Uploads} uploads
 * @param {import("./photos.js").Photos} photos
 * @param {import("./painter.js").Painter} painter
 * @param {import("./moves.js").Moves} moves
 * @param {(error: unknown) => void} refuse
 */
export function createOpener(store, pictures, uploads, photos, painter, moves, refuse) {
  let openings = 0;

  return {
    /** Edits a person's photo from now on; or goes on where a picture made here was made.
     * @param {Blob} file @param {string} name
     * @param {{asPhoto?: boolean, sample?: string, stored?: import("./uploads.js").Stored}} [options]
     *   asPhoto: even if it was made here; sample: its name, where it is one; stored: where the
     *   server has it already */
    async choose(file, name, { asPhoto = false, sample, stored } = {}) {
      const opening = ++openings;
      painter.cancel();
      store.update(is.opening);
      try {
        const photo = await photos.read(file, name, sample);
        const bytes = new Uint8Array(await file.arrayBuffer());
        const parameters = asPhoto ? null : readParameters(bytes);
        if (opening !== openings) return;
        const known = parameters && results.madeWith(store.get(), parameters);
        if (known) return await moves.moveTo((state) => results.resumed(state, known.key));
        if (parameters?.task === "generate" && is.canDraw(store.get())) {
          return store.update((state) => results.redrawn(state, parameters));
        }
        uploads.add(photo.token, file, name, stored);
        store.update((state) => results.withParameters(is.withPhoto(state, photo), parameters));
        uploads.imageId(photo.token).catch(refuse);
      } catch (error) {
        if (opening === openings) refuse(error);
      }
    },

    /** Edits a sample, with the model of its kind and, where none was typed, a caption for it.
     * @param {is.Sample} sample */
    async chooseSample(sample) {
      const fits = store
        .get()
        .models.find((one) => one.domain === sample.domain && one.tasks.includes("manipulate"));
      try {
        const file = await api.download(sample.url);
        await this.choose(file, `${sample.name}.jpg`, { sample: sample.name });
      } catch (error) {
        return refuse(error);
      }
      if (fits && fits.id !== store.get().model) {
        store.update((state) => wording.withCaption(is.withModel(state, fits.id), ""));
      }
      const [example] = wording.suggestions(store.get());
      if (example && store.get().caption === "") {
        store.update((state) => wording.withCaption(state, example));
      }
    },

    /** Edits the picture at an address, which the server fetches. @param {string} url */
    async chooseUrl(url) {
      store.update(is.opening);
      try {
        const stored = await api.fetchImage(url);
        const file = await api.download(api.addressOf(stored));
        await this.choose(file, nameIn(url), { stored });
      } catch (error) {
        refuse(error);
      }
    },

    /** Edits a picture that this server has. @param {string} address of it, without a host */
    async chooseAddress(address) {
      if (!/^\/(library|images|jobs)\//.test(address)) return;
      const name = decodeURIComponent(address.split("/").at(-1) ?? "");
      const file = await api.download(address).catch(refuse);
      if (file) await this.choose(file, name === "image" ? "found" : name, { asPhoto: true });
    },

    /** Edits the result that is shown, as the photo from now on. */
    async goOn() {
      const { shown, photos: known } = store.get();
      if (!shown) return;
      const from = shown.ask.photo ? known[shown.ask.photo].name : "drawn";
      const name = downloadName(from, shown.ask.caption, shown.mediaType);
      const file = await pictures.file(shown.image).catch(refuse);
      if (file) await this.choose(file, name, { asPhoto: true });
    },

    /** Draws from words alone from now on. */
    draw() {
      painter.cancel();
      store.update(is.withDrawing);
    },
  };
}

/** What to call the photo at an address. @param {string} url */
function nameIn(url) {
  const last = new URL(url).pathname.split("/").at(-1);
  return last ? decodeURIComponent(last) : "photo";
}

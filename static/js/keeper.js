/** Lets the browser keep what the state has, and forget what it no longer has. */

import { download } from "./api.js";
import { bind } from "./dom.js";
import { recalled } from "./results.js";
import { withToast } from "./state.js";
import { t } from "./texts.js";

const THUMB_TYPE = "image/webp";

/** @typedef {import("./state.js").Result} Result */
/** @typedef {{picture: Blob, thumb: Blob | null}} Pictures  of one result */

/**
 * @param {import("./store.js").Store<import("./state.js").State>} store
 * @param {import("./pictures.js").Pictures} pictures
 * @param {import("./uploads.js").Uploads} uploads
 * @param {import("./history.js").History} history
 * @returns {Promise<void>} when all that was kept is back
 */
export async function keepHistory(store, pictures, uploads, history) {
  /** @type {Map<string, Result>} as they were written, by key */
  const written = new Map();
  /** @type {Map<string, Pictures>} by key; of deleted ones too, since they can be had back */
  const files = new Map();
  /** @type {Set<string>} tokens of photos that are written */
  const photos = new Set();

  await recall().catch(() => {}); // an unreadable database is one without memories
  bind(store, (state) => state.photos, keepPhotos);
  bind(store, (state) => state.results, keepResults);

  async function recall() {
    const kept = await history.all();
    const used = new Set(kept.results.map((result) => result.ask.photo));
    const latest = kept.photos.at(-1);
    for (const photo of kept.photos) {
      const wanted = used.has(photo.token) || photo === latest;
      if (wanted) uploads.add(photo.token, photo.file, photo.name);
      else history.forgetPhoto(photo.token);
    }
    const whole = kept.results.filter(
      ({ ask }) => ask.photo === null || uploads.file(ask.photo),
    );
    await Promise.all(whole.map(({ key, thumb }) => thumb && pictures.keepThumb(key, thumb)));
    const results = whole.map(({ picture, thumb, ...result }) => {
      files.set(result.key, { picture, thumb });
      pictures.keep(result.image, picture);
      written.set(result.key, result);
      return result;
    });
    const known = kept.photos.filter(({ token }) => uploads.file(token));
    for (const { token } of known) photos.add(token);
    const bare = known.map(({ file, opened, ...photo }) => photo);
    store.update((state) => recalled(state, bare, results));
  }

  /** @param {Record<string, import("./state.js").Photo>} all */
  function keepPhotos(all) {
    for (const photo of Object.values(all)) {
      const file = uploads.file(photo.token);
      if (photos.has(photo.token) || !file) continue;
      photos.add(photo.token);
      history.keepPhoto({ ...photo, file, opened: Date.now() }).catch(sayFull);
    }
  }

  /** @param {Result[]} results */
  function keepResults(results) {
    const present = new Set(results.map((result) => result.key));
    for (const key of written.keys()) {
      if (present.has(key)) continue;
      written.delete(key);
      history.forgetResult(key);
    }
    for (const result of results) {
      if (written.get(result.key) === result) continue;
      written.set(result.key, result);
      keep(result).catch(sayFull);
    }
  }

  /** @param {Result} result */
  async function keep(result) {
    const known = files.get(result.key);
    const thumb = known?.thumb ?? (await blobOf(pictures.thumb(result)));
    const picture = known?.picture ?? (await download(result.image));
    files.set(result.key, { picture, thumb });
    pictures.keep(result.image, picture);
    if (written.get(result.key) === result) await history.keepResult({ ...result, picture, thumb });
  }

  function sayFull() {
    const text = t("film.full");
    store.update((state) => withToast(state, { text, deleted: null }));
  }
}

/** @param {HTMLCanvasElement | null} canvas @returns {Promise<Blob | null>} */
function blobOf(canvas) {
  return new Promise((resolve) => (canvas ? canvas.toBlob(resolve, THUMB_TYPE) : resolve(null)));
}

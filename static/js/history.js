/**
 * Results and photos in the browser's own database, so that they outlast the page and the server's
 * keeping time. Where a browser has none (a private window), the page works all the same.
 *
 * @typedef {import("./state.js").Photo & {file: Blob, opened: number}} KeptPhoto
 * @typedef {import("./state.js").Result & {picture: Blob, thumb: Blob | null}} KeptResult
 */

const NAME = "wordbrush";
const VERSION = 1;

/** @typedef {ReturnType<typeof createHistory>} History */

export function createHistory() {
  const database = opened().catch(() => null);

  /** @template T @param {"results" | "photos"} store @param {IDBTransactionMode} mode
   * @param {(store: IDBObjectStore) => IDBRequest<T>} act @returns {Promise<T | null>} */
  async function within(store, mode, act) {
    const db = await database;
    if (!db) return null;
    return settled(act(db.transaction(store, mode).objectStore(store)));
  }

  return {
    /** Everything that is kept, oldest first. */
    async all() {
      const results = await within("results", "readonly", (store) => store.getAll());
      const photos = await within("photos", "readonly", (store) => store.getAll());
      return {
        results: /** @type {KeptResult[]} */ (results ?? []).sort((a, b) => a.made - b.made),
        photos: /** @type {KeptPhoto[]} */ (photos ?? []).sort((a, b) => a.opened - b.opened),
      };
    },

    /** @param {string} key @returns {Promise<KeptResult | null>} */
    async result(key) {
      return (await within("results", "readonly", (store) => store.get(key))) ?? null;
    },

    /** @param {KeptResult} result */
    keepResult: (result) => within("results", "readwrite", (store) => store.put(result)),

    /** @param {KeptPhoto} photo */
    keepPhoto: (photo) => within("photos", "readwrite", (store) => store.put(photo)),

    /** @param {string} key */
    forgetResult: (key) => within("results", "readwrite", (store) => store.delete(key)),

    /** @param {string} token */
    forgetPhoto: (token) => within("photos", "readwrite", (store) => store.delete(token)),
  };
}

/** @returns {Promise<IDBDatabase>} */
function opened() {
  const request = indexedDB.open(NAME, VERSION);
  request.onupgradeneeded = () => {
    request.result.createObjectStore("results", { keyPath: "key" });
    request.result.createObjectStore("photos", { keyPath: "token" });
  };
  return settled(request);
}

/** @template T @param {IDBRequest<T>} request @returns {Promise<T>} */
function settled(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

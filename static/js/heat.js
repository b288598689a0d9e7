/** Heatmaps as pixels, by their addresses; each is asked for once. */

const MAX_KEPT = 300;

/** @typedef {import("./attention.js").GreyMap} GreyMap */
/** @typedef {ReturnType<typeof createHeat>} Heat */

export function createHeat() {
  /** @type {Map<string, Promise<GreyMap>>} */
  const maps = new Map();

  return {
    /** @param {string} url @returns {Promise<GreyMap>} */
    map(url) {
      const known = maps.get(url) ?? read(url);
      maps.delete(url);
      maps.set(url, known);
      known.catch(() => maps.delete(url)); // so that the next try asks again
      if (maps.size > MAX_KEPT) maps.delete([...maps.keys()][0]);
      return known;
    },
  };
}

/** @param {string} url @returns {Promise<GreyMap>} */
async function read(url) {
  const image = new Image();
  image.src = url;
  await image.decode();
  const { naturalWidth: width, naturalHeight: height } = image;
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (!context) throw new Error("this browser draws nothing");
  context.drawImage(image, 0, 0);
  const { data } = context.getImageData(0, 0, width, height);
  return { width, height, grey: data.filter((_, index) => index % 4 === 0) };
}

/** The square that is edited: drag it, drag its corners, or move and size it with keys. */

import { cornerDragged, moved, resized } from "./crop.js";
import { bind, byId } from "./dom.js";
import { withCrop } from "./state.js";

/** @typedef {import("./crop.js").Box} Box */
/** @typedef {import("./state.js").Photo} Photo */

const STEP = 0.01; // of the photo's shorter side
const LARGE_STEP = 0.1;
/** @type {Record<string, [number, number]>} */
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
/** @type {Record<string, number>} */
const SIZES = { "+": 1, "=": 1, "-": -1, _: -1 };

/** @param {import("./store.js").Store<import("./state.js").State>} store */
export function mountCropBox(store) {
  const box = byId("crop-box");
  const frame = byId("frame");

  bind(
    store,
    (state) => state.crop,
    (crop, state) => {
      if (crop && state.photo) place(crop, state.photos[state.photo]);
    },
  );

  box.addEventListener("keydown", (event) => {
    const { crop, photo } = current();
    if (!crop || !photo || event.ctrlKey || event.metaKey) return;
    const next = afterKey(event, crop, photo);
    if (!next) return;
    event.preventDefault();
    change(next);
  });

  box.addEventListener("pointerdown", (event) => {
    const { crop, photo } = current();
    if (!crop || !photo || event.button !== 0) return;
    const corner = /** @type {HTMLElement} */ (event.target).dataset.corner;
    const from = toPhoto(event, photo);
    box.setPointerCapture(event.pointerId);
    /** @param {PointerEvent} to */
    const drag = (to) => {
      const point = toPhoto(to, photo);
      if (corner) change(cornerDragged(crop, /** @type {any} */ (corner), point, photo));
      else change(moved(crop, point.x - from.x, point.y - from.y, photo));
    };
    box.addEventListener("pointermove", drag);
    const end = () => box.removeEventListener("pointermove", drag);
    box.addEventListener("pointerup", end, { once: true });
    box.addEventListener("pointercancel", end, { once: true });
  });

  function current() {
    const { crop, photo, photos } = store.get();
    return { crop, photo: photo ? photos[photo] : null };
  }

  /** @param {Box} crop */
  function change(crop) {
    store.update((state) => withCrop(state, crop));
  }

  /** @param {Box} crop @param {Photo} photo */
  function place(crop, photo) {
    box.style.left = `${(100 * crop.left) / photo.width}%`;
    box.style.top = `${(100 * crop.top) / photo.height}%`;
    box.style.width = `${(100 * crop.width) / photo.width}%`;
    box.style.height = `${(100 * crop.height) / photo.height}%`;
  }

  /** @param {PointerEvent} event @param {Photo} photo */
  function toPhoto(event, photo) {
    const shown = frame.getBoundingClientRect();
    return {
      x: ((event.clientX - shown.left) / shown.width) * photo.width,
      y: ((event.clientY - shown.top) / shown.height) * photo.height,
    };
  }
}

/** The box after a key, or null if the key is none of ours.
 * @param {KeyboardEvent} event @param {Box} crop @param {Photo} photo */
function afterKey(event, crop, photo) {
  const shorter = Math.min(photo.width, photo.height);
  const step = Math.max(1, Math.round(shorter * (event.shiftKey ? LARGE_STEP : STEP)));
  const arrow = ARROWS[event.key];
  if (arrow) return moved(crop, arrow[0] * step, arrow[1] * step, photo);
  const grow = SIZES[event.key];
  return grow ? resized(crop, grow * Math.max(2, Math.round(shorter * 0.05)), photo) : null;
}

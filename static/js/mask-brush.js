/** The brush: what may change is painted, by pointer or by keys. */

import { bind, byId } from "./dom.js";
import { MAX_SIZE, MIN_SIZE, begun, drawnTo, inverted, undone } from "./mask.js";
import { shadeMask } from "./mask-canvas.js";
import { isEditing, withBrush, withMask } from "./state.js";

const SHOWN_SIDE = 1024; // pixels of the shade
const SHADE = "#0c0b0ab0"; // as --over-dim
const STEP = 0.01; // of the photo's shorter side, by the arrow keys
const LARGE_STEP = 0.05;
/** @type {Record<string, [number, number]>} */
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/** @typedef {import("./state.js").State} State */

/** @param {import("./store.js").Store<State>} store */
export function mountMaskBrush(store) {
  const layer = byId("brush");
  const shade = /** @type {HTMLCanvasElement} */ (byId("mask-shade"));
  const frame = byId("frame");
  const size = /** @type {HTMLInputElement} */ (byId("brush-size"));
  let at = { x: 0.5, y: 0.5 }; // of the photo
  let painting = false;

  const photoOf = (/** @type {State} */ { photo, photos }) => (photo ? photos[photo] : null);
  const change = (/** @type {(mask: import("./mask.js").Mask) => import("./mask.js").Mask} */ f) =>
    store.update((state) => withMask(state, f(state.mask)));

  byId("brush-on").addEventListener("click", () => set({ on: !store.get().brush.on }));
  byId("brush-add").addEventListener("click", () => set({ erase: false }));
  byId("brush-erase").addEventListener("click", () => set({ erase: true }));
  size.addEventListener("input", () => set({ size: Number(size.value) / 100 }));
  byId("brush-undo").addEventListener("click", () => change(undone));
  byId("brush-invert").addEventListener("click", () => change(inverted));
  byId("brush-clear").addEventListener("click", () => change(() => []));

  layer.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    layer.setPointerCapture(event.pointerId);
    point(event);
    begin();
    painting = true;
  });
  layer.addEventListener("pointermove", (event) => {
    point(event);
    if (painting) goOn();
  });
  for (const end of ["pointerup", "pointercancel"]) {
    layer.addEventListener(end, () => {
      painting = false;
    });
  }
  layer.addEventListener("keydown", (event) => {
    if (!afterKey(event)) return;
    event.preventDefault();
    event.stopPropagation();
  });
  layer.addEventListener("keyup", (event) => {
    if (event.key === " ") painting = false;
  });

  bind(
    store,
    isEditing,
    (canBrush) => {
      byId("brush-bar").hidden = !canBrush;
    },
  );
  bind(store, (state) => isEditing(state) && state.brush.on, showBrush);
  bind(
    store,
    (state) => state.brush,
    ({ on, erase, size: across }) => {
      byId("brush-on").setAttribute("aria-pressed", String(on));
      byId("brush-add").setAttribute("aria-pressed", String(!erase));
      byId("brush-erase").setAttribute("aria-pressed", String(erase));
      size.value = String(Math.round(100 * across));
      showRing();
    },
  );
  store.subscribe((state, before) => {
    const same = state.photo === before.photo && state.view === before.view;
    if (!same || state.mask !== before.mask) showMask(state);
  });

  /** @param {boolean} on */
  function showBrush(on) {
    layer.hidden = !on;
    byId("brush-tools").hidden = !on;
    byId("crop").toggleAttribute("inert", on);
  }

  /** @param {State} state */
  function showMask(state) {
    const photo = photoOf(state);
    shade.hidden = !photo || state.view !== "crop" || state.mask.length === 0;
    for (const id of ["brush-undo", "brush-invert", "brush-clear"]) {
      byId(id).toggleAttribute("disabled", state.mask.length === 0);
    }
    if (!photo || shade.hidden) return;
    const scale = SHOWN_SIDE / Math.max(photo.width, photo.height);
    shade.width = Math.round(photo.width * scale);
    shade.height = Math.round(photo.height * scale);
    shadeMask(shade, state.mask, photo, SHADE);
  }

  /** The brush's ring, where it would paint. */
  function showRing() {
    const photo = photoOf(store.get());
    if (!photo) return;
    const across = store.get().brush.size * Math.min(photo.width, photo.height);
    layer.style.setProperty("--x", `${100 * at.x}%`);
    layer.style.setProperty("--y", `${100 * at.y}%`);
    layer.style.setProperty("--across", `${(100 * across) / photo.width}%`);
  }

  /** @param {Partial<State["brush"]>} part */
  function set(part) {
    store.update((state) => withBrush(state, part));
  }

  /** @param {PointerEvent} event */
  function point({ clientX, clientY }) {
    const shown = frame.getBoundingClientRect();
    at = { x: (clientX - shown.left) / shown.width, y: (clientY - shown.top) / shown.height };
    showRing();
  }

  function begin() {
    const state = store.get();
    const photo = photoOf(state);
    if (!photo) return;
    const { erase, size: across } = state.brush;
    const points = [at.x * photo.width, at.y * photo.height];
    const stroke = { erase, size: across * Math.min(photo.width, photo.height), points };
    change((mask) => begun(mask, stroke));
  }

  function goOn() {
    const photo = photoOf(store.get());
    if (photo) change((mask) => drawnTo(mask, at.x * photo.width, at.y * photo.height));
  }

  /** Whether the key was one of ours. @param {KeyboardEvent} event @returns {boolean} */
  function afterKey({ key, shiftKey, ctrlKey, metaKey, repeat }) {
    const { brush } = store.get();
    const arrow = ARROWS[key];
    if ((ctrlKey || metaKey) && key.toLowerCase() === "z") change(undone);
    else if (ctrlKey || metaKey) return false;
    else if (arrow) move(arrow, shiftKey ? LARGE_STEP : STEP);
    else if (key === " ") press(repeat);
    else if (key === "[" || key === "-") set({ size: Math.max(MIN_SIZE, brush.size - 0.02) });
    else if (key === "]" || key === "+") set({ size: Math.min(MAX_SIZE, brush.size + 0.02) });
    else if (key.toLowerCase() === "x") set({ erase: !brush.erase });
    else if (key.toLowerCase() === "i") change(inverted);
    else return false;
    return true;
  }

  /** @param {[number, number]} arrow @param {number} step */
  function move([dx, dy], step) {
    const photo = photoOf(store.get());
    if (!photo) return;
    const pixels = step * Math.min(photo.width, photo.height);
    const x = Math.min(1, Math.max(0, at.x + (dx * pixels) / photo.width));
    at = { x, y: Math.min(1, Math.max(0, at.y + (dy * pixels) / photo.height)) };
    showRing();
    if (painting) goOn();
  }

  /** @param {boolean} repeat */
  function press(repeat) {
    if (repeat) return;
    begin();
    painting = true;
  }
}

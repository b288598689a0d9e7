/** Zoom and pan, the same for before and after: by wheel, pinch, drag, buttons and keys. */

import { bind, byId, setText } from "./dom.js";
import { MAX_SCALE, WHOLE, panned, zoomed } from "./lens.js";

const STEP = 1.5;
const WHEEL = 0.002; // of a doubling, for a pixel of the wheel
const ARROW = 0.1; // of the pane
/** @type {Record<string, [number, number]>} */
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/** @param {import("./store.js").Store<import("./state.js").State>} store */
export function mountZoom(store) {
  const frame = byId("frame");
  const tools = byId("zoom");
  let lens = { ...WHOLE };
  /** @type {Map<number, PointerEvent>} fingers, or the mouse, on the picture */
  const pointers = new Map();

  bind(
    store,
    ({ view, shown }) => shown !== null && ["compare", "side", "whole"].includes(view),
    (canZoom) => {
      tools.hidden = !canZoom;
      if (!canZoom) see(WHOLE);
    },
  );
  bind(
    store,
    (state) => state.photo,
    () => see(WHOLE),
  );

  byId("zoom-in").addEventListener("click", () => see(zoomed(lens, STEP)));
  byId("zoom-out").addEventListener("click", () => see(zoomed(lens, 1 / STEP)));
  byId("zoom-reset").addEventListener("click", () => see(WHOLE));
  tools.addEventListener("keydown", (event) => {
    const arrow = ARROWS[event.key];
    if (!arrow || lens.scale === 1) return;
    event.preventDefault();
    see(panned(lens, arrow[0] * ARROW, arrow[1] * ARROW));
  });

  frame.addEventListener(
    "wheel",
    (event) => {
      const zooms = event.ctrlKey || event.metaKey; // a pinch on a touchpad comes so, too
      if (tools.hidden || (!zooms && lens.scale === 1)) return;
      event.preventDefault();
      const { width, height } = frame.getBoundingClientRect();
      if (zooms) see(zoomed(lens, 2 ** (-event.deltaY * WHEEL * 2), placeOf(event)));
      else see(panned(lens, event.deltaX / width, event.deltaY / height));
    },
    { passive: false },
  );
  frame.addEventListener("pointerdown", (event) => {
    pointers.set(event.pointerId, event);
  });
  document.addEventListener("pointermove", (event) => {
    const before = pointers.get(event.pointerId);
    if (!before || tools.hidden) return;
    pointers.set(event.pointerId, event);
    const other = [...pointers].find(([id]) => id !== event.pointerId)?.[1];
    if (other) pinch(before, event, other);
    else if (lens.scale > 1 && !isDivider(event)) drag(before, event);
  });
  for (const kind of /** @type {const} */ (["pointerup", "pointercancel"])) {
    document.addEventListener(kind, (event) => pointers.delete(event.pointerId));
  }

  /** @param {PointerEvent} before @param {PointerEvent} now */
  function drag(before, now) {
    const { width, height } = frame.getBoundingClientRect();
    const dx = (before.clientX - now.clientX) / width;
    see(panned(lens, dx, (before.clientY - now.clientY) / height));
  }

  /** @param {PointerEvent} before @param {PointerEvent} now @param {PointerEvent} other finger */
  function pinch(before, now, other) {
    const factor = distance(now, other) / Math.max(1, distance(before, other));
    see(zoomed(lens, factor, placeOf(other)));
  }

  /** Where in its pane something happens, from 0 to 1; side by side there are two panes.
   * @param {MouseEvent} event */
  function placeOf({ clientX, clientY }) {
    const { left, top, width, height } = frame.getBoundingClientRect();
    const { view, side } = frame.dataset;
    const across = view === "side" && side === "beside" ? 2 : 1;
    const down = view === "side" && side === "below" ? 2 : 1;
    const [x, y] = [((clientX - left) / width) * across, ((clientY - top) / height) * down];
    return { x: x % 1, y: y % 1 };
  }

  /** @param {import("./lens.js").Lens} next */
  function see(next) {
    lens = next;
    frame.style.setProperty("--zoom", String(lens.scale));
    frame.style.setProperty("--pan-x", `${-100 * lens.x * lens.scale}%`);
    frame.style.setProperty("--pan-y", `${-100 * lens.y * lens.scale}%`);
    frame.toggleAttribute("data-zoomed", lens.scale > 1);
    setText(byId("zoom-reset"), `${Math.round(100 * lens.scale)} %`);
    byId("zoom-out").toggleAttribute("disabled", lens.scale === 1);
    byId("zoom-in").toggleAttribute("disabled", lens.scale === MAX_SCALE);
  }
}

/** @param {PointerEvent} event */
function isDivider({ target }) {
  return target instanceof HTMLInputElement;
}

/** @param {MouseEvent} a @param {MouseEvent} b */
function distance(a, b) {
  return Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY);
}

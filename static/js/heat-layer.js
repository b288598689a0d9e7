/** What lies over the part that the network saw: light, an earlier stage, a place to point at. */

import { shade } from "./attention.js";
import { bind, byId, el } from "./dom.js";

const STEP = 0.04; // of a side, by the arrow keys
/** @type {Record<string, [number, number]>} */
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/**
 * @param {import("./store.js").Store<import("./state.js").State>} store
 * @param {import("./heat.js").Heat} heat
 * @param {{onPoint: (x: number, y: number) => void, onRest: () => void}} listeners
 *   of a place that is pointed at, from 0 to 1 from left and top
 */
export function mountHeatLayer(store, heat, { onPoint, onRest }) {
  const layer = /** @type {HTMLCanvasElement} */ (byId("heat"));
  const probe = byId("probe");
  const peek = byId("peek");
  let point = { x: 0.5, y: 0.5 };
  let wanted = "";

  bind(
    store,
    (state) => state.shown,
    (_, state) => {
      for (const element of [layer, probe, peek]) place(element, state);
    },
  );
  bind(
    store,
    ({ view, shown }) => view === "whole" && (shown?.heatmaps.length ?? 0) > 0,
    (canPoint) => {
      probe.hidden = !canPoint;
    },
  );

  probe.addEventListener("pointermove", (event) => {
    const box = probe.getBoundingClientRect();
    moveTo((event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height);
  });
  probe.addEventListener("keydown", (event) => {
    const arrow = ARROWS[event.key];
    if (!arrow) return;
    event.preventDefault();
    probe.toggleAttribute("data-by-key", true);
    moveTo(point.x + arrow[0] * STEP, point.y + arrow[1] * STEP);
  });
  for (const kind of ["pointerleave", "blur"]) {
    probe.addEventListener(kind, () => {
      probe.toggleAttribute("data-by-key", false);
      onRest();
    });
  }

  /** @param {number} x @param {number} y */
  function moveTo(x, y) {
    point = { x: Math.min(0.999, Math.max(0, x)), y: Math.min(0.999, Math.max(0, y)) };
    probe.style.setProperty("--x", `${100 * point.x}%`);
    probe.style.setProperty("--y", `${100 * point.y}%`);
    onPoint(point.x, point.y);
  }

  return {
    /** Leaves light what a heatmap has white; without one, the picture as it is.
     * @param {string | null} url */
    async light(url) {
      wanted = url ?? "";
      const map = url ? await heat.map(url).catch(() => null) : null;
      if (wanted !== (url ?? "")) return;
      layer.hidden = !map;
      if (!map) return;
      Object.assign(layer, { width: map.width, height: map.height });
      layer.getContext("2d")?.drawImage(shadeOf(map), 0, 0);
    },

    /** An earlier picture in the place of this one. @param {string | null} url */
    peek(url) {
      peek.replaceChildren(...(url ? [el("img", { src: url, alt: "" })] : []));
    },
  };
}

/** @param {import("./attention.js").GreyMap} map @returns {HTMLCanvasElement} */
export function shadeOf(map) {
  const { width, height } = map;
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  canvas.getContext("2d")?.putImageData(new ImageData(shade(map), width, height), 0, 0);
  return canvas;
}

/** @param {HTMLElement} element @param {import("./state.js").State} state */
function place({ style }, { shown, photos }) {
  const { photo, crop } = shown?.ask ?? {};
  const size = (photo && photos[photo]) || { width: 1, height: 1 };
  const { left, top, width, height } = crop ?? { left: 0, top: 0, ...size };
  style.left = `${(100 * left) / size.width}%`;
  style.top = `${(100 * top) / size.height}%`;
  style.width = `${(100 * width) / size.width}%`;
  style.height = `${(100 * height) / size.height}%`;
}

/** Before and after: a native range over the picture, so that keys and screen readers work too. */

import { byId } from "./dom.js";
import { t } from "./texts.js";

const STEP = 20; // of 1000
const LARGE_STEP = 100;
/** @type {Record<string, number>} */
const DIRECTIONS = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1 };

export function mountCompareSlider() {
  const range = /** @type {HTMLInputElement} */ (byId("split"));
  const frame = byId("frame");

  function update() {
    const percent = Number(range.value) / 10;
    frame.style.setProperty("--split", `${percent}%`);
    range.setAttribute("aria-valuetext", t("stage.split", { percent: Math.round(percent) }));
    frame.toggleAttribute("data-mostly-after", percent < 14);
    frame.toggleAttribute("data-mostly-before", percent > 86);
  }

  range.addEventListener("input", update);
  range.addEventListener("keydown", (event) => {
    const direction = DIRECTIONS[event.key];
    if (!direction) return;
    event.preventDefault();
    range.valueAsNumber += direction * (event.shiftKey ? LARGE_STEP : STEP);
    update();
  });
  update();
}

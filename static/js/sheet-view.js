/** The sheet of pictures to compare; a click looks at one alone, with all that made it. */

import { bind, byId, el, icon } from "./dom.js";
import { saveSheetPicture } from "./sheet-picture.js";
import { t } from "./texts.js";

const SIDE = 256; // pixels

/** @typedef {import("./sheet.js").Sheet} Sheet */
/** @typedef {import("./sheet.js").Cell} Cell */

/**
 * @param {import("./store.js").Store<import("./state.js").State>} store
 * @param {import("./editor.js").Editor} editor
 * @param {import("./pictures.js").Pictures} pictures
 */
export function mountSheet(store, editor, pictures) {
  const place = byId("sheet");

  bind(store, (state) => state.sheet, show);
  bind(
    store,
    (state) => state.view === "sheet",
    (isSheet) => {
      place.hidden = !isSheet;
      byId("mat").toggleAttribute("data-sheet", isSheet);
    },
  );

  bind(
    store,
    (state) => state.edit.many,
    (busy) => place.toggleAttribute("data-busy", busy),
  );

  /** @param {Sheet | null} sheet */
  function show(sheet) {
    byId("view-sheet").hidden = !sheet;
    if (!sheet) return place.replaceChildren();
    const focused = [...place.querySelectorAll("button")].findIndex((b) => b.matches(":focus"));
    const buttons = sheet.cells.map((cell, index) => button(cell, nameOf(sheet, index)));
    const body = sheet.rows.length ? table(sheet, buttons) : list(sheet, buttons);
    place.replaceChildren(body, saver(sheet));
    buttons[focused]?.focus({ preventScroll: true });
  }

  /** @param {Sheet} sheet @param {HTMLElement[]} buttons */
  function list({ columns }, buttons) {
    const items = buttons.map((one, n) =>
      el("li", {}, one, el("span", { className: "sheet-name" }, columns[n])),
    );
    return el("ol", { className: "sheet-list" }, ...items);
  }

  /** @param {Sheet} sheet @param {HTMLElement[]} buttons */
  function table({ columns, rows, photos }, buttons) {
    const thumbs = photos?.map((token) => pictures.photoThumb(token, SIDE)) ?? [];
    const head = columns.map((name, n) =>
      el("th", { scope: "col" }, ...thumbs.slice(n, n + 1), el("span", {}, name)),
    );
    const body = rows.map((name, row) => {
      const own = buttons.slice(row * columns.length, (row + 1) * columns.length);
      const cells = own.map((one) => el("td", {}, one));
      return el("tr", {}, el("th", { scope: "row" }, name), ...cells);
    });
    return el(
      "table",
      { className: "sheet-table" },
      el("thead", {}, el("tr", {}, el("td"), ...head)),
      el("tbody", {}, ...body),
    );
  }

  /** @param {Sheet} sheet */
  function saver(sheet) {
    const made = el("button", { type: "button", className: "button small-button sheet-save" });
    made.disabled = sheet.cells.some(({ result, problem }) => !result && !problem);
    made.append(icon("download"), t("sheet.save"));
    made.addEventListener("click", () => saveSheetPicture(sheet, pictures));
    return made;
  }

  /** @param {Cell} cell @param {string} name */
  function button({ result, problem }, name) {
    const made = el("button", { type: "button", className: "cell", ariaLabel: name });
    made.disabled = !result;
    if (problem) made.append(el("span", { className: "cell-problem" }, problem));
    made.toggleAttribute("data-waiting", !result && !problem);
    if (!result) return made;
    made.addEventListener("click", () => editor.open(result));
    pictures.part(result, SIDE).then(
      (canvas) => made.append(canvas),
      () => made.append(el("span", { className: "cell-problem" }, t("sheet.gone"))),
    );
    return made;
  }
}

/** @param {Sheet} sheet @param {number} index */
function nameOf({ columns, rows }, index) {
  const column = columns[index % columns.length];
  return rows.length ? `${rows[Math.floor(index / columns.length)]}, ${column}` : column;
}

/** Elements without strings of HTML: what a person typed is only ever text. */

const SVG = "http://www.w3.org/2000/svg";

/** The element with this id, which the template promises.
 * @template {HTMLElement} [T=HTMLElement]
 * @param {string} id @returns {T} */
export function byId(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no element #${id}`);
  return /** @type {T} */ (found);
}

/** @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag @param {Partial<HTMLElementTagNameMap[K]> & {data?: Record<string, string>}} props
 * @param {...(Node | string)} children @returns {HTMLElementTagNameMap[K]} */
export function el(tag, { data = {}, ...props } = {}, ...children) {
  const made = Object.assign(document.createElement(tag), props);
  Object.assign(made.dataset, data);
  made.append(...children);
  return made;
}

/** @param {string} name of the sprite's symbol */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `#icon-${name}`);
  svg.append(use);
  return svg;
}

/** Whether a key is typed into something, so that it is no command.
 * @param {KeyboardEvent} event */
export function isTyped({ target, ctrlKey, metaKey, altKey }) {
  if (ctrlKey || metaKey || altKey || document.querySelector("dialog[open]")) return true;
  if (target instanceof HTMLInputElement) return !["range", "checkbox"].includes(target.type);
  return target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement;
}

/** Writes text only where it differs, so that a live region speaks once.
 * @param {Element} element @param {string} text */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** A value that changes with the state, and a call when it has changed.
 * @template S @template V
 * @param {import("./store.js").Store<S>} store @param {(state: S) => V} pick
 * @param {(value: V, state: S) => void} show */
export function bind(store, pick, show) {
  let last = /** @type {V | undefined} */ (undefined);
  let first = true;
  store.subscribe((state) => {
    const value = pick(state);
    if (!first && Object.is(value, last)) return;
    first = false;
    last = value;
    show(value, state);
  });
}

/**
 * What is being made, as part of the page's state: begun, going on, ended. Pure functions.
 *
 * @typedef {import("./state.js").State} State
 * @typedef {import("./state.js").Edit} Edit
 * @typedef {import("./state.js").Ask} Ask
 * @typedef {import("./problems.js").Problem} Problem
 */

/** @type {Readonly<Edit>} */
export const IDLE = { phase: "idle", ticket: -1, position: 0, many: false, preview: false };

/** The answer that is on its way is no longer wanted. @param {State} state @returns {State} */
export function idle(state) {
  return { ...state, edit: IDLE };
}

/** Whether one is a step on the way to the other: of the same photo, by the same model.
 * @param {Ask} one @param {Ask} other @returns {boolean} */
export function isAkin(one, other) {
  return one.photo === other.photo && one.model === other.model;
}

/** @param {State} state @returns {boolean} */
export function isBusy(state) {
  return state.edit.phase !== "idle";
}

/** Whether a person waits: not while previews follow one another by themselves.
 * @param {State} state @returns {boolean} */
export function isAwaited(state) {
  const follows = state.edit.preview && state.edit.phase !== "queued" && state.shown !== null;
  return state.finding || (isBusy(state) && !follows);
}

/** An edit begins; answers to earlier tickets are stale from here on.
 * @param {State} state @param {number} ticket @param {boolean} [full] @returns {State} */
export function started(state, ticket, full = true) {
  const edit = { ...IDLE, phase: /** @type {const} */ ("working"), ticket, preview: !full };
  return { ...state, edit, problem: null };
}

/** The pictures of a sheet begin to be made.
 * @param {State} state @param {number} ticket @param {import("./sheet.js").Sheet} sheet
 * @returns {State} */
export function exploring(state, ticket, sheet) {
  const edit = { ...IDLE, phase: /** @type {const} */ ("working"), ticket, many: true };
  return { ...state, edit, sheet, view: "sheet", problem: null };
}

/** The pictures of a way begin to be made.
 * @param {State} state @param {number} ticket @param {import("./between.js").Way} way
 * @returns {State} */
export function onTheWay(state, ticket, way) {
  return { ...started(state, ticket), way, view: "way" };
}

/** @param {State} state @param {number} ticket @param {import("./sheet.js").Sheet} sheet
 * @returns {State} */
export function withSheet(state, ticket, sheet) {
  return ticket === state.edit.ticket ? { ...state, sheet } : state;
}

/** @param {State} state @param {number} ticket @param {"sending" | "queued" | "working"} phase
 * @param {number} [position] jobs before this one @returns {State} */
export function progressed(state, ticket, phase, position = 0) {
  if (ticket !== state.edit.ticket) return state;
  return { ...state, edit: { ...state.edit, phase, position } };
}

/** @param {State} state @param {number} ticket @param {Problem} problem @returns {State} */
export function failed(state, ticket, problem) {
  return ticket === state.edit.ticket ? { ...idle(state), problem } : state;
}

/** An edit that came to nothing, of which nothing need be said.
 * @param {State} state @param {number} ticket @returns {State} */
export function dropped(state, ticket) {
  return ticket === state.edit.ticket ? idle(state) : state;
}

/** Holds the page's state and tells of its changes. */

/**
 * @template T
 * @typedef {{get: () => T, update: (change: (state: T) => T) => void,
 *   subscribe: (listener: (state: T, before: T) => void) => void}} Store
 */

/**
 * @template T
 * @param {T} initial
 * @returns {Store<T>}
 */
export function createStore(initial) {
  let state = initial;
  /** @type {((state: T, before: T) => void)[]} */
  const listeners = [];
  return {
    get: () => state,

    /** Replaces the state by `change` of it. Listeners hear of it unless it is the same object. */
    update(change) {
      const before = state;
      state = change(before);
      if (state === before) return;
      const after = state;
      for (const listener of listeners) listener(after, before);
    },

    /** Calls `listener` at each change, and once now. */
    subscribe(listener) {
      listeners.push(listener);
      listener(state, state);
    },
  };
}

/** A list of elements, one an entry, that follows what the server says every few seconds. */

/**
 * The way to show entries, in order. An element that stays is not moved, so that what has the focus
 * keeps it.
 * @template {{id: string}} E @template {HTMLElement} [H=HTMLElement]
 * @param {HTMLElement} container
 * @param {(entry: E) => H} make @param {(element: H, entry: E) => void} show
 * @returns {(entries: E[]) => void}
 */
export function mountList(container, make, show) {
  /** @type {Map<string, H>} by id */
  const made = new Map();
  return (entries) => {
    for (const id of made.keys()) if (!entries.some((one) => one.id === id)) made.delete(id);
    const now = entries.map((entry) => {
      const element = made.get(entry.id) ?? make(entry);
      made.set(entry.id, element);
      show(element, entry);
      return element;
    });
    for (const child of [...container.children]) {
      if (!now.includes(/** @type {H} */ (child))) child.remove();
    }
    now.forEach((element, place) => {
      const there = container.children[place];
      if (there !== element) container.insertBefore(element, there ?? null);
    });
  };
}

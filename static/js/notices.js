/** What went wrong and what to do next, where the person is: on the first screen or in the editor. */

import { bind, el, icon } from "./dom.js";
import { withProblem } from "./state.js";
import { t } from "./texts.js";

/**
 * @param {import("./store.js").Store<import("./state.js").State>} store
 * @param {import("./editor.js").Editor} editor
 */
export function mountNotices(store, editor) {
  bind(
    store,
    (state) => state.problem,
    (problem, state) => {
      const here = state.photo ? "editor" : "welcome";
      for (const place of document.querySelectorAll("[data-notice]")) {
        const wanted = problem && /** @type {HTMLElement} */ (place).dataset.notice === here;
        place.replaceChildren(...(wanted ? [notice(problem)] : []));
      }
    },
  );

  /** @param {import("./problems.js").Problem} problem */
  function notice({ title, detail, advice, retryable }) {
    const close = el(
      "button",
      { type: "button", className: "icon-button", ariaLabel: t("dialog.close") },
      icon("close"),
    );
    close.addEventListener("click", () => store.update((state) => withProblem(state, null)));
    const text = el(
      "div",
      { className: "notice-text" },
      el("strong", {}, title),
      el("p", {}, detail),
      el("p", { className: "notice-advice" }, advice),
    );
    if (retryable && store.get().photo) {
      const again = el("button", { type: "button", className: "button" }, t("notice.again"));
      again.addEventListener("click", () => editor.go());
      text.append(again);
    }
    const made = el("div", { className: "notice" }, text, close);
    made.setAttribute("role", "alert");
    return made;
  }
}

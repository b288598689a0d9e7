/** Light or dark: the system's, unless a person chose. Not a module, so that it runs before the first paint. */
(() => {
  const KEY = "wordbrush-theme";
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");

  function chosen() {
    try {
      return localStorage.getItem(KEY);
    } catch {
      return null; // storage is off; the choice then lasts as long as the page
    }
  }

  /** @param {string} theme */
  function keep(theme) {
    try {
      localStorage.setItem(KEY, theme);
    } catch {
      // as above
    }
  }

  const isDark = () => (root.dataset.theme ?? (system.matches ? "dark" : "light")) === "dark";

  const saved = chosen();
  if (saved === "dark" || saved === "light") root.dataset.theme = saved;

  document.addEventListener("DOMContentLoaded", () => {
    const button = /** @type {HTMLElement} */ (document.getElementById("theme"));
    const sign = /** @type {SVGUseElement} */ (button.querySelector("use"));
    function update() {
      button.setAttribute("aria-pressed", String(isDark()));
      sign.setAttribute("href", isDark() ? "#icon-sun" : "#icon-moon");
    }
    button.addEventListener("click", () => {
      root.dataset.theme = isDark() ? "light" : "dark";
      keep(root.dataset.theme);
      update();
    });
    system.addEventListener("change", update);
    update();
  });
})();

/** Words that have others of their kind: a click shows them, another takes one. */

import { attributesIn, withOther } from "./attributes.js";
import { bind, byId, el, icon } from "./dom.js";
import { withCaption } from "./wording.js";
import { t } from "./texts.js";

/** @typedef {import("./attributes.js").Attribute} Attribute */

/** @param {import("./store.js").Store<import("./state.js").State>} store */
export function mountWordMenus(store) {
  const place = byId("word-menus");
  let open = -1; // which word's others are shown

  store.subscribe((state, before) => {
    if (state.caption === before.caption && state.vocabulary === before.vocabulary) return;
    show(state);
  });
  place.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || open < 0) return;
    event.stopPropagation(); // it closes the menu, and stops no edit
    toggle(open);
  });
  bind(
    store,
    (state) => state.photo,
    () => {
      open = -1;
    },
  );

  /** @param {import("./state.js").State} state */
  function show({ caption, vocabulary }) {
    const attributes = attributesIn(caption, vocabulary);
    if (open >= attributes.length) open = -1;
    place.hidden = attributes.length === 0;
    const opened = attributes.filter((_, index) => index === open);
    place.replaceChildren(...attributes.map(head), ...opened.map(others));
  }

  /** @param {Attribute} attribute @param {number} index */
  function head({ text, kind }, index) {
    const name = t("word.exchange", { word: text, kind: t(`kind.${kind}`) });
    const button = el("button", { type: "button", className: "chip word-head", ariaLabel: name });
    button.append(text, icon("down"));
    button.setAttribute("aria-expanded", String(index === open));
    button.addEventListener("click", () => toggle(index));
    return button;
  }

  /** @param {Attribute} attribute */
  function others(attribute) {
    const choices = attribute.others.map((word) => {
      const button = el("button", { type: "button", className: "chip small" });
      if (attribute.kind === "colour") {
        button.append(el("span", { className: "dot", data: { colour: word } }));
      }
      button.append(word);
      button.addEventListener("click", () => take(attribute, word));
      return button;
    });
    const label = t("word.others", { word: attribute.text });
    const group = el("div", { className: "word-others", ariaLabel: label }, ...choices);
    group.setAttribute("role", "group");
    return group;
  }

  /** @param {number} index */
  function toggle(index) {
    open = open === index ? -1 : index;
    show(store.get());
    heads()[index]?.focus();
  }

  /** @param {Attribute} attribute @param {string} word */
  function take(attribute, word) {
    const index = open;
    open = -1;
    store.update((state) => withCaption(state, withOther(state.caption, attribute, word)));
    heads()[index]?.focus();
  }

  /** @returns {NodeListOf<HTMLElement>} */
  function heads() {
    return place.querySelectorAll(".word-head");
  }
}

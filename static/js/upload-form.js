/** A form that sends large files: how much has gone, what came of it, or why nothing did. */

import { byId, setText } from "./dom.js";
import { problemOf } from "./problems.js";

/** @typedef {{say: (sentence: string) => void, share: (done: number) => void}} Teller
 *   share: how much is done, from 0 to 1 */

/**
 * @param {string} name of its elements: `<name>-form`, `-go`, `-sent`, `-state` and `-trouble`
 * @param {(form: HTMLFormElement, tell: Teller) => Promise<void>} step does what the form says
 */
export function mountUploadForm(name, step) {
  const form = /** @type {HTMLFormElement} */ (byId(`${name}-form`));
  const bar = /** @type {HTMLProgressElement} */ (byId(`${name}-sent`));
  const tell = {
    /** @param {string} sentence */
    say: (sentence) => setText(byId(`${name}-state`), sentence),
    /** @param {number} done */
    share: (done) => (bar.value = done),
  };
  let isBusy = false;

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (isBusy) return;
    busy(true);
    let trouble = "";
    try {
      await step(form, tell);
    } catch (error) {
      const { title, detail } = problemOf(error);
      tell.say("");
      trouble = `${title}. ${detail}`;
    }
    setText(byId(`${name}-trouble`), trouble);
    busy(false);
  });

  /** @param {boolean} is */
  function busy(is) {
    isBusy = is;
    bar.hidden = !is;
    bar.value = 0;
    byId(`${name}-go`).setAttribute("aria-disabled", String(is));
    if (is) setText(byId(`${name}-trouble`), "");
  }
}

/**
 * What went wrong, for the person: RFC 9457 problems of the server, and those of the way to it.
 *
 * @typedef {{title: string, detail: string, advice: string, status: number, retryable: boolean,
 *   field?: string}} Problem  `field` is the one of the request that could not be used
 */

import { t } from "./texts.js";

/** An answer that is no success, or no answer at all. */
export class RequestFailed extends Error {
  /** @param {Problem} problem */
  constructor(problem) {
    super(problem.title);
    this.problem = problem;
  }
}

/** @type {Record<number, string>} */
const ADVICE = {
  401: "Load this page again to sign in.",
  403: "Sign out, and in again with a key that is good for this.",
  404: "It may have been kept too long. Press Go to make it again.",
  410: "Press Go to make it again.",
  413: "Choose a photo of at most 25 MB and 50 megapixels.",
  415: "Save the photo as JPEG, PNG or WebP, then choose it again.",
  422: "Change what it names, then try again.",
  429: "Wait a moment, then try again.",
  503: "Your photo and words are still here. Try again in a few seconds.",
};

const RETRYABLE = new Set([404, 410, 429]);

/** @type {Record<string, string>} */
const FIELD_TITLES = {
  caption: "These words don’t say enough",
  crop: "The area does not fit the photo",
  image: "This photo can’t be edited",
  images: "This ZIP can’t be used",
  items: "These lines can’t be used",
  model: "This model can’t be used",
};

const TRY_AGAIN = "Try again. If it happens again, the server's log says more.";

/** The problem in a server's answer; a body that is none still gives one.
 * @param {number} status @param {unknown} body @returns {Problem} */
export function fromAnswer(status, body) {
  const said = /** @type {Record<string, any>} */ (body ?? {});
  const { field, message } = (Array.isArray(said.errors) && said.errors[0]) || {};
  const title = typeof said.title === "string" ? said.title : null;
  return {
    status,
    title: FIELD_TITLES[field] ?? title ?? "That did not work",
    detail: text(message) ?? text(said.detail) ?? `The server answered ${status}.`,
    advice: ADVICE[status] ?? TRY_AGAIN,
    retryable: RETRYABLE.has(status) || status >= 500,
    field,
  };
}

/** @param {unknown} value @returns {string | null} a sentence, from a capital to a full stop */
function text(value) {
  if (typeof value !== "string" || value === "") return null;
  const sentence = value[0].toUpperCase() + value.slice(1);
  return /[.!?]$/.test(sentence) ? sentence : `${sentence}.`;
}

/** No answer came.
 * @param {boolean} online whether the browser believes that it has a network @returns {Problem} */
export function unreachable(online) {
  return {
    status: 0,
    title: online ? "The server can’t be reached" : "You are offline",
    detail: online ? "Wordbrush did not answer." : "This browser has no network connection.",
    advice: "Your photo and words are still here. Try again when the connection is back.",
    retryable: true,
  };
}

/** A job that the worker could not do.
 * @param {{title?: string, detail?: string, retryable?: boolean} | null} error
 * @returns {Problem} */
export function ofJob(error) {
  return {
    status: 0,
    title: error?.title ?? "The edit failed",
    detail: error?.detail ?? "The worker gave no reason.",
    advice: error?.retryable ? "Try again." : "Change the words or the photo, then try again.",
    retryable: error?.retryable ?? true,
  };
}

/** The person asked for an edit before saying of what.
 * @param {"photo" | "caption" | "model"} missing @returns {Problem} */
export function incomplete(missing) {
  const [title, detail] = {
    photo: ["There is no photo yet", "An edit starts from a picture."],
    caption: ["There are no words yet", "The words say what the picture should become."],
    model: ["There is no model yet", "The server has no trained model to offer."],
  }[missing];
  const advice = {
    photo: "Drop, paste or choose a photo.",
    caption: "Type what it should become, or press one of the suggestions.",
    model: "Put a checkpoint into its checkpoints folder, then load this page again.",
  }[missing];
  return { status: 0, title, detail, advice, retryable: false };
}

/** A file over the server's limit, which need not be sent to be refused. @returns {Problem} */
export function tooLarge() {
  return {
    status: 413,
    title: "The photo is too large",
    detail: "The file has more than 25 MB.",
    advice: ADVICE[413],
    retryable: false,
  };
}

/** The browser cannot show a file that the server accepted. @returns {Problem} */
export function undecodable() {
  return {
    status: 0,
    title: "This picture can’t be shown",
    detail: "The browser could not read it.",
    advice: ADVICE[415],
    retryable: false,
  };
}

/** The photo of a link is no longer kept. @returns {Problem} */
export function gone() {
  return {
    status: 410,
    title: t("share.gone-title"),
    detail: t("share.gone-detail"),
    advice: t("share.gone-advice"),
    retryable: false,
  };
}

/** @param {unknown} error @returns {Problem} */
export function problemOf(error) {
  if (error instanceof RequestFailed) return error.problem;
  return {
    status: 0,
    title: "Something went wrong on this page",
    detail: error instanceof Error ? error.message : String(error),
    advice: "Load the page again.",
    retryable: true,
  };
}

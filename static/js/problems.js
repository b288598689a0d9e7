/**
 * What went wrong, for the person: RFC 9457 problems of the server, and those of the way to it.
 * The server tells it in English, with the very value and wish; a page in another language says
 * what its catalogue has for that type of problem.
 *
 * @typedef {{title: string, detail: string, advice: string, status: number, retryable: boolean,
 *   field?: string}} Problem  `field` is the one of the request that could not be used
 */

import { LANGUAGE, has, t } from "./texts.js";

/** An answer that is no success, or no answer at all. */
export class RequestFailed extends Error {
  /** @param {Problem} problem */
  constructor(problem) {
    super(problem.title);
    this.problem = problem;
  }
}

/** How a job ended of which no worker says why, as one would name it. @type {Record<string, string>} */
const ENDS = { canceled: "Canceled", expired: "Expired" };

/** What an answer without a problem in it means. @type {Record<number, string>} */
const TYPES = {
  401: "no-key",
  403: "not-allowed",
  404: "not-found",
  410: "gone",
  413: "too-large",
  415: "not-a-picture",
  422: "invalid-request",
  429: "too-many-requests",
  503: "unavailable",
};

const RETRYABLE = new Set([404, 410, 429]);

/** The problem in a server's answer; a body that is none still gives one.
 * @param {number} status @param {unknown} body @returns {Problem} */
export function fromAnswer(status, body) {
  const said = /** @type {Record<string, any>} */ (body ?? {});
  const { field, message } = (Array.isArray(said.errors) && said.errors[0]) || {};
  const type = typeIn(said.type) ?? TYPES[status] ?? "unknown";
  const named = has(`field.${field}.title`);
  return {
    status,
    title: named ? t(`field.${field}.title`) : t(`problem.${type}.title`),
    detail:
      told(message) ??
      told(said.detail) ??
      (named ? t(`field.${field}.detail`) : t(`problem.${type}.detail`, { status })),
    advice: t(`problem.${type}.advice`),
    retryable: RETRYABLE.has(status) || status >= 500,
    field,
  };
}

/** @param {unknown} uri as "/docs#problem-gone" @returns {string | null} */
function typeIn(uri) {
  const [, type] = /#problem-([\w-]+)$/.exec(String(uri)) ?? [];
  return has(`problem.${type}.advice`) ? type : null;
}

/** The server's own words, where the page speaks its language.
 * @param {unknown} value @returns {string | null} a sentence, from a capital to a full stop */
function told(value) {
  if (LANGUAGE !== "en" || typeof value !== "string" || value === "") return null;
  const sentence = value[0].toUpperCase() + value.slice(1);
  return /[.!?]$/.test(sentence) ? sentence : `${sentence}.`;
}

/** No answer came.
 * @param {boolean} online whether the browser believes that it has a network @returns {Problem} */
export function unreachable(online) {
  return {
    status: 0,
    title: online ? t("problem.silent.title") : t("problem.offline.title"),
    detail: online ? t("problem.silent.detail") : t("problem.offline.detail"),
    advice: t("problem.offline.advice"),
    retryable: true,
  };
}

/** A job that the worker could not do. Its title is the same for every such failure.
 * @param {{title?: string, detail?: string, retryable?: boolean} | null} error
 * @returns {Problem} */
export function ofJob(error) {
  const slug = (error?.title ?? "").toLowerCase().replace(/[^a-z]+/g, "-");
  const name = has(`failure.${slug}.title`) ? slug : "unknown";
  return {
    status: 0,
    title: (name === slug ? null : error?.title) ?? t(`failure.${name}.title`),
    detail: told(error?.detail) ?? t(`failure.${name}.detail`),
    advice: error?.retryable ? t("failure.again") : t("failure.change"),
    retryable: error?.retryable ?? true,
  };
}

/** A job that ended without pictures. @param {{status: string,
 *   error: {title?: string, detail?: string, retryable?: boolean} | null}} job
 * @returns {Problem} */
export function ofEnd({ status, error }) {
  return ofJob(status in ENDS ? { title: ENDS[status], retryable: true } : error);
}

/** The person asked for an edit before saying of what.
 * @param {"photo" | "caption" | "model"} missing @returns {Problem} */
export function incomplete(missing) {
  return {
    status: 0,
    title: t(`missing.${missing}.title`),
    detail: t(`missing.${missing}.detail`),
    advice: t(`missing.${missing}.advice`),
    retryable: false,
  };
}

/** A file over the server's limit, which need not be sent to be refused. @returns {Problem} */
export function tooLarge() {
  return {
    status: 413,
    title: t("problem.large-file.title"),
    detail: t("problem.large-file.detail"),
    advice: t("problem.too-large.advice"),
    retryable: false,
  };
}

/** The browser cannot show a file that the server accepted. @returns {Problem} */
export function undecodable() {
  return {
    status: 0,
    title: t("problem.undecodable.title"),
    detail: t("problem.undecodable.detail"),
    advice: t("problem.not-a-picture.advice"),
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
    title: t("problem.page.title"),
    detail: error instanceof Error ? error.message : String(error),
    advice: t("problem.page.advice"),
    retryable: true,
  };
}

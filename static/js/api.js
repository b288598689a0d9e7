/**
 * The server, as functions: the only file that knows its addresses.
 *
 * @typedef {{image: string, network_image: string, media_type: string, width: number,
 *   height: number, seed: number,
 *   words: string[], stages: string[], heatmaps: import("./attention.js").Heatmap[],
 *   scores: {word: number, score: number}[], position: number | null}} Output
 * @typedef {{image: string, name: string | null, image_id: string | null, score: number}} Match
 * @typedef {{id: string, status: string, queue_position: number | null, eta_s: number | null,
 *   progress: number, model: string, caption: string, created_at: string,
 *   outputs: Output[], animation: string | null, matches: Match[], searched: number | null,
 *   not_yet_searched: number | null,
 *   metrics: {queue_s: number, predict_s: number} | null,
 *   error: {title?: string, detail?: string, retryable?: boolean} | null,
 *   links: {self: string, cancel: string, retry: string}}} Job
 * @typedef {{id: string, name: string | null, models: string[], status: string,
 *   request_counts: {total: number, succeeded: number, failed: number, canceled: number, expired: number,
 *   pending: number}, eta_s: number | null, created_at: string, expires_at: string | null,
 *   links: {self: string, cancel: string, items: string, results: string}}} Batch
 * @typedef {{number: number, id: string, caption: string | null,
 *   error: {title: string, detail: string} | null}} BatchItem
 */

import { RequestFailed, fromAnswer, ofEnd, ofJob, unreachable } from "./problems.js";

const POLL_MS = 400;
const UNFINISHED = new Set(["queued", "starting", "processing"]);

/** @typedef {{isReady: boolean, models: string[], queued: number | null}} Readiness
 *   models: those that a worker has in memory; queued: jobs that wait, where that is known */

/** @returns {Promise<Readiness>} */
export async function readiness() {
  const response = await reach("/readyz", { cache: "no-store" });
  const body = response.ok ? await response.json() : { models: [], queued: null };
  return { isReady: response.ok, models: body.models, queued: body.queued };
}

/** @returns {Promise<boolean>} whether a worker has its models warm */
export async function isReady() {
  return (await readiness()).isReady;
}

/** @returns {Promise<Job[]>} the newest first */
export async function listJobs() {
  return (await ask("/jobs?limit=50", { cache: "no-store" })).jobs;
}

/** @typedef {{id: string, host: string, device: string, models: string[],
 *   memory_bytes: Record<string, number>,
 *   doing: {kind: string, id: string} | null}} Worker */

/** @returns {Promise<Worker[]>} */
export async function listWorkers() {
  return (await ask("/workers", { cache: "no-store" })).workers;
}

/** @returns {Promise<Batch[]>} the newest first */
export async function listBatches() {
  return (await ask("/batches?limit=20", { cache: "no-store" })).batches;
}

/** Sends a batch: its lines, and the ZIP of pictures that they name.
 * @param {{items: File, images: File | null, name: string}} fields
 * @param {(share: number) => void} onSent hears how much is sent, from 0 to 1
 * @returns {Promise<Batch>} */
export function createBatch({ items, images, name }, onSent) {
  const body = form({
    name,
    items: [items, items.name],
    ...(images ? { images: /** @type {[Blob, string]} */ ([images, images.name]) } : {}),
  });
  return send("/batches", body, onSent);
}

/** @param {Batch} batch */
export async function cancelBatch(batch) {
  await reach(batch.links.cancel, { method: "POST" });
}

/** @param {Batch} batch @returns {Promise<BatchItem[]>} the first rows that failed */
export async function listFailedItems(batch) {
  return (await ask(`${batch.links.items}?status=failed&limit=50`, { cache: "no-store" })).items;
}

/** @typedef {{status: string, progress: number, model: string | null,
 *   error: {title: string, detail: string} | null, links: {self: string}}} Import */

/** Sends the files of an import. @param {FormData} body
 * @param {(share: number) => void} onSent hears how much is sent, from 0 to 1
 * @returns {Promise<Import>} */
export function importWeights(body, onSent) {
  return send("/imports", body, onSent);
}

/** The new model's id when it is there. @param {Import} begun
 * @param {(now: Import) => void} onProgress hears of it on the way @returns {Promise<string>} */
export async function whenImported(begun, onProgress) {
  let now = begun;
  while (UNFINISHED.has(now.status)) {
    onProgress(now);
    await pause(POLL_MS);
    now = await ask(begun.links.self, { cache: "no-store" });
  }
  if (now.model !== null) return now.model;
  const problem = ofJob(now.error);
  // The list of entries that don't fit is of no language.
  throw new RequestFailed({ ...problem, detail: now.error?.detail ?? problem.detail });
}

/** @param {string} model @param {string} caption @param {AbortSignal} [signal]
 * @returns {Promise<{words: {word: string, known: boolean}[],
 *   unknown_words: import("./state.js").UnknownWord[], other_model: string | null}>} */
export function checkCaption(model, caption, signal) {
  return ask(`/captions/check?${new URLSearchParams({ model, caption })}`, { signal });
}

/** @param {string} url @returns {Promise<Blob>} */
export async function download(url) {
  const response = await reach(url);
  if (!response.ok) throw new RequestFailed(fromAnswer(response.status, null));
  return response.blob();
}

/** Stores a photo, so that many captions can be tried on it.
 * @param {Blob} file @param {string} name @returns {Promise<import("./uploads.js").Stored>} */
export function uploadImage(file, name) {
  return storeImage(form({ image: [file, name] }));
}

/** Has the server fetch a photo. @param {string} url
 * @returns {Promise<import("./uploads.js").Stored>} */
export function fetchImage(url) {
  return storeImage(form({ image_url: url }));
}

/** Where a stored photo can be had. @param {import("./uploads.js").Stored} stored */
export function addressOf({ imageId }) {
  return `/images/${imageId}`;
}

/** @param {FormData} body @returns {Promise<import("./uploads.js").Stored>} */
async function storeImage(body) {
  const { image_id, expires_at } = await ask("/images", { method: "POST", body });
  return { imageId: image_id, expiresAt: Date.parse(expires_at) };
}

/** @typedef {{caption_to?: string, image_id_to?: string, steps?: number}} Steps  to another end */

/** Asks for an edit, with as many seeds or steps, and waits up to `waitS` seconds for it.
 * @param {{imageId: string, ask: import("./state.js").Ask, variations: number, steps: Steps,
 *   crop: string, mask: Blob | null, full: boolean, waitS: number, signal: AbortSignal}} wish
 * @returns {Promise<Job>} finished or not */
export function manipulate(wish) {
  const { imageId, ask: edit, variations, steps, crop, mask, full, waitS, signal } = wish;
  const to = Object.entries(steps).map(([name, value]) => [name, String(value)]);
  const body = form({
    ...(mask ? { mask: /** @type {[Blob, string]} */ ([mask, "mask.png"]) } : {}),
    image_id: imageId,
    model: edit.model,
    caption: edit.caption,
    seed: String(edit.seed),
    variations: String(variations),
    ...Object.fromEntries(to),
    crop,
    full_resolution: String(full),
  });
  return ask("/manipulate", { method: "POST", body, headers: { Prefer: `wait=${waitS}` }, signal });
}

/** Asks for the object in a part of a photo, and waits a while for it.
 * @param {{imageId: string, crop: string, signal: AbortSignal}} wish
 * @returns {Promise<Job>} finished or not */
export function findObject({ imageId, crop, signal }) {
  const body = form({ image_id: imageId, crop });
  return ask("/masks", { method: "POST", body, headers: { Prefer: "wait=10" }, signal });
}

/** Asks for a picture from words alone and waits up to `waitS` seconds for it.
 * @param {{ask: import("./state.js").Ask, variations: number, steps: Steps, waitS: number,
 *   signal: AbortSignal}} wish @returns {Promise<Job>} finished or not */
export function generate({ ask: { model, caption, seed }, variations, steps, waitS, signal }) {
  const body = JSON.stringify({ model, caption, seed, variations, ...steps });
  const headers = { "Content-Type": "application/json", Prefer: `wait=${waitS}` };
  return ask("/generate", { method: "POST", body, headers, signal });
}

/** The job when it has succeeded; `onProgress` hears of it on the way.
 * @param {Job} job @param {{signal: AbortSignal, onProgress: (job: Job) => void}} options
 * @returns {Promise<Job>} */
export async function whenDone(job, { signal, onProgress }) {
  while (UNFINISHED.has(job.status)) {
    onProgress(job);
    await pause(POLL_MS, signal);
    job = await ask(job.links.self, { signal, cache: "no-store" });
  }
  if (job.status !== "succeeded") throw new RequestFailed(ofEnd(job));
  return job;
}

/** Looks for pictures like one, but as words say; or like one of the two.
 * @param {{image: [Blob, string] | null, caption: string, among: string[],
 *   signal: AbortSignal}} wish @returns {Promise<Job>} finished or not */
export function search({ image, caption, among, signal }) {
  const body = form({ ...(caption ? { caption } : {}), ...(image ? { image } : {}) });
  for (const name of among) body.append("among", name);
  return ask("/search", { method: "POST", body, headers: { Prefer: "wait=10" }, signal });
}

/** @param {Job} job */
export async function cancel(job) {
  await reach(job.links.cancel, { method: "POST" });
}

/** Asks for a job anew that came to nothing. @param {Job} job @returns {Promise<Job>} the new one */
export function retry(job) {
  return ask(job.links.retry, { method: "POST" });
}

/** @param {string} url @param {RequestInit} [options] @returns {Promise<any>} */
async function ask(url, options) {
  const response = await reach(url, options);
  const body = await response.json().catch(() => null);
  if (!response.ok || body === null) throw new RequestFailed(fromAnswer(response.status, body));
  return body;
}

/** @param {string} url @param {RequestInit} [options] */
async function reach(url, options = {}) {
  try {
    return await fetch(url, options);
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw new RequestFailed(unreachable(navigator.onLine));
  }
}

/** Sends what is large and tells how much of it has gone, which `fetch` can't.
 * @param {string} url @param {FormData} body @param {(share: number) => void} onSent
 * @returns {Promise<any>} */
function send(url, body, onSent) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.responseType = "json";
    request.upload.addEventListener("progress", ({ loaded, total }) => onSent(loaded / total));
    request.addEventListener("load", () => {
      if (request.status < 300 && request.response) resolve(request.response);
      else reject(new RequestFailed(fromAnswer(request.status, request.response)));
    });
    request.addEventListener("error", () => {
      reject(new RequestFailed(unreachable(navigator.onLine)));
    });
    request.open("POST", url);
    request.send(body);
  });
}

/** @param {Record<string, string | [Blob, string]>} fields */
function form(fields) {
  const data = new FormData();
  for (const [name, value] of Object.entries(fields)) {
    if (typeof value === "string") data.append(name, value);
    else data.append(name, ...value);
  }
  return data;
}

/** @param {number} ms @param {AbortSignal} [signal] @returns {Promise<void>} */
function pause(ms, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(signal?.reason);
    });
  });
}

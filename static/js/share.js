/**
 * A picture as a link: what made it, after the `#`, which no browser sends to a server. Pure; reads
 * what others wrote, trusts none of it.
 *
 * @typedef {import("./parameters.js").Parameters} Parameters
 * @typedef {Parameters & {sample: string | null, image: string | null}} Shared  sample: the name of
 *   one; image: the server's id of a photo; neither where words alone are shared
 */

import { checked } from "./parameters.js";

const PREFIX = "#share?";
const SAMPLE = /^[\w-]{1,100}$/;
const IMAGE = /^uploads-[0-9a-f]{32}(\.[a-z0-9]{1,5})?$/;

/** The part of a link after the host.
 * @param {import("./state.js").Ask} ask @param {{sample?: string, image?: string}} photo */
export function linkTo({ photo, model, caption, seed, crop }, { sample, image }) {
  const task = photo === null ? "generate" : "manipulate";
  const fields = new URLSearchParams({ task, model, caption, seed: String(seed) });
  if (crop && (sample || image)) {
    fields.set("crop", [crop.left, crop.top, crop.width, crop.height].join(","));
  }
  if (sample) fields.set("sample", sample);
  else if (image) fields.set("image", image);
  return `/${PREFIX}${fields}`;
}

/** @param {string} hash of an address @returns {Shared | null} null: it is no such link */
export function readLink(hash) {
  if (!hash.startsWith(PREFIX)) return null;
  const said = Object.fromEntries(new URLSearchParams(hash.slice(PREFIX.length)));
  const parameters = checked(said);
  if (!parameters) return null;
  const sample = SAMPLE.test(said.sample ?? "") ? said.sample : null;
  const image = IMAGE.test(said.image ?? "") ? said.image : null;
  return { ...parameters, sample, image };
}

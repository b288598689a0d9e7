import assert from "node:assert/strict";
import test from "node:test";
import { linkTo, readLink } from "../../static/js/share.js";

const CROP = { left: 1, top: 2, width: 30, height: 30 };
const ASK = { photo: "p1", model: "flowers", caption: "röt & #blau?", seed: 7, crop: CROP };
const IMAGE = `uploads-${"0a".repeat(16)}.jpeg`;

/** What a link says to a page that is opened by it. */
function opened(ask, photo) {
  return readLink(new URL(linkTo(ask, photo), "http://x.test").hash);
}

test("a link says again what made the picture, and which photo", () => {
  const { photo, ...said } = ASK;
  const read = { task: "manipulate", ...said, sample: null, image: null };
  assert.deepEqual(opened(ASK, { sample: "dahlia" }), { ...read, sample: "dahlia" });
  assert.deepEqual(opened(ASK, { image: IMAGE }), { ...read, image: IMAGE });
  const drawing = { ...ASK, photo: null, crop: null };
  assert.deepEqual(opened(drawing, {}), { ...read, task: "generate", crop: null });
});

test("without the photo its area is not told either", () => {
  assert.equal(opened(ASK, {}).crop, null);
});

test("a link is sent to no server but the page's own, and nothing of it in a request", () => {
  assert.match(linkTo(ASK, { sample: "dahlia" }), /^\/#share\?/);
});

test("an address that is no such link, or one that somebody has bent, is none", () => {
  for (const hash of ["", "#edit", "#share?", "#share?task=manipulate&model=a&caption=b&seed=-1"]) {
    assert.equal(readLink(hash), null);
  }
  const words = "#share?task=manipulate&model=a&caption=b&seed=1";
  assert.equal(readLink(`${words}&image=../jobs/1`).image, null);
  assert.equal(readLink(`${words}&sample=//evil.test/a`).sample, null);
  assert.equal(readLink(`${words}&crop=1,2,3`).crop, null);
  assert.equal(readLink(words.replace("=b", `=${"b".repeat(301)}`)), null);
});

import assert from "node:assert/strict";
import test from "node:test";
import * as is from "../../static/js/state.js";

const TAGAN = { title: "TAGAN", image_size: 64, tasks: ["manipulate"] };
const MODELS = [
  { ...TAGAN, id: "flowers", domain: "flowers", examples: ["a", "b", "a"] },
  { ...TAGAN, id: "clothes", domain: "clothes", examples: ["c"] },
];
const PHOTO = { token: "p1", name: "rose.jpg", width: 400, height: 300 };

/** The state of a person who is about to press Go. */
function ready() {
  let state = is.withCatalogue(is.INITIAL, MODELS, []);
  state = is.withPhoto(state, PHOTO);
  return is.withCaption(state, "yellow petals");
}

function resultOf(state, { full = true, image = "/1" } = {}) {
  const ask = is.asked(state);
  const rest = { mediaType: "image/jpeg", width: 400, height: 300, seconds: 0.1 };
  return { key: is.keyOf(ask), ask, full, image, ...rest };
}

test("models that edit no photo are not offered", () => {
  const makers = [{ ...TAGAN, id: "maker", domain: "birds", examples: [], tasks: ["generate"] }];
  const state = is.withCatalogue(is.INITIAL, [...makers, ...MODELS], []);
  assert.deepEqual(state.models, MODELS);
  assert.equal(state.model, "flowers");
});

test("Go asks for nothing until photo, model and caption are there", () => {
  assert.equal(is.missing(is.INITIAL), "photo");
  assert.equal(is.missing(is.withCaption(ready(), "  ")), "caption");
  assert.equal(is.missing({ ...ready(), model: null }), "model");
  assert.equal(is.asked(is.withCaption(ready(), " ")), null);
  assert.notEqual(is.asked(ready()), null);
});

test("a photo comes with the largest centred square", () => {
  assert.deepEqual(ready().crop, { left: 50, top: 0, width: 300, height: 300 });
});

test("a caption stays on one line", () => {
  assert.equal(is.withCaption(ready(), "a\n b").caption, "a b");
});

test("the answer to an edit that is no longer the latest is dropped", () => {
  const first = is.started(ready(), 1);
  const second = is.started(first, 2);
  assert.equal(is.finished(second, 1, resultOf(first)), second);
  assert.equal(is.progressed(second, 1, "queued", 3), second);
  assert.equal(is.failed(second, 1, { title: "x" }), second);
});

test("an answer after the person gave up is dropped", () => {
  const stopped = is.idle(is.started(ready(), 1));
  assert.equal(is.finished(stopped, 1, resultOf(stopped)), stopped);
});

test("the answer to the latest edit is shown beside the photo", () => {
  const state = is.finished(is.started(ready(), 1), 1, resultOf(ready()));
  assert.equal(state.shown.image, "/1");
  assert.equal(state.view, "compare");
  assert.equal(is.isBusy(state), false);
});

test("previews are shown but not kept, full pictures are kept once", () => {
  let state = is.shownResult(ready(), resultOf(ready(), { full: false }));
  assert.equal(state.results.length, 0);
  state = is.shownResult(state, resultOf(state));
  state = is.shownResult(state, resultOf(state));
  assert.equal(state.results.length, 1);
});

test("the same edit is known again, another seed or crop is another edit", () => {
  const state = is.shownResult(ready(), resultOf(ready()));
  assert.ok(is.madeBefore(state, is.asked(state)));
  assert.equal(is.madeBefore(state, is.asked(is.withSeed(state, 5))), null);
  const crop = { left: 0, top: 0, width: 300, height: 300 };
  assert.equal(is.madeBefore(state, is.asked(is.withCrop(state, crop))), null);
});

test("a result of the filmstrip brings back all that made it", () => {
  const made = is.shownResult(is.withSeed(ready(), 7), resultOf(is.withSeed(ready(), 7)));
  let state = is.withPhoto(made, { ...PHOTO, token: "p2" });
  state = is.withSeed(is.withModel(is.withCaption(state, "other"), "clothes"), 1);
  state = is.restored(state, made.shown.key);
  const { photo, caption, seed, model, shown } = state;
  assert.deepEqual(
    { photo, caption, seed, model },
    { photo: "p1", caption: "yellow petals", seed: 7, model: "flowers" },
  );
  assert.equal(shown.image, "/1");
});

test("in live mode a result leaves the square in view while it is being placed", () => {
  let state = is.withLive(ready(), true);
  state = is.withCrop(state, { left: 0, top: 0, width: 200, height: 200 });
  assert.equal(is.shownResult(state, resultOf(state, { full: false })).view, "crop");
  state = is.withCaption(state, "red petals");
  assert.equal(is.shownResult(state, resultOf(state, { full: false })).view, "compare");
});

test("unknown words for a caption that has changed since are dropped", () => {
  const state = ready();
  const words = [{ word: "flowr", nearest: ["flower"] }];
  const late = { model: "flowers", caption: "flowr" };
  assert.equal(is.withUnknownWords(state, late, words), state);
  const now = { model: "flowers", caption: state.caption };
  assert.deepEqual(is.withUnknownWords(state, now, words).unknownWords, words);
});

test("a seed outside of 32 bits is not taken", () => {
  for (const seed of [-1, 2 ** 32, Number.NaN]) assert.equal(is.withSeed(ready(), seed).seed, 0);
  assert.equal(is.withSeed(ready(), 2 ** 32 - 1).seed, 2 ** 32 - 1);
});

test("suggestions are the model's examples, each once", () => {
  assert.deepEqual(is.suggestions(ready()), ["a", "b"]);
});

test("leaving a photo keeps its results, and coming back shows the latest", () => {
  const left = is.withoutPhoto(is.shownResult(ready(), resultOf(ready())));
  assert.equal(left.photo, null);
  const back = is.returned(left);
  assert.equal(back.photo, "p1");
  assert.equal(back.shown.image, "/1");
});

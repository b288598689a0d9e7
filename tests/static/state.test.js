import assert from "node:assert/strict";
import test from "node:test";
import * as wording from "../../static/js/wording.js";
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
  return wording.withCaption(state, "yellow petals");
}

const MAKER = { ...TAGAN, id: "maker", domain: "birds", examples: ["d"], tasks: ["generate"] };
const FINDER = { ...MAKER, id: "finder", tasks: ["search"] };

test("a model is offered for what it can do: to edit, to draw, or neither here", () => {
  const state = is.withCatalogue(is.INITIAL, [FINDER, MAKER, ...MODELS], []);
  assert.deepEqual([is.fittingModels(state), state.model], [MODELS, "flowers"]);
  const drawing = is.withDrawing(state);
  assert.deepEqual([is.fittingModels(drawing), drawing.model], [[MAKER], "maker"]);
  assert.equal(is.withPhoto(drawing, PHOTO).model, "flowers");
  assert.equal(is.canDraw(is.withCatalogue(is.INITIAL, MODELS, [])), false);
});

test("drawing asks for words alone", () => {
  const state = is.withDrawing(is.withCatalogue(is.INITIAL, [MAKER, ...MODELS], []));
  assert.equal(is.missing(state), "caption");
  const ask = is.asked(wording.withCaption(state, " a bird "));
  assert.deepEqual(ask, { photo: null, model: "maker", caption: "a bird", seed: 0, crop: null });
  assert.equal(is.withView(state, "compare").view, "whole");
  assert.equal(is.isOpen(is.withoutPhoto(state)), false);
});

test("Go asks for nothing until photo, model and caption are there", () => {
  assert.equal(is.missing(is.INITIAL), "photo");
  assert.equal(is.missing(wording.withCaption(ready(), "  ")), "caption");
  assert.equal(is.missing({ ...ready(), model: null }), "model");
  assert.equal(is.asked(wording.withCaption(ready(), " ")), null);
  assert.notEqual(is.asked(ready()), null);
});

test("a photo comes with the largest centred square", () => {
  assert.deepEqual(ready().crop, { left: 50, top: 0, width: 300, height: 300 });
});

test("a caption stays on one line", () => {
  assert.equal(wording.withCaption(ready(), "a\n b").caption, "a b");
});

test("what is said of a caption that has changed since is dropped", () => {
  const state = ready();
  const words = [{ word: "flowr", nearest: ["flower"] }];
  const answer = { unknownWords: words, otherModel: "birds" };
  const late = { model: "flowers", caption: "flowr" };
  assert.equal(wording.withCheckedWords(state, late, answer), state);
  const now = { model: "flowers", caption: state.caption };
  const checked = wording.withCheckedWords(state, now, answer);
  assert.deepEqual(checked.unknownWords, words);
  assert.equal(checked.otherModel, "birds");
});

test("a seed outside of 32 bits is not taken", () => {
  for (const seed of [-1, 2 ** 32, Number.NaN]) assert.equal(is.withSeed(ready(), seed).seed, 0);
  assert.equal(is.withSeed(ready(), 2 ** 32 - 1).seed, 2 ** 32 - 1);
});

test("suggestions are the model's examples, each once", () => {
  assert.deepEqual(wording.suggestions(ready()), ["a", "b"]);
});

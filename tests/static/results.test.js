import "./english.js";
import assert from "node:assert/strict";
import test from "node:test";
import * as results from "../../static/js/results.js";
import * as running from "../../static/js/running.js";
import * as wording from "../../static/js/wording.js";
import * as is from "../../static/js/state.js";

const TAGAN = { title: "TAGAN", image_size: 64, tasks: ["manipulate"] };
const MAKER = { ...TAGAN, id: "maker", domain: "birds", examples: [], tasks: ["generate"] };
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

function resultOf(state, { full = true, image = "/1" } = {}) {
  const ask = is.asked(state);
  const rest = { mediaType: "image/jpeg", width: 400, height: 300, seconds: 0.1, made: 1, favourite: false };
  return { key: is.keyOf(ask), ask, full, image, ...rest };
}

test("the answer to an edit that is no longer the latest is dropped", () => {
  const first = running.started(ready(), 1);
  const second = running.started(first, 2);
  assert.equal(results.finished(second, 1, resultOf(first)), second);
  assert.equal(running.progressed(second, 1, "queued", 3), second);
  assert.equal(running.failed(second, 1, { title: "x" }), second);
});

test("an answer after the person gave up is dropped", () => {
  const stopped = running.idle(running.started(ready(), 1));
  assert.equal(results.finished(stopped, 1, resultOf(stopped)), stopped);
});

test("the answer to the latest edit is shown beside the photo", () => {
  const state = results.finished(running.started(ready(), 1), 1, resultOf(ready()));
  assert.equal(state.shown.image, "/1");
  assert.equal(state.view, "compare");
  assert.equal(running.isBusy(state), false);
});

test("previews are shown but not kept, full pictures are kept once", () => {
  let state = results.shownResult(ready(), resultOf(ready(), { full: false }));
  assert.equal(state.results.length, 0);
  state = results.shownResult(state, resultOf(state));
  state = results.shownResult(state, resultOf(state));
  assert.equal(state.results.length, 1);
});

test("the same edit is known again, another seed or crop is another edit", () => {
  const state = results.shownResult(ready(), resultOf(ready()));
  assert.ok(results.madeBefore(state, is.asked(state)));
  assert.equal(results.madeBefore(state, is.asked(is.withSeed(state, 5))), null);
  const crop = { left: 0, top: 0, width: 300, height: 300 };
  assert.equal(results.madeBefore(state, is.asked(is.withCrop(state, crop))), null);
});

test("a result of the filmstrip brings back all that made it", () => {
  const made = results.shownResult(is.withSeed(ready(), 7), resultOf(is.withSeed(ready(), 7)));
  let state = is.withPhoto(made, { ...PHOTO, token: "p2" });
  state = is.withSeed(is.withModel(wording.withCaption(state, "other"), "clothes"), 1);
  state = results.restored(state, made.shown.key);
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
  assert.equal(results.shownResult(state, resultOf(state, { full: false })).view, "crop");
  state = wording.withCaption(state, "red petals");
  assert.equal(results.shownResult(state, resultOf(state, { full: false })).view, "compare");
});

test("leaving a photo keeps its results, and coming back shows the latest", () => {
  const left = is.withoutPhoto(results.shownResult(ready(), resultOf(ready())));
  assert.equal(left.photo, null);
  const back = results.returned(left);
  assert.equal(back.photo, "p1");
  assert.equal(back.shown.image, "/1");
});

/** The state of a person who has made one picture for each caption. */
function withMade(...captions) {
  return captions.reduce((before, caption, n) => {
    const state = wording.withCaption(before, caption);
    return results.shownResult(state, { ...resultOf(state, { image: `/${n}` }), made: n });
  }, ready());
}

test("undo goes back to what was shown, at last to the photo as it came; redo forward", () => {
  let state = withMade("red", "blue");
  state = results.travelled(state, -1);
  assert.deepEqual([state.shown.image, state.caption], ["/0", "red"]);
  state = results.travelled(state, -1);
  assert.deepEqual([state.shown, state.photo, state.view], [null, "p1", "crop"]);
  assert.equal(results.travelled(state, -1), state);
  state = results.travelled(results.travelled(state, 1), 1);
  assert.equal(state.shown.image, "/1");
  assert.equal(results.travelled(state, 1), state);
});

test("a new picture after undo is a branch: nothing is ahead, and nothing is lost", () => {
  let state = results.travelled(withMade("red", "blue"), -1);
  state = wording.withCaption(state, "pink");
  state = results.shownResult(state, { ...resultOf(state, { image: "/2" }), made: 2 });
  assert.equal(results.travelled(state, 1), state);
  assert.equal(results.travelled(state, -1).shown.image, "/0");
  assert.deepEqual(
    state.results.map((result) => result.image),
    ["/0", "/1", "/2"],
  );
});

test("undo goes back to another photo too, as it came", () => {
  const state = is.withPhoto(withMade("red"), { ...PHOTO, token: "p2" });
  const back = results.travelled(state, -1);
  assert.deepEqual([back.photo, back.shown.image], ["p1", "/0"]);
  assert.equal(results.travelled(back, 1).photo, "p2");
});

test("a deleted result is nowhere, and has its place again when it is had back", () => {
  const made = withMade("red", "blue", "pink");
  const { key } = made.results[1];
  const state = results.withoutResult(made, key);
  assert.deepEqual(
    state.results.map((result) => result.image),
    ["/0", "/2"],
  );
  assert.equal(results.travelled(state, -1).shown.image, "/0");
  const back = results.withResult(state, state.toast.deleted);
  assert.deepEqual(back.results, made.results);
  assert.equal(back.toast, null);
});

test("deleting what is shown leaves the photo", () => {
  const made = withMade("red");
  const state = results.withoutResult(made, made.shown.key);
  assert.deepEqual([state.shown, state.photo, state.view], [null, "p1", "crop"]);
});

test("favourites are marked, shown alone on wish, and not pruned", () => {
  let state = results.favoured(withMade("a", "b"), withMade("a").shown.key);
  assert.deepEqual(
    results.onFilm(results.withFavouritesOnly(state, true)).map((result) => result.ask.caption),
    ["a"],
  );
  for (let n = 0; n < 210; n += 1) {
    state = is.withSeed(state, n + 1);
    state = results.shownResult(state, { ...resultOf(state), made: n + 2 });
  }
  assert.equal(state.results.length, 201);
  assert.equal(state.results[0].ask.caption, "a");
});

test("the file of a result is known again by what is written in it", () => {
  const made = withMade("red", "blue");
  const { model, caption, seed, crop } = made.results[0].ask;
  const written = { task: "manipulate", model, caption, seed, crop };
  assert.equal(results.madeWith(made, written), made.results[0]);
  assert.equal(results.madeWith(made, { ...written, seed: 8 }), null);
  assert.equal(results.madeWith(made, { ...written, crop: null }), null);
});

test("a file from elsewhere brings its words, model, seed and area, as far as they fit", () => {
  const crop = { left: 10, top: 20, width: 200, height: 200 };
  const written = { task: "manipulate", model: "clothes", caption: "c", seed: 9, crop };
  const state = results.withParameters(ready(), written);
  assert.deepEqual(is.asked(state), { photo: "p1", model: "clothes", caption: "c", seed: 9, crop });
  const far = { ...written, model: "gone", crop: { ...crop, left: 300 } };
  const other = results.withParameters(ready(), far);
  assert.deepEqual([other.model, other.crop], ["flowers", ready().crop]);
});

test("what the browser kept comes before what was made meanwhile", () => {
  const kept = withMade("red");
  const fresh = is.withPhoto(is.withCatalogue(is.INITIAL, MODELS, []), { ...PHOTO, token: "p9" });
  const state = results.recalled(fresh, [PHOTO], kept.results);
  assert.deepEqual(Object.keys(state.photos), ["p1", "p9"]);
  assert.equal(state.photo, "p9");
  assert.deepEqual(state.results, kept.results);
});

/** The state of a person who has drawn one picture, after editing a photo. */
function withDrawn() {
  const both = is.withCatalogue(withMade("red"), [...MODELS, MAKER], []);
  const state = wording.withCaption(is.withDrawing(both), "a bird");
  return results.shownResult(state, { ...resultOf(state, { image: "/drawn" }), made: 9 });
}

test("a drawing is undone to the blank sheet and then to the photo before it", () => {
  let state = withDrawn();
  assert.deepEqual([state.view, state.drawing], ["whole", true]);
  state = results.travelled(state, -1);
  assert.deepEqual([state.drawing, state.shown, state.model], [true, null, "maker"]);
  state = results.travelled(state, -1);
  assert.deepEqual([state.drawing, state.shown.image, state.model], [false, "/0", "flowers"]);
  assert.equal(results.travelled(results.travelled(state, 1), 1).shown.image, "/drawn");
});

test("what was left last, a drawing too, is what one comes back to", () => {
  const back = results.returned(is.withoutPhoto(withDrawn()));
  assert.deepEqual([back.drawing, back.shown.image], [true, "/drawn"]);
  assert.equal(results.lastName(back), "“a bird”");
});

test("a preview of a drawing is the drawing", () => {
  const state = withDrawn();
  const preview = { ...state.shown, full: false };
  const ask = is.asked(state);
  assert.equal(results.whole({ ...state, shown: preview }, ask).full, true);
  assert.equal(results.whole({ ...state, shown: preview }, { ...ask, seed: 1 }), null);
  assert.equal(results.whole(withMade("red"), is.asked(withMade("red"))), null);
});

test("the file of a drawing brings its words and seed back to a blank sheet", () => {
  const written = { task: "generate", model: "maker", caption: "a bird", seed: 4, crop: null };
  const state = results.redrawn(withDrawn(), written);
  const { drawing, caption, seed, shown } = state;
  assert.deepEqual({ drawing, caption, seed, shown }, {
    drawing: true,
    caption: "a bird",
    seed: 4,
    shown: null,
  });
});

import "./english.js";
import assert from "node:assert/strict";
import test from "node:test";
import { atStep, placeText, wayTo, withSteps } from "../../static/js/between.js";

const STATE = { photos: { p: { name: "rose.jpg" }, q: { name: "lily.jpg" } } };
const ASK = { photo: "p", caption: "red petals", model: "m", seed: 0, crop: null };
const step = (position) => ({ position, result: { key: String(position) } });

test("the ends are named by what differs between them", () => {
  const words = wayTo(STATE, ASK, { caption: "blue petals", photo: null });
  assert.deepEqual([words.from, words.to], ["“red petals”", "“blue petals”"]);
  const photos = wayTo(STATE, ASK, { caption: null, photo: "q" });
  assert.deepEqual([photos.from, photos.to], ["rose.jpg", "lily.jpg"]);
  const both = wayTo(STATE, ASK, { caption: "blue petals", photo: "q" });
  assert.equal(both.to, "lily.jpg, “blue petals”");
});

test("steps are in order, the middle first, and none is beyond the ends", () => {
  const way = withSteps(wayTo(STATE, ASK, { caption: "blue", photo: null }), [
    step(1),
    step(0),
    step(0.5),
  ]);
  assert.deepEqual(
    way.steps.map(({ position }) => position),
    [0, 0.5, 1],
  );
  assert.equal(placeText(way), "50 % of the way to “blue”");
  assert.equal(placeText(atStep(way, -3)), "“red petals”");
  assert.equal(placeText(atStep(way, 9)), "“blue”");
});

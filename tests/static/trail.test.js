import assert from "node:assert/strict";
import test from "node:test";
import { EMPTY, current, moved, stepped, without } from "../../static/js/trail.js";

const stop = (key) => ({ photo: "p", key });
const walked = (...keys) => keys.reduce((trail, key) => stepped(trail, stop(key)), EMPTY);

test("a step to where one stands is none", () => {
  const trail = walked(null, "a");
  assert.equal(stepped(trail, stop("a")), trail);
});

test("nothing lies before the first stop or behind the last", () => {
  assert.equal(moved(EMPTY, -1), null);
  assert.equal(moved(walked("a"), -1), null);
  assert.equal(moved(walked("a"), 1), null);
});

test("after a deletion one stands where one stood, or at the stop before", () => {
  assert.equal(current(without(walked("a", "b", "c"), "a")).key, "c");
  assert.equal(current(without(walked("a", "b", "c"), "c")).key, "b");
  assert.equal(current(without(moved(walked("a", "b", "c"), -1), "c")).key, "b");
  assert.equal(current(without(walked("a"), "a")), null);
});

test("the trail does not grow for ever", () => {
  const trail = walked(...Array.from({ length: 500 }, (_, n) => `${n}`));
  assert.equal(current(trail).key, "499");
  assert.equal(trail.stops.length, 200);
});

import assert from "node:assert/strict";
import test from "node:test";
import { begun, drawnTo, inverted, startsFull, undone } from "../../static/js/mask.js";

const ADD = { erase: false, size: 40.4, points: [10.2, 20.7] };

test("a stroke is whole pixels, and grows by points that are far enough apart to matter", () => {
  let mask = begun([], ADD);
  assert.deepEqual(mask, [{ erase: false, size: 40, points: [10, 21] }]);
  assert.equal(drawnTo(mask, 12, 22), mask);
  mask = drawnTo(mask, 50, 21);
  assert.deepEqual(mask[0].points, [10, 21, 50, 21]);
});

test("undo takes strokes back one by one, inverting too", () => {
  const mask = inverted(begun(begun([], ADD), ADD));
  assert.equal(undone(mask).length, 2);
  assert.equal(undone(undone(undone(undone(mask)))).length, 0);
});

test("inverting twice is nothing, and there is nothing to invert without a stroke", () => {
  const mask = begun([], ADD);
  assert.deepEqual(inverted(inverted(mask)), mask);
  assert.deepEqual(inverted([]), []);
});

test("a mask that begins by erasing starts from all, one that adds from nothing", () => {
  assert.equal(startsFull(begun([], { ...ADD, erase: true })), true);
  assert.equal(startsFull(begun([], ADD)), false);
  assert.equal(startsFull([]), false);
});

import assert from "node:assert/strict";
import test from "node:test";
import { begun, cellsOf, drawnTo, foundIn, inverted, startsFull, undone } from "../../static/js/mask.js";

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

test("an object is kept as runs of its cells, and is the same again when read", () => {
  const box = { left: 5, top: 6, width: 40, height: 40 };
  const levels = [0, 0, 200, 255, 127, 128, 0, 0, 0];
  const object = foundIn(levels, box);
  assert.deepEqual(object, { found: [2, 2, 1, 1, 3], side: 3, box });
  assert.deepEqual([...cellsOf(object)], [0, 0, 255, 255, 0, 255, 0, 0, 0]);
  assert.deepEqual([...cellsOf(foundIn([255, 0, 0, 255], box))], [255, 0, 0, 255]);
});

test("where nothing stands out there is no object", () => {
  assert.equal(foundIn(new Array(320 * 320).fill(100), { left: 0, top: 0, width: 9, height: 9 }), null);
});

test("the brush goes on from an object: strokes come after it, and undo takes it back", () => {
  const object = foundIn([255, 0, 0, 255], { left: 0, top: 0, width: 9, height: 9 });
  assert.equal(startsFull([object]), false);
  assert.deepEqual(drawnTo([object], 50, 50), [object]);
  assert.deepEqual(undone(begun([object], ADD)), [object]);
  assert.deepEqual(undone([object]), []);
});

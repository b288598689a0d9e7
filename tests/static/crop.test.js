import assert from "node:assert/strict";
import test from "node:test";
import {
  MIN_SIDE,
  cornerDragged,
  largestSquare,
  moved,
  resized,
  toField,
} from "../../static/js/crop.js";

const WIDE = { width: 400, height: 300 };
const box = (left, top, side) => ({ left, top, width: side, height: side });

test("the default is the largest centred square", () => {
  assert.deepEqual(largestSquare(WIDE), box(50, 0, 300));
  assert.deepEqual(largestSquare({ width: 301, height: 400 }), box(0, 49, 301));
});

test("a box that is moved stops at the edges", () => {
  assert.deepEqual(moved(box(10, 10, 100), -50, 20, WIDE), box(0, 30, 100));
  assert.deepEqual(moved(box(10, 10, 100), 9999, 9999, WIDE), box(300, 200, 100));
});

test("a box grows around its centre and stays within the photo", () => {
  assert.deepEqual(resized(box(100, 100, 100), 20, WIDE), box(90, 90, 120));
  assert.deepEqual(resized(box(0, 0, 100), 20, WIDE), box(0, 0, 120));
  assert.deepEqual(resized(box(100, 100, 100), 9999, WIDE), box(0, 0, 300));
});

test("a box keeps a smallest side, and a photo smaller than that is taken whole", () => {
  assert.equal(resized(box(100, 100, 100), -9999, WIDE).width, MIN_SIDE);
  assert.equal(resized(box(0, 0, 20), -10, { width: 20, height: 40 }).width, 20);
});

test("each corner leaves the opposite one where it is", () => {
  const from = box(100, 100, 100);
  assert.deepEqual(cornerDragged(from, "se", { x: 250, y: 220 }, WIDE), box(100, 100, 150));
  assert.deepEqual(cornerDragged(from, "nw", { x: 50, y: 90 }, WIDE), box(50, 50, 150));
  assert.deepEqual(cornerDragged(from, "ne", { x: 220, y: 90 }, WIDE), box(100, 80, 120));
  assert.deepEqual(cornerDragged(from, "sw", { x: 90, y: 220 }, WIDE), box(80, 100, 120));
});

test("a dragged corner never leaves the photo, whatever the point", () => {
  for (const corner of ["nw", "ne", "sw", "se"]) {
    for (const x of [-500, 0, 133.7, 399, 900]) {
      for (const y of [-500, 0, 88.8, 299, 900]) {
        const { left, top, width, height } = cornerDragged(box(90, 60, 80), corner, { x, y }, WIDE);
        assert.ok(left >= 0 && top >= 0 && width >= MIN_SIDE && width === height);
        assert.ok(left + width <= WIDE.width && top + height <= WIDE.height);
        assert.ok([left, top, width].every(Number.isInteger));
      }
    }
  }
});

test("the API's field is left,top,width,height", () => {
  assert.equal(toField(box(1, 2, 3)), "1,2,3,3");
});

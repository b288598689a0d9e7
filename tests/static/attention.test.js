import assert from "node:assert/strict";
import test from "node:test";
import { rankedAt, shade, stagesOf, strongest } from "../../static/js/attention.js";

const MAPS = [
  { stage: 1, word: 0, strength: 0.2, image: "/1/0" },
  { stage: 1, word: 1, strength: 0.7, image: "/1/1" },
  { stage: 0, word: 1, strength: 0.9, image: "/0/1" },
  { stage: 1, word: 2, strength: 0.5, image: "/1/2" },
];

/** Two pixels beside each other. */
const map = (left, right) => ({ width: 2, height: 1, grey: Uint8ClampedArray.of(left, right) });

test("stages come once each, the smallest picture first", () => {
  assert.deepEqual(stagesOf(MAPS), [0, 1]);
});

test("the strongest words are those of the stage, the first first", () => {
  assert.deepEqual(
    strongest(MAPS, 1, 2).map(({ word }) => word),
    [1, 2],
  );
});

test("the shade leaves light where a word looked and darkens the rest", () => {
  const [, , , looked, , , , half, , , , away] = shade({
    width: 3,
    height: 1,
    grey: Uint8ClampedArray.of(255, 128, 0),
  });
  assert.equal(looked, 0);
  assert.ok(half > looked && away > half);
  assert.ok(away < 255); // what is in the dark can still be made out
});

test("the words of a place are ranked by their maps there, weighed by their strength", () => {
  const maps = [
    { word: 0, strength: 0.2, map: map(255, 0) },
    { word: 1, strength: 0.8, map: map(128, 255) },
  ];
  assert.deepEqual(
    rankedAt(maps, 0.1, 0.5).map(({ word }) => word),
    [1, 0],
  );
  assert.deepEqual(rankedAt(maps, 1, 1)[0], { word: 1, value: 0.8 });
  assert.equal(rankedAt(maps, 0.9, 0)[1].value, 0);
});

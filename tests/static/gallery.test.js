import assert from "node:assert/strict";
import test from "node:test";
import { countText, matching } from "../../static/js/gallery.js";

const result = (caption, made, favourite = false) => ({
  made,
  favourite,
  ask: { caption, model: "tagan-flowers-64" },
});
const ALL = [result("yellow petals", 1), result("red petals", 2, true), result("Yellow stamen", 3)];
const captions = (...asked) => matching(ALL, ...asked).map(({ ask }) => ask.caption);

test("without a query all are shown, the newest first", () => {
  assert.deepEqual(captions("", false), ["Yellow stamen", "red petals", "yellow petals"]);
});

test("every word of the query must begin a word of the caption or the model", () => {
  assert.deepEqual(captions("yel", false), ["Yellow stamen", "yellow petals"]);
  assert.deepEqual(captions("petals yellow", false), ["yellow petals"]);
  assert.deepEqual(captions("etals", false), []);
  assert.equal(captions("tagan flow", false).length, 3);
});

test("favourites can be shown alone", () => {
  assert.deepEqual(captions("", true), ["red petals"]);
  assert.deepEqual(captions("yellow", true), []);
});

test("it is said how many there are, and why none", () => {
  assert.match(countText(0, 0), /Nothing is kept/);
  assert.match(countText(0, 3), /None of your pictures/);
  assert.equal(countText(2, 3), "2 of 3");
});

import "./english.js";
import assert from "node:assert/strict";
import test from "node:test";
import { countText, foundText, matching, stillServed, thumbnail } from "../../static/js/gallery.js";

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

test("a search names the latest of one's own pictures, if the server may still have them", () => {
  const hour = 3600 * 1000;
  const own = [1, 5, 30].map((age) => ({ made: -age * hour, image: `/jobs/${age}` }));
  assert.deepEqual(stillServed(own.reverse(), 0), ["/jobs/1", "/jobs/5"]);
  const many = Array.from({ length: 100 }, (_, n) => ({ made: -n, image: `/jobs/${n}` }));
  assert.equal(stillServed(many, 0).length, 64);
});

test("the library makes its pictures small, and what was found is said", () => {
  assert.equal(thumbnail("/library/a%20b.jpg", 320), "/library/a%20b.jpg?side=320");
  assert.equal(thumbnail("/jobs/1/outputs/0/image", 320), "/jobs/1/outputs/0/image");
  assert.match(foundText({ matches: [], searched: 0, not_yet_searched: 0 }), /nothing else/);
  assert.match(foundText({ matches: [1], searched: 8, not_yet_searched: 2 }), /of 8 .*2 more/);
});

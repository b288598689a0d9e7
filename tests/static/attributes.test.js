import assert from "node:assert/strict";
import test from "node:test";
import { KINDS, attributesIn, questions, withOther } from "../../static/js/attributes.js";

test("a word has others of its kind, as far as the model knows them", () => {
  const found = attributesIn("a Yellow flower with five yellow petals", ["yellow", "red", "six"]);
  assert.deepEqual(
    found.map(({ text, others }) => [text, others]),
    [
      ["Yellow", ["red"]],
      ["five", ["six"]],
      ["yellow", ["red"]],
    ],
  );
});

test("a word without others is none, and a part of a word neither", () => {
  assert.deepEqual(attributesIn("yellow yellowish", ["yellow"]), []);
  assert.deepEqual(attributesIn("bluebell", ["blue", "red"]), []);
});

test("the word changes where it stands, and no other like it", () => {
  const caption = "yellow petals, yellow stamen";
  const [, second] = attributesIn(caption, ["yellow", "red"]);
  assert.equal(withOther(caption, second, "red"), "yellow petals, red stamen");
});

test("all words are asked about, in captions that are not too long", () => {
  const asked = questions(120);
  assert.ok(asked.every((caption) => caption.length <= 120));
  assert.deepEqual(asked.join(" ").split(" "), Object.values(KINDS).flat());
});

test("no word is of two kinds", () => {
  const words = Object.values(KINDS).flat();
  assert.equal(new Set(words).size, words.length);
});

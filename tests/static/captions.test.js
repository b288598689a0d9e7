import assert from "node:assert/strict";
import test from "node:test";
import {
  coloursIn,
  downloadName,
  segments,
  withColour,
  withWord,
} from "../../static/js/captions.js";

const unknownIn = (caption, words) =>
  segments(caption, words)
    .filter((segment) => segment.unknown)
    .map((segment) => segment.text);

test("segments joined are the caption, letter for letter", () => {
  const caption = "  A flowr,  with flowr's Flowr & émail_blau! ";
  const joined = segments(caption, ["flowr", "émail"]).map((segment) => segment.text);
  assert.equal(joined.join(""), caption);
});

test("unknown words are marked whole, in any case, and inside no other word", () => {
  assert.deepEqual(unknownIn("Flowr flowrs flowr's a-flowr flowr", ["flowr"]), ["Flowr", "flowr"]);
  assert.deepEqual(unknownIn("a t-shirt", ["t-shirt"]), ["t-shirt"]);
});

test("a word is replaced wherever it stands, its capital kept", () => {
  assert.equal(withWord("Flowr, a flowr; flowrs", "flowr", "flower"), "Flower, a flower; flowrs");
});

test("a replacement is text, not a pattern", () => {
  assert.equal(withWord("a b", "b", "$&"), "a $&");
});

test("a swatch changes the first colour only", () => {
  assert.equal(withColour("a red flower with red stamen", "blue"), "a blue flower with red stamen");
});

test("a swatch puts its colour before the last word where there is none", () => {
  assert.equal(withColour("this flower has petals", "yellow"), "this flower has yellow petals");
  assert.equal(withColour("", "yellow"), "yellow");
});

test("colours are found as words, not as parts of words", () => {
  assert.deepEqual(coloursIn("Redder RED, bored; pink"), ["red", "pink"]);
});

test("a download is named after photo and caption, with the ending of its type", () => {
  assert.equal(downloadName("Rose.JPEG", "Yellow petals!", "image/jpeg"), "Rose-yellow-petals.jpg");
  assert.equal(downloadName("a.b.png", "x", "image/png"), "a.b-x.png");
  assert.ok(downloadName("r.webp", "word ".repeat(60), "image/webp").length < 90);
});

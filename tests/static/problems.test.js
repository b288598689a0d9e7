import "./english.js";
import assert from "node:assert/strict";
import test from "node:test";
import {
  fromAnswer,
  ofEnd,
  ofJob,
  problemOf,
  RequestFailed,
  unreachable,
} from "../../static/js/problems.js";
import { started, progressed } from "../../static/js/running.js";
import { INITIAL } from "../../static/js/state.js";
import { progressText } from "../../static/js/status.js";

test("a problem of the server is shown with its own reason, and what to do next", () => {
  const said = { type: "/docs#problem-not-a-picture", detail: "The file is a PDF." };
  const problem = fromAnswer(415, said);
  assert.match(problem.title, /not a picture/);
  assert.equal(problem.detail, "The file is a PDF.");
  assert.match(problem.advice, /JPEG, PNG or WebP/);
});

test("an answer without a problem in it still says something", () => {
  for (const body of [null, "x", {}, { title: 3 }]) {
    const { title, detail, advice } = fromAnswer(500, body);
    assert.ok(title && detail && advice);
  }
});

test("an answer is understood by its type, and one of no known type by its status", () => {
  const { title } = fromAnswer(422, { type: "/docs#problem-unusable-picture" });
  assert.match(title, /picture cannot be edited/);
  assert.equal(fromAnswer(410, { type: "about:blank" }).title, fromAnswer(410, null).title);
  assert.match(fromAnswer(418, null).detail, /418/);
});

test("the field that was wrong is named, and its message made a sentence", () => {
  const errors = [{ field: "caption", message: "the model knows none of these words" }];
  const problem = fromAnswer(422, { title: "Bad fields", detail: "caption: ...", errors });
  assert.equal(problem.field, "caption");
  assert.equal(problem.detail, "The model knows none of these words.");
});

test("only what may go well the next time offers to try again", () => {
  assert.equal(fromAnswer(503, null).retryable, true);
  assert.equal(fromAnswer(422, null).retryable, false);
  assert.equal(ofJob({ retryable: false }).retryable, false);
});

test("a job that was stopped, or is no longer kept, is not told as one that failed", () => {
  assert.equal(ofEnd({ status: "canceled", error: null }).title, "Canceled");
  assert.equal(ofEnd({ status: "canceled", error: null }).retryable, true);
  assert.equal(ofEnd({ status: "expired", error: null }).title, "No longer kept");
  assert.equal(ofEnd({ status: "failed", error: null }).title, "The edit failed");
});

test("being offline and a silent server are told apart", () => {
  assert.notEqual(unreachable(false).title, unreachable(true).title);
});

test("any error becomes a problem", () => {
  assert.equal(problemOf(new RequestFailed(unreachable(true))).status, 0);
  assert.match(problemOf(new TypeError("broken")).detail, /broken/);
});

test("the place in line is told in words", () => {
  const told = (before) => progressText(progressed(started(INITIAL, 1), 1, "queued", before));
  assert.deepEqual([0, 1, 4].map(told), [
    "Next in line…",
    "One edit before yours…",
    "4 edits before yours…",
  ]);
});

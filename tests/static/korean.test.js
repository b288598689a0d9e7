import "./korean.js";
import assert from "node:assert/strict";
import test from "node:test";
import { fromAnswer, ofJob } from "../../static/js/problems.js";
import { progressed, started } from "../../static/js/running.js";
import { INITIAL } from "../../static/js/state.js";
import { progressText } from "../../static/js/status.js";

test("a problem that the server tells in English is told in Korean, by its type", () => {
  const type = "/docs#problem-gone";
  const said = { type, title: "It was here", detail: "the picture is gone" };
  const { title, detail, advice } = fromAnswer(410, said);
  assert.match(title, /보관 기간/);
  assert.doesNotMatch(`${title} ${detail} ${advice}`, /[a-z]/i);
});

test("a field that was wrong is told in Korean too", () => {
  const errors = [{ field: "caption", message: "the model knows none of these words" }];
  const problem = fromAnswer(422, { type: "/docs#problem-invalid-request", errors });
  assert.match(problem.detail, /모델이 아는 단어/);
});

test("why a job failed is told in Korean", () => {
  const { title, detail } = ofJob({ title: "The picture is gone", detail: "upload it again" });
  assert.match(title, /사진이 사라졌어요/);
  assert.doesNotMatch(detail, /upload/);
});

test("Korean counts without plurals", () => {
  const told = (before) => progressText(progressed(started(INITIAL, 1), 1, "queued", before));
  assert.deepEqual([1, 4].map(told), ["앞에 1건이 있어요…", "앞에 4건이 있어요…"]);
});

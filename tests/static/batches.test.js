import "./english.js";

import assert from "node:assert/strict";
import { test } from "node:test";

import { batchText, rowText } from "../../static/js/batches.js";

const counts = { total: 10, succeeded: 4, failed: 0, canceled: 0, expired: 0, pending: 6 };
const batch = { status: "processing", request_counts: counts, eta_s: 130, expires_at: null };

test("a batch says how far it is and how long it will take", () => {
  assert.equal(batchText(batch), "4 of 10 done. About 2 min to go.");
  assert.equal(batchText({ ...batch, eta_s: null }), "4 of 10 done");
});

test("a batch says what it lost", () => {
  const lost = { ...counts, failed: 1, canceled: 5, pending: 0 };
  const ended = { ...batch, request_counts: lost, eta_s: null, expires_at: "2999-01-01T00:00:00Z" };
  const said = batchText({ ...ended, status: "canceled" });
  assert.equal(said, "4 of 10 done, 1 failed, 5 left out");
  const late = { ...ended, request_counts: { ...lost, canceled: 0, expired: 5 } };
  assert.equal(batchText({ ...late, status: "expired" }), "4 of 10 done, 1 failed, 5 left out. It waited too long.");
  const gone = batchText({ ...ended, status: "expired", expires_at: "2000-01-01T00:00:00Z" });
  assert.match(gone, /no longer kept\.$/);
});

test("a row that failed is named by its number, or also by its own id", () => {
  const error = { title: "The line cannot be used", detail: "image: no such file" };
  const item = { number: 3, id: "3", caption: "red", error };
  assert.equal(rowText(item), "Row 4: image: no such file");
  assert.equal(rowText({ ...item, id: "a" }), "Row 4 (a): image: no such file");
});

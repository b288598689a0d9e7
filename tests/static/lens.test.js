import assert from "node:assert/strict";
import test from "node:test";
import { MAX_SCALE, WHOLE, panned, zoomed } from "../../static/js/lens.js";

test("what lies under the pointer stays under it", () => {
  const at = { x: 0.25, y: 0.75 };
  const before = zoomed(WHOLE, 2);
  const after = zoomed(before, 1.7, at);
  for (const side of ["x", "y"]) {
    const seen = (lens) => lens[side] + at[side] / lens.scale;
    assert.ok(Math.abs(seen(before) - seen(after)) < 1e-9);
  }
});

test("a picture is never smaller than its pane, nor enlarged without end", () => {
  assert.deepEqual(zoomed(zoomed(WHOLE, 4, { x: 1, y: 0 }), 0.01), WHOLE);
  assert.equal(zoomed(WHOLE, 1000).scale, MAX_SCALE);
});

test("panning stops at the edges", () => {
  const lens = zoomed(WHOLE, 2);
  assert.deepEqual(panned(lens, 5, -5), { scale: 2, x: 0.5, y: 0 });
  assert.deepEqual(panned(WHOLE, 1, 1), WHOLE);
});

test("a drag across the pane moves the picture by what is seen of it", () => {
  assert.equal(panned(zoomed(WHOLE, 4, { x: 0, y: 0 }), 1, 0).x, 0.25);
});

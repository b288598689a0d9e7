import assert from "node:assert/strict";
import test from "node:test";
import { createFollower } from "../../static/js/live.js";

/** A follower on a clock that the test turns by hand. */
function onTestClock() {
  let now = 0;
  let timers = [];
  const log = [];
  const previews = [];
  const follower = createFollower({
    previewDelayMs: 100,
    quickMs: 200,
    settleDelayMs: 1000,
    preview() {
      log.push("preview");
      return new Promise((resolve, reject) => previews.push({ resolve, reject }));
    },
    async settle() {
      log.push("settle");
    },
    timers: {
      set(run, ms) {
        const timer = { run, at: now + ms };
        timers.push(timer);
        return timer;
      },
      clear(timer) {
        timers = timers.filter((one) => one !== timer);
      },
      now: () => now,
    },
  });
  async function pass(ms) {
    now += ms;
    const due = timers.filter((timer) => timer.at <= now);
    timers = timers.filter((timer) => timer.at > now);
    for (const timer of due) timer.run();
    await new Promise(setImmediate);
  }
  async function answer() {
    previews.shift().resolve();
    await new Promise(setImmediate);
  }
  return { follower, log, pass, answer, previews };
}

test("a preview waits for more to change, but not until nothing does", async () => {
  const { follower, log, pass } = onTestClock();
  follower.changed();
  await pass(60);
  assert.deepEqual(log, []);
  follower.changed();
  await pass(60);
  assert.deepEqual(log, ["preview"]);
});

test("after a quick answer the next preview starts at once, after a slow one it waits", async () => {
  const { follower, log, pass, answer } = onTestClock();
  follower.changed();
  await pass(100);
  await pass(200);
  await answer();
  follower.changed();
  await pass(0);
  assert.deepEqual(log, ["preview", "preview"]);
  await pass(201);
  await answer();
  follower.changed();
  await pass(99);
  assert.deepEqual(log, ["preview", "preview"]);
  await pass(1);
  assert.deepEqual(log, ["preview", "preview", "preview"]);
});

test("there is never more than one preview in flight, and the last change gets one", async () => {
  const { follower, log, pass, answer } = onTestClock();
  follower.changed();
  await pass(100);
  for (let i = 0; i < 3; i++) {
    follower.changed();
    await pass(500);
  }
  assert.deepEqual(log, ["preview"]);
  await answer();
  await pass(0);
  assert.deepEqual(log, ["preview", "preview"]);
});

test("the full picture is made once, when the typing has settled", async () => {
  const { follower, log, pass, answer } = onTestClock();
  follower.changed();
  await pass(100);
  await answer();
  await pass(999);
  assert.deepEqual(log, ["preview"]);
  await pass(1);
  await pass(5000);
  assert.deepEqual(log, ["preview", "settle"]);
});

test("a change before it has settled puts the full picture off", async () => {
  const { follower, log, pass, answer } = onTestClock();
  follower.changed();
  await pass(100);
  await answer();
  await pass(900);
  follower.changed();
  await pass(150);
  assert.deepEqual(log, ["preview", "preview"]);
});

test("after stop nothing starts, not even from what was in flight", async () => {
  const { follower, log, pass, answer } = onTestClock();
  follower.changed();
  await pass(100);
  follower.changed();
  follower.stop();
  await answer();
  await pass(5000);
  assert.deepEqual(log, ["preview"]);
});

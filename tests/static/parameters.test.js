import assert from "node:assert/strict";
import test from "node:test";
import { readParameters } from "../../static/js/parameters.js";

const SAID = {
  task: "manipulate",
  model: "flowers",
  caption: 'a "red" {flower}',
  seed: "7",
  crop: "1,2,30,30",
};
const READ = { ...SAID, seed: 7, crop: { left: 1, top: 2, width: 30, height: 30 } };

/** A PNG as far as a reader of its texts looks. */
function png(...chunks) {
  const parts = [Buffer.from([0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10])];
  for (const [kind, data] of chunks) {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(data.length);
    parts.push(length, Buffer.from(kind, "latin1"), Buffer.from(data, "latin1"), Buffer.alloc(4));
  }
  return new Uint8Array(Buffer.concat(parts));
}

const written = (said) => (typeof said === "string" ? said : JSON.stringify(said));
const text = (said) => ["tEXt", `wordbrush\0${written(said)}`];
const jpeg = (said) =>
  new Uint8Array(Buffer.from(`\xff\xd8..ASCII\0\0\0${JSON.stringify(said)}\xff\xdb...`, "latin1"));

test("a PNG and a JPEG tell how they were made", () => {
  assert.deepEqual(readParameters(png(["IHDR", "x".repeat(13)], text(SAID), ["IDAT", ""])), READ);
  assert.deepEqual(readParameters(jpeg(SAID)), READ);
});

test("a picture from words has no area", () => {
  const { crop, ...rest } = SAID;
  assert.equal(readParameters(png(text({ ...rest, task: "generate" }))).crop, null);
});

test("files of others, broken ones and hostile ones tell nothing", () => {
  const bad = [
    png(["tEXt", "Comment\0hello"], ["IDAT", ""]),
    png(text("{not json")),
    png(text("[]")),
    png(text("null")),
    png(text({ ...SAID, seed: "-1" })),
    png(text({ ...SAID, seed: "4294967296" })),
    png(text({ ...SAID, caption: 7 })),
    png(text({ ...SAID, caption: "a".repeat(301) })),
    png(text(SAID)).subarray(0, 40),
    png(["IDAT", ""], text(SAID)),
    new Uint8Array([0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 1]),
    jpeg("ASCII"),
    new Uint8Array(0),
  ];
  for (const bytes of bad) assert.equal(readParameters(bytes), null);
});

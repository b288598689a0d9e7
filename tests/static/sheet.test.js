import "./english.js";
import assert from "node:assert/strict";
import test from "node:test";
import "./english.js";
import * as sheets from "../../static/js/sheet.js";
import { wrapped } from "../../static/js/sheet-picture.js";

const ASK = { photo: "p", model: "a", caption: "red", seed: 5, crop: null };
const MODELS = [
  { id: "a", title: "TAGAN", domain: "flowers", image_size: 64 },
  { id: "b", title: "SISGAN", domain: "flowers", image_size: 64 },
];

test("variations are one request, whatever the seed", () => {
  const sheet = sheets.ofSeeds(ASK, 4);
  assert.deepEqual(
    sheet.cells.map(({ ask }) => ask.seed),
    [5, 6, 7, 8],
  );
  assert.deepEqual(sheets.batches(sheet), [[0, 1, 2, 3]]);
  const last = sheets.ofSeeds({ ...ASK, seed: 2 ** 32 - 1 }, 4);
  assert.equal(last.cells[3].ask.seed, 2 ** 32 - 1);
});

test("each model is a request, with the same words and seed", () => {
  const sheet = sheets.ofModels(ASK, MODELS);
  assert.deepEqual(
    sheet.cells.map(({ ask }) => [ask.model, ask.seed, ask.caption]),
    [
      ["a", 5, "red"],
      ["b", 5, "red"],
    ],
  );
  assert.deepEqual(sheets.batches(sheet), [[0], [1]]);
});

test("captions are rows and models columns", () => {
  const sheet = sheets.ofCaptions(ASK, ["red", "blue"], MODELS);
  assert.deepEqual(
    sheet.cells.map(({ ask }) => `${ask.caption} ${ask.model}`),
    ["red a", "red b", "blue a", "blue b"],
  );
  assert.deepEqual([sheet.rows.length, sheet.columns.length], [2, 2]);
});

test("what is there is not made again, and a gap is no variation of its neighbours", () => {
  const sheet = sheets.filled(sheets.ofSeeds(ASK, 4), [1], [{ key: "k" }]);
  assert.deepEqual(sheets.batches(sheet), [[0], [2, 3]]);
});

test("a sheet says how far it is, troubles included", () => {
  let sheet = sheets.ofModels(ASK, MODELS);
  assert.equal(sheets.progressOf(sheet), "Painting 1 of 2…");
  sheet = sheets.spoiled(sheet, [0], "no");
  assert.equal(sheets.progressOf(sheet), "Painting 2 of 2…");
  assert.equal(sheet.cells[0].problem, "no");
});

test("captions are written one a line; empty ones and repeated ones do not count", () => {
  assert.deepEqual(sheets.captionsIn(" red \n\nblue\nred\npink", 2), ["red", "blue"]);
});

test("captions by photos: each photo with its own square, the one that is edited with its area", () => {
  const crop = { left: 1, top: 2, width: 30, height: 30 };
  const mask = [{ erase: false, size: 4, points: [1, 1] }];
  const ask = { photo: "a", model: "m", caption: "red", seed: 7, crop, mask };
  const photos = [
    { token: "a", name: "a.jpg", width: 50, height: 50 },
    { token: "b", name: "b.jpg", width: 60, height: 40 },
  ];
  const sheet = sheets.ofPhotos(ask, ["red", "blue"], photos);
  assert.deepEqual(sheet.photos, ["a", "b"]);
  assert.deepEqual(sheet.columns, ["a.jpg", "b.jpg"]);
  const square = { left: 10, top: 0, width: 40, height: 40 };
  const other = { photo: "b", model: "m", seed: 7, crop: square };
  assert.deepEqual(
    sheet.cells.map((cell) => cell.ask),
    [ask, { ...other, caption: "red" }, { ...ask, caption: "blue" }, { ...other, caption: "blue" }],
  );
  assert.equal(sheets.batches(sheet).length, 4);
});

test("a name is broken into lines at its blanks, and a long word stays whole", () => {
  const lines = wrapped("this flower has extraordinarily yellow petals", 11, (line) => line.length);
  assert.deepEqual(lines, ["this flower", "has", "extraordinarily", "yellow", "petals"]);
});

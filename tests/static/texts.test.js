import "./english.js";
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import test from "node:test";
import { has, t } from "../../static/js/texts.js";

const FOLDER = new URL("../../static/texts/", import.meta.url);

test("places in a text are filled, with what was given and nothing else", () => {
  const said = t("status.done", { time: "{width}", width: 3, height: 4 });
  assert.equal(said, "Done in {width}, 3 × 4 pixels");
});

test("a text that counts is chosen as the language counts", () => {
  assert.equal(t("status.edits-before", { count: 1 }), "One edit before yours…");
  assert.equal(t("status.edits-before", { count: 0 }), "0 edits before yours…");
});

test("a text that is not there is an error, and can be asked about", () => {
  assert.throws(() => t("no.such"), /no\.such/);
  assert.deepEqual(["status.next", "toString"].map(has), [true, false]);
});

test("each language has exactly the plural forms that it counts by", () => {
  for (const file of readdirSync(FOLDER)) {
    const keys = Object.keys(JSON.parse(readFileSync(new URL(file, FOLDER), "utf8")));
    const { pluralCategories } = new Intl.PluralRules(file.replace(".json", "")).resolvedOptions();
    const forms = /** @type {Map<string, string[]>} */ (new Map());
    for (const key of keys) {
      const [, stem, form] = /^(.*)\.(zero|one|two|few|many|other)$/.exec(key) ?? [];
      if (stem) forms.set(stem, [...(forms.get(stem) ?? []), form]);
    }
    assert.ok(forms.size > 0);
    for (const [stem, own] of forms) {
      assert.deepEqual(own.sort(), [...pluralCategories].sort(), `${file}: ${stem}`);
    }
  }
});

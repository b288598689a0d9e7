/** Stands for a page in English: a test of a module that says something imports this first. */

import { readFileSync } from "node:fs";

const textContent = readFileSync(new URL("../../static/texts/en.json", import.meta.url), "utf8");
const page = { documentElement: { lang: "en" }, getElementById: () => ({ textContent }) };
Object.assign(globalThis, { document: page });

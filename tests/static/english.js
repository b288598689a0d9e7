/** The page is in English: a test of a module that says something imports this first. */

import { speak } from "./speaking.js";

speak("en");

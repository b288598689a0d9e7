/** The page is in Korean, as `english.js` has it in English. */

import { speak } from "./speaking.js";

speak("ko");

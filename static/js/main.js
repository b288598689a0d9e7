/** Puts the page together: the state, what a person can do, and one mount function a component. */

import { mountAddress } from "./address.js";
import { mountCaptionInput } from "./caption-input.js";
import { mountColours } from "./colours.js";
import { mountCompareSlider } from "./compare-slider.js";
import { mountCropBox } from "./crop-box.js";
import { byId } from "./dom.js";
import { mountDownload } from "./download.js";
import { mountEditForm } from "./edit-form.js";
import { createEditor } from "./editor.js";
import { mountFilmstrip } from "./filmstrip.js";
import { mountHelp } from "./help.js";
import { mountHistoryTools } from "./history-tools.js";
import { createHistory } from "./history.js";
import { keepHistory } from "./keeper.js";
import { createMaker } from "./maker.js";
import { mountNotices } from "./notices.js";
import { mountPhotoSource } from "./photo-source.js";
import { createPictures } from "./pictures.js";
import { mountResultView } from "./result-view.js";
import { mountSeedField } from "./seed-field.js";
import { watchServer } from "./server-state.js";
import { INITIAL, withCatalogue } from "./state.js";
import { createStore } from "./store.js";
import { mountSuggestions } from "./suggestions.js";
import { mountToast } from "./toast.js";
import { createUploads } from "./uploads.js";
import { mountWelcome } from "./welcome.js";
import { watchWords } from "./words.js";

const { models, samples } = JSON.parse(byId("catalogue").textContent ?? "{}");
const store = createStore(withCatalogue(INITIAL, models, samples));
const pictures = createPictures();
const uploads = createUploads();
const editor = createEditor(store, pictures, uploads, createMaker(pictures, uploads));

mountWelcome(store, editor);
mountPhotoSource(editor);
mountResultView(store, editor, pictures);
mountDownload(store, pictures);
mountCompareSlider();
mountCropBox(store);
mountCaptionInput(store, editor);
mountEditForm(store, editor);
mountColours(store);
mountSuggestions(store, editor);
mountSeedField(store, editor);
mountFilmstrip(store, editor, pictures);
mountHistoryTools(store, editor);
mountNotices(store, editor);
mountToast(store, editor);
mountHelp();
watchWords(store);
watchServer(store);
await keepHistory(store, pictures, uploads, createHistory());
await mountAddress(store, editor);

document.documentElement.dataset.ready = "";

/** A photo from the camera. The camera is on only while its dialog is open. */

import { byId, setText } from "./dom.js";
import { t } from "./texts.js";

const QUALITY = 0.95;

/** @param {import("./editor.js").Editor} editor */
export function mountCamera(editor) {
  const dialog = /** @type {HTMLDialogElement} */ (byId("camera-dialog"));
  const view = /** @type {HTMLVideoElement} */ (byId("camera-view"));
  const take = byId("camera-take");
  const open = byId("camera");
  open.hidden = !navigator.mediaDevices?.getUserMedia; // it is there on https and localhost only

  open.addEventListener("click", async () => {
    dialog.showModal();
    setText(byId("camera-trouble"), "");
    try {
      view.srcObject = await navigator.mediaDevices.getUserMedia({ video: { width: 1920 } });
      await view.play();
      take.toggleAttribute("disabled", false);
    } catch {
      setText(byId("camera-trouble"), t("camera.trouble"));
    }
    if (!dialog.open) stop(); // it was closed meanwhile
  });
  dialog.addEventListener("close", stop);
  take.addEventListener("click", async () => {
    const file = await still(view);
    dialog.close();
    if (file) editor.choose(file, "camera.jpg");
  });

  function stop() {
    take.toggleAttribute("disabled", true);
    const stream = /** @type {MediaStream | null} */ (view.srcObject);
    for (const track of stream?.getTracks() ?? []) track.stop();
    view.srcObject = null;
  }
}

/** @param {HTMLVideoElement} video @returns {Promise<Blob | null>} */
function still(video) {
  const size = { width: video.videoWidth, height: video.videoHeight };
  const canvas = Object.assign(document.createElement("canvas"), size);
  canvas.getContext("2d")?.drawImage(video, 0, 0);
  return new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", QUALITY));
}

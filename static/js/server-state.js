/** Whether the server can take work now: asked until it can, and again after the network was away. */

import { isReady } from "./api.js";
import { bind, byId, setText } from "./dom.js";
import { withServer } from "./state.js";
import { serverText } from "./status.js";

const ASK_AGAIN_MS = 2000;

/** @param {import("./store.js").Store<import("./state.js").State>} store */
export function watchServer(store) {
  const label = byId("server-state");
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;

  bind(
    store,
    (state) => state.server,
    (server, state) => {
      label.dataset.server = server;
      setText(label, serverText(state));
    },
  );
  window.addEventListener("online", check);
  window.addEventListener("offline", check);
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) check();
  });
  // A failed edit may mean that the server is gone, or that its worker is.
  bind(
    store,
    (state) => state.problem,
    (problem) => {
      if (problem?.retryable) check();
    },
  );
  check();

  async function check() {
    clearTimeout(timer);
    const server = await serverNow();
    store.update((state) => withServer(state, server));
    if (server !== "ready") timer = setTimeout(check, ASK_AGAIN_MS);
  }
}

/** @returns {Promise<import("./state.js").Server>} */
async function serverNow() {
  try {
    return (await isReady()) ? "ready" : "warming";
  } catch {
    return "offline";
  }
}

// A clip: some seconds of the video, with its sound, to hear whether both fit.

import { announce, complain } from "../announce.js";
import { el, say } from "../elements.js";
import { icon } from "../icons.js";
import { askPreview } from "./previews.js";
import { settled } from "./settled.js";

const WIDTH = 640;
const TEXTS = { still: "Play 10 s from here", making: "Cancel clip", playing: "Back to the still" };
const SIGNS = { still: "play", making: "cancel", playing: "picture" };

/**
 * Plays a clip over the still.
 *
 * @param {() => object} wish What the still would show, see askPreview().
 * @returns {object} `button`; `video`, which belongs over the still; `stop()`, for when the still
 *     shows something else.
 */
export function clip(draft, wish) {
  const video = el("video", {
    class: "clip",
    controls: true,
    playsInline: true,
    hidden: true,
    "aria-label": "Clip of the video",
  });
  const text = el("span");
  const button = el("button", { class: "small", type: "button" }, icon("play"), text);
  let controller = null;

  function become(state) {
    button.dataset.state = state;
    button.firstChild.replaceWith(icon(SIGNS[state]));
    say(text, TEXTS[state]);
    video.hidden = state !== "playing";
  }

  function stop() {
    controller?.abort();
    controller = null;
    if (!video.hidden) video.pause();
    video.removeAttribute("src");
    become("still");
  }

  async function make() {
    controller = new AbortController();
    const { signal } = controller;
    become("making");
    announce("Making a clip");
    try {
      const wanted = () => ({ ...wish(), width: WIDTH });
      const { preview } = await askPreview(draft, wanted, { kind: "clip" }, signal);
      const { id } = preview;
      const made = await settled(`/previews/${id}`, preview, signal);
      signal.throwIfAborted();
      if (made.status === "failed") throw new Error(made.reason);
      video.src = made.image_url;
      become("playing");
      // Where a browser wants to be asked once more, there are its controls.
      await video.play().catch(() => video.focus());
    } catch (problem) {
      if (signal.aborted) return;
      stop();
      complain(problem);
    }
  }

  video.addEventListener("error", () => {
    if (!video.hasAttribute("src")) return;
    stop();
    complain(new Error("The clip cannot be played. Ask for it once more."));
  });
  button.addEventListener("click", () => (button.dataset.state === "still" ? make() : stop()));
  become("still");
  return { button, video, stop };
}

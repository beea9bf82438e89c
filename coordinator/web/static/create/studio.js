// The studio: a song on the stage, its timeline, and what can be set.

import { el } from "../elements.js";
import { outputs } from "./outputs.js";
import { songFields } from "./song.js";
import { stage } from "./stage.js";
import { stylePicker } from "./styles.js";
import { timeline } from "./timeline.js";

const FIRST_LOOK_S = 10;

/** Everything there is to do with a song. */
export function studio(context, draft, incoming) {
  const seen = stage(context, draft);
  const along = timeline(draft, seen.look);
  let isPlaced = false; // whether the playhead has a place in this song

  function place() {
    if (isPlaced || draft.durationS === null) return;
    isPlaced = true;
    along.seek(draft.range.start_s + Math.min(FIRST_LOOK_S, draft.videoS / 3), false);
  }

  draft.addEventListener("changed", ({ detail }) => {
    if (detail.has("midi")) isPlaced = false;
    place();
  });
  const song = [seen.element, along.element, songFields(draft, incoming)];
  const video = [stylePicker(context, draft), outputs(context, draft)];
  const element = el(
    "div",
    { class: "studio" },
    el("div", { class: "studio-song" }, song),
    el("div", { class: "stack studio-video" }, video),
  );
  return {
    element,
    show() {
      place();
      seen.show();
    },
    hide: seen.hide,
    /** Have the exports under way among the rest. */
    hold: (underWay) => element.append(underWay),
  };
}

// The beginning: a place to drop a song on, and the songs that were made before.

import { el } from "../elements.js";
import { icon } from "../icons.js";
import { dropOn, fileButton } from "./drop.js";
import { SONG_FILES } from "./kinds.js";
import { recentSongs } from "./recent.js";

/**
 * Where a song begins.
 *
 * @param {(files: FileList) => void} onFiles
 * @param {(composition: object) => void} onSong One that is gone on with.
 */
export function start(onFiles, onSong) {
  const choose = fileButton(
    { class: "primary", accept: SONG_FILES, multiple: true },
    onFiles,
    icon("upload"),
    "Choose files",
  );
  const zone = el(
    "div",
    { class: "zone" },
    el("div", { class: "zone-signs", "aria-hidden": "true" }, icon("music"), icon("wave")),
    el("p", { class: "zone-title", text: "Drop a MIDI file and its recording here" }),
    el("p", {
      class: "hint",
      text:
        "A cover image and lyrics (.lrc) may come along. " +
        "The MIDI alone is enough, too: its video is silent.",
    }),
    choose,
  );
  dropOn(zone, onFiles);
  const recent = recentSongs(onSong);
  const element = el("div", { class: "start" }, zone, recent.element);
  /** What is under way comes before what was made long ago. */
  const hold = (underWay) => zone.after(underWay);
  return { element, show: recent.load, hide: recent.stop, hold };
}

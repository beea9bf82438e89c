// The timeline: the song from afar, the playhead, and which part becomes a video.

import { el, say } from "../elements.js";
import { clock } from "../formatting.js";
import { drawSong } from "./drawing.js";
import { slider } from "./slider.js";
import { timeField } from "./time_field.js";

const SHORTEST_S = 1;

/**
 * The timeline of a draft.
 *
 * @param {(at_s: number, isMoving: boolean) => void} onLook Told where the playhead is.
 */
export function timeline(draft, onLook) {
  const canvas = el("canvas", { "aria-hidden": "true" });
  const playhead = el("div", { class: "playhead" });
  const before = el("div", { class: "beyond before" });
  const after = el("div", { class: "beyond after" });
  const lanes = el("div", { class: "lanes" }, canvas, before, after, playhead);
  const begins = el("div", { class: "trim-handle begins" });
  const ends = el("div", { class: "trim-handle ends" });
  const strip = el("div", { class: "trim" }, el("div", { class: "trim-part" }), begins, ends);
  const from = timeField("From", (time_s) => trim(time_s, null, false));
  const to = timeField("To", (time_s) => trim(null, time_s, false));
  const whole = el("button", { class: "ghost small", type: "button", text: "Whole song" });
  const place = el("output", { class: "place figures" });
  const part = el("span", { class: "hint figures" });
  const legend = el("p", { class: "hint legend" });
  const element = el(
    "section",
    { class: "card timeline", "aria-label": "Timeline" },
    el("div", { class: "spread" }, place, legend),
    el("div", {}, lanes, strip),
    el("div", { class: "row range" }, from.element, to.element, part, whole),
  );
  let at_s = 0;

  const length = () => draft.durationS ?? 0;
  const end = () => draft.range.end_s ?? length();
  const text = (time_s) => `${clock(time_s)} of ${clock(length())}`;

  function setRange(start, stop) {
    const start_s = round(clamp(start ?? draft.range.start_s, 0, (stop ?? end()) - SHORTEST_S));
    const stop_s = round(clamp(stop ?? end(), start_s + SHORTEST_S, length()));
    // The end of the song is left open: it moves with the recording.
    draft.change({ range: { start_s, end_s: stop_s >= round(length()) ? null : stop_s } });
  }

  function seek(time_s, isMoving) {
    at_s = Math.round(time_s * 100) / 100;
    mark();
    onLook(at_s, isMoving);
  }

  const common = { axis: strip, length, text };
  const tellers = [
    slider(playhead, {
      ...common,
      label: "Time of the still",
      axis: lanes,
      surface: lanes,
      bounds: () => [0, length()],
      value: () => at_s,
      onMove: seek,
    }),
    slider(begins, {
      ...common,
      label: "Beginning of the video",
      bounds: () => [0, Math.max(0, end() - SHORTEST_S)],
      value: () => draft.range.start_s,
      onMove: (time_s, isMoving) => trim(time_s, null, isMoving),
    }),
    slider(ends, {
      ...common,
      label: "End of the video",
      bounds: () => [draft.range.start_s + SHORTEST_S, length()],
      value: end,
      onMove: (time_s, isMoving) => trim(null, time_s, isMoving),
    }),
  ];

  /** Whoever sets a beginning or an end wants to see it. */
  function trim(start, stop, isMoving) {
    setRange(start, stop);
    seek(start === null ? end() : draft.range.start_s, isMoving);
  }

  function mark() {
    const share = (time_s) => (length() > 0 ? clamp(time_s / length(), 0, 1) : 0);
    element.style.setProperty("--at", share(at_s));
    element.style.setProperty("--from", share(draft.range.start_s));
    element.style.setProperty("--to", share(end()));
    say(place, `${clock(at_s)} / ${clock(length())}`);
    for (const tell of tellers) tell();
  }

  function refresh() {
    const isWhole = draft.range.start_s === 0 && draft.range.end_s === null;
    from.set(draft.range.start_s);
    to.set(end());
    say(part, isWhole ? "The whole song" : `${clock(draft.videoS ?? 0)} of ${clock(length())}`);
    whole.hidden = isWhole;
    element.inert = draft.durationS === null;
    mark();
  }

  function draw() {
    if (draft.durationS === null || !element.isConnected) return;
    const song = songOf(draft);
    say(legend, legendOf(song));
    drawSong(canvas, draft.durationS, song, clock);
  }

  whole.addEventListener("click", () => {
    draft.change({ range: { start_s: 0, end_s: null } });
    from.focus();
  });
  draft.addEventListener("changed", ({ detail }) => {
    const isDrawn = ["midi", "audio", "audioOffsetS"].some((name) => detail.has(name));
    if (isDrawn) draw();
    if (isDrawn || detail.has("range")) refresh();
  });
  new ResizeObserver(draw).observe(lanes);
  matchMedia("(prefers-color-scheme: light)").addEventListener("change", draw);
  refresh();
  return { element, seek };
}

/** What there is to draw of a song. */
function songOf({ midi, audio, audioOffsetS }) {
  const { density, duration_s } = midi.facts;
  const waveform = audio?.facts.waveform;
  const heard = audio?.facts.duration_s;
  return {
    density: density?.length ? { values: density, from_s: 0, to_s: duration_s } : null,
    waveform: waveform?.length
      ? { values: waveform, from_s: audioOffsetS, to_s: audioOffsetS + heard }
      : null,
  };
}

function legendOf({ density, waveform }) {
  const names = [density && "notes", waveform && "recording"].filter(Boolean);
  return names.length === 2 ? "Notes above, the recording beneath" : "";
}

function round(time_s) {
  return Math.round(time_s * 10) / 10;
}

function clamp(value, least, most) {
  return Math.min(Math.max(value, least), Math.max(least, most));
}

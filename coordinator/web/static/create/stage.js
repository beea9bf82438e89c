// The stage: how the video looks at the time of the playhead, in the shape of a platform.

import { attribute, el, say } from "../elements.js";
import { capital, clock } from "../formatting.js";
import { icon } from "../icons.js";
import { showPicture } from "../pictures.js";
import { clip } from "./clip.js";
import { shapeSwitch, shapesOf } from "./shapes.js";
import { Stills } from "./stills.js";

const SAVED_AFTER_MS = 300;
const BUSY_AFTER_MS = 300;
const MOVING_PX = 480;
const LARGEST_PX = 1280;
const LAST_FRAME_S = 0.05; // a video has no frame at its very end

/**
 * The stage of a draft.
 *
 * @returns {object} `element`; `look(at_s, isMoving)` shows another time of the song, small while
 *     the playhead moves; `show()`, `hide()`.
 */
export function stage(context, draft) {
  const shapes = shapesOf(context.presets);
  const stills = new Stills(draft);
  const image = el("img", { alt: "", decoding: "async", hidden: true });
  const busy = el("p", { class: "stage-busy", hidden: true });
  const failure = el("p");
  const again = el("button", { class: "small", type: "button", text: "Try again" });
  const wrong = el("div", { class: "stage-wrong", hidden: true }, icon("warning"), failure, again);
  const moving = clip(draft, wish);
  const screen = el("div", { class: "stage-screen" }, image, moving.video, busy, wrong);
  const caption = el("figcaption", { class: "hint figures" });
  const doubts = el("div", { class: "doubts hint" });
  let shape = shapes[0];
  let at_s = 0;
  let isMoving = false;
  let isShown = false;
  let saving = 0;
  let patience = 0;

  const want = () => {
    if (!isShown || !draft.isReady) return;
    stills.want(wish);
    patience ||= setTimeout(() => {
      say(busy, `Drawing ${clock(at_s)}…`);
      busy.hidden = false;
    }, BUSY_AFTER_MS);
  };

  /** Keep what was changed, however long the still under way takes. */
  function save() {
    // What hinders it hinders the next still, too, which tells of it.
    if (draft.isReady) draft.compositionId().catch(() => null);
    renew();
  }

  /** Want another one than before; a clip shows what is no longer asked for. */
  function renew() {
    moving.stop();
    want();
  }

  function wish() {
    const { start_s, end_s } = draft.range;
    const isIn = at_s >= start_s && at_s <= (end_s ?? Infinity);
    const range = isIn ? { start_s, end_s } : { start_s: 0, end_s: null };
    const last_s = (range.end_s ?? draft.durationS ?? Infinity) - LAST_FRAME_S;
    const video_s = Math.max(0, Math.min(at_s, last_s) - range.start_s);
    const width = isMoving ? Math.min(MOVING_PX, pixels()) : pixels();
    return { ...range, at_s: video_s, width, preset: shape.preset.name, told: told(isIn) };
  }

  /** Pixels per row of the place that the picture has. */
  function pixels() {
    const { width, height } = screen.getBoundingClientRect();
    const css = Math.min(width, height * shape.ratio);
    return Math.max(160, Math.min(LARGEST_PX, Math.round(css * devicePixelRatio)));
  }

  /** What a still shows, in words. */
  function told(isIn) {
    const words = [`Still at ${clock(at_s)}`, draft.style ? capital(draft.style) : "layers of its own"];
    words.push(`as for ${shape.preset.config.name}`);
    if (draft.branding || draft.template) words.push("with branding");
    const { start_s, end_s } = draft.range;
    if (at_s < start_s) words.push(`before the video, which begins at ${clock(start_s)}`);
    else if (!isIn) words.push(`after the video, which ends at ${clock(end_s)}`);
    return words.join(" · ");
  }

  function rest() {
    clearTimeout(patience);
    patience = 0;
    busy.hidden = true;
  }

  function clear() {
    stills.stop();
    rest();
    attribute(image, "src", null);
    image.hidden = wrong.hidden = true;
    say(caption, "");
    doubts.replaceChildren();
  }

  stills.addEventListener("picture", ({ detail }) => {
    showPicture(image, detail.blob);
    image.alt = detail.wish.told;
    image.hidden = false;
    wrong.hidden = true;
    say(caption, detail.wish.told);
    if (!busy.hidden) say(busy, `Drawing ${clock(at_s)}…`);
  });
  function fail(message, { mayWork }) {
    say(failure, message);
    again.hidden = !mayWork;
    wrong.hidden = false;
  }

  stills.addEventListener("failed", ({ detail }) => {
    if (detail.status !== 401) fail(detail.message, { mayWork: true });
  });
  stills.addEventListener("idle", rest);
  stills.addEventListener("warnings", ({ detail }) => {
    // Beside a song without a recording stands that it is silent.
    doubt(doubts, draft.audio === null ? [] : detail);
  });
  again.addEventListener("click", want);
  draft.addEventListener("changed", ({ detail }) => {
    if (detail.has("midi")) clear();
    if (draft.fault !== null) fail(draft.fault, { mayWork: false });
    clearTimeout(saving);
    saving = setTimeout(save, SAVED_AFTER_MS);
  });
  new ResizeObserver(() => {
    clearTimeout(saving);
    saving = setTimeout(want, SAVED_AFTER_MS);
  }).observe(screen);

  const setShape = (next) => {
    shape = next;
    screen.dataset.shape = shape.ratio < 1 ? "tall" : "wide";
    renew();
  };
  setShape(shape);
  const element = el(
    "figure",
    { class: "stage" },
    screen,
    el(
      "div",
      { class: "spread" },
      caption,
      el("div", { class: "row" }, moving.button, shapeSwitch(shapes, setShape)),
    ),
    doubts,
  );
  return {
    element,
    look(time_s, isDragged) {
      at_s = time_s;
      isMoving = isDragged;
      renew();
    },
    show() {
      isShown = true;
      want();
    },
    hide() {
      isShown = false;
      clearTimeout(saving);
      save();
      stills.stop();
      rest();
    },
  };
}

/** Say what a worker is not sure of; more than one thing in a list that can be opened. */
function doubt(place, told) {
  const lines = told.map((text) => el("p", {}, icon("warning"), text));
  if (lines.length <= 1) place.replaceChildren(...lines);
  else {
    const summary = el("summary", { text: `${lines.length} things about this song to know of` });
    place.replaceChildren(el("details", {}, summary, lines));
  }
}

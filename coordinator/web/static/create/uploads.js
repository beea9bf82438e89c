// Files on their way into the song: sorted out, sent, looked at by a worker, put in their place.

import { announce } from "../announce.js";
import { upload } from "../api.js";
import { attribute, el, say } from "../elements.js";
import { percent } from "../formatting.js";
import { icon } from "../icons.js";
import { PARTS, isFor, nameOf, partOf } from "./kinds.js";
import { settled } from "./settled.js";

const PATIENCE_MS = 6000;
const HAS_TIMES = /\[\d+:\d/;

/**
 * Takes files in. `take(files)` finds out what each is, `take(files, part)` knows it; a MIDI file
 * that just comes along begins another song. `stop()` cancels what is under way.
 *
 * @returns {{element: HTMLElement, take: Function, stop: Function}} The element has a row for each
 *     file that is on its way, or that could not be used.
 */
export function uploads(draft) {
  const element = el("ul", { class: "uploads", "aria-label": "Files on their way" });
  const running = new Set();

  function stop() {
    for (const controller of running) controller.abort();
    element.replaceChildren();
  }

  function take(files, part = null) {
    for (const old of element.querySelectorAll(".refused")) old.remove();
    const found = [...files].map((file) => [file, part ?? partOf(file)]);
    if (part === null && draft.midi !== null && found.some(([, each]) => each === "midi")) {
      stop();
      draft.clear();
    }
    const taken = new Set();
    for (const [file, each] of found) {
      const wrong = fault(file, each, taken);
      taken.add(each);
      if (wrong) refuse(row(file, each), wrong);
      else if (each === "lyrics") read(file);
      else send(file, each);
    }
  }

  async function read(file) {
    const lyrics = await textOf(file);
    if (HAS_TIMES.test(lyrics)) draft.change({ dressing: { lyrics } });
    else refuse(row(file, "lyrics"), "It has no times: write lines like [00:12.00]La la.");
  }

  async function send(file, part) {
    const controller = new AbortController();
    const { signal } = controller;
    const shown = row(file, part, () => controller.abort());
    running.add(controller);
    try {
      const kind = PARTS[part].kindOf(file);
      const onProgress = (share) => shown.progress(share);
      const sent = await upload(file, { kind, onProgress, signal });
      shown.look();
      const asset = await settled(`/assets/${sent.id}`, sent, signal);
      if (asset.status === "rejected") refuse(shown, asset.reason.replace(`${asset.name}: `, ""));
      else {
        shown.element.remove();
        announce(`${file.name} is there.`);
        // The same bytes may have been sent before, under another name.
        put(draft, part, { ...asset, name: file.name });
      }
    } catch (problem) {
      if (problem.name === "AbortError") shown.element.remove();
      else refuse(shown, problem.message);
    } finally {
      running.delete(controller);
      shown.rest();
    }
  }

  function row(file, part, onCancel) {
    const made = uploadRow(file, part, onCancel);
    element.append(made.element);
    return made;
  }

  return { element, take, stop };
}

/** Put a file that can be used in its place. */
function put(draft, part, asset) {
  if (part === "midi") {
    const name = draft.name || nameOf(asset.name);
    draft.change({ midi: asset, name, range: { start_s: 0, end_s: null } });
  } else if (part === "audio") draft.change({ audio: asset });
  else if (part === "cover") draft.change({ dressing: { cover: asset.id } });
  else {
    const isVideo = asset.kind === "video";
    const background = isVideo ? null : asset.id;
    draft.change({ dressing: { background, background_video: isVideo ? asset.id : null } });
  }
}

/** Why a file is not taken; null where it is. */
function fault(file, part, taken) {
  if (part === null) {
    return "A song is made of a MIDI file, a recording, images and lyrics (.lrc).";
  }
  if (!isFor(file, part)) return `Choose ${PARTS[part].noun} here.`;
  if (file.size === 0) return "It is empty. Save it once more, and choose it again.";
  if (taken.has(part)) return "A song has only one of these. Choose it alone to take it instead.";
  return null;
}

function refuse(row, reason) {
  row.fail(reason);
  announce(`${row.name} was not taken. ${reason}`);
}

/** Lyrics are UTF-8 today, and used to be Windows-1252. */
async function textOf(file) {
  const bytes = await file.arrayBuffer();
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder("windows-1252").decode(bytes);
  }
}

function uploadRow(file, part, onCancel) {
  const state = el("span", { class: "quiet figures", text: onCancel ? "Waiting to be sent" : "" });
  const fill = el("span");
  const bar = el(
    "div",
    {
      class: "bar",
      role: "progressbar",
      "aria-label": `Upload of ${file.name}`,
      "aria-valuemin": 0,
      "aria-valuemax": 100,
    },
    fill,
  );
  const close = el(
    "button",
    {
      class: "ghost small",
      type: "button",
      "aria-label": `Cancel ${file.name}`,
      on: { click: () => (onCancel ? onCancel() : element.remove()) },
    },
    icon("cancel"),
  );
  const name = el("span", { class: "cut", text: file.name });
  const sign = icon(PARTS[part]?.icon ?? "warning");
  const element = el("li", { class: "card upload" }, sign, name, state, close, bar);
  let timer = 0;
  return {
    element,
    name: file.name,
    progress(share) {
      fill.style.setProperty("--share", share);
      attribute(bar, "aria-valuenow", Math.floor(share * 100));
      say(state, share < 1 ? percent(share) : "Arriving…");
    },
    look() {
      this.progress(1);
      say(state, "Looking at it…");
      const text = "No worker has looked at it yet. The farm may be paused or starting…";
      timer = setTimeout(() => say(state, text), PATIENCE_MS);
    },
    rest() {
      clearTimeout(timer);
    },
    fail(reason) {
      onCancel = null;
      bar.remove();
      element.classList.add("refused");
      element.firstChild.replaceWith(icon("warning"));
      attribute(close, "aria-label", `Dismiss ${file.name}`);
      state.className = "wrong";
      say(state, reason);
    },
  };
}

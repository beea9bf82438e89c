// What the farm has made in the last hour.

import { request, serverNow } from "../api.js";
import { attribute, el, say } from "../elements.js";
import { count } from "../formatting.js";
import { chart } from "./chart.js";
import { freshness } from "./freshness.js";
import { hour, plural } from "./words.js";

const SHOWN = 60;
/** What was done in the last minutes may have grown since it was told of. */
const RECENT = 3;
const KEYS = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10, Home: -999, End: 999 };

/**
 * Frames a minute, and the exports and attempts that ended.
 *
 * @returns {{element: Element, ask: (signal: AbortSignal) => Promise<object>,
 *     tell: (answer: {minutes: object[]}) => void, failed: (problem: Error) => void,
 *     stop: () => void}} `ask` asks for the hour once, and then for what is new in it.
 */
export function throughputPanel() {
  const picture = chart();
  const readout = el("p", { class: "readout figures" });
  const fresh = freshness();
  const frame = el(
    "div",
    {
      class: "chart",
      tabIndex: 0,
      role: "slider",
      "aria-label": "Throughput, minute by minute",
      "aria-valuemin": 0,
      "aria-valuemax": 0,
      "aria-valuenow": 0,
      "aria-valuetext": "Not known yet",
    },
    picture.element,
  );
  const numbers = numbersOf();
  const element = el(
    "section",
    { class: "card throughput", "aria-labelledby": "throughput-title" },
    el(
      "div",
      { class: "spread" },
      el("h2", { id: "throughput-title", text: "Frames a minute, last hour" }),
      el(
        "p",
        { class: "legend hint" },
        el("span", { class: "completed", text: "Exports completed" }),
        el("span", { class: "failed", text: "Exports failed" }),
      ),
    ),
    readout,
    fresh.element,
    frame,
    numbers.element,
  );
  let minutes = [];
  let size = { width: 0, height: 0 };
  let chosen = null;

  const draw = () => {
    if (minutes.length > 0 && size.width > 0) picture.tell(minutes, size);
  };

  const choose = (index) => {
    chosen = index;
    picture.mark(index);
    tellReadout();
  };

  const tellReadout = () => {
    if (minutes.length === 0) return;
    const last = minutes.length - 1;
    const index = Math.min(chosen ?? last, last);
    attribute(frame, "aria-valuemax", last);
    attribute(frame, "aria-valuenow", index);
    attribute(frame, "aria-valuetext", sayMinute(minutes[index], index === last));
    say(readout, chosen === null ? sayTotal(minutes) : sayMinute(minutes[index], index === last));
  };

  new ResizeObserver(([entry]) => {
    const { width, height } = entry.contentRect;
    size = { width: Math.floor(width), height: Math.floor(height) };
    draw();
  }).observe(frame);

  frame.addEventListener("pointermove", (event) =>
    choose(picture.indexAt(event.clientX - frame.getBoundingClientRect().left)),
  );
  frame.addEventListener("pointerleave", () => choose(null));
  frame.addEventListener("blur", () => choose(null));
  frame.addEventListener("keydown", (event) => {
    const step = KEYS[event.key];
    if (step === undefined || minutes.length === 0) return;
    event.preventDefault();
    const last = minutes.length - 1;
    choose(Math.min(last, Math.max(0, (chosen ?? last) + step)));
  });

  const ask = (signal) => {
    const known = minutes.at(-1);
    const missing = known ? Math.floor((serverNow() - new Date(known.at)) / 60_000) : SHOWN;
    const query = { minutes: Math.min(SHOWN, missing + RECENT) };
    return request("GET", "/farm/throughput", { query, signal });
  };

  const tell = (answer) => {
    fresh.heard();
    const first = answer.minutes[0].at;
    minutes = [...minutes.filter(({ at }) => at < first), ...answer.minutes].slice(-SHOWN);
    draw();
    tellReadout();
    numbers.tell(minutes);
  };

  return { element, ask, tell, failed: fresh.failed, stop: fresh.stop };
}

function sayMinute(minute, isLast) {
  return [`${hour(minute.at)}${isLast ? ", still going on" : ""}`, ...sums([minute])].join(" · ");
}

function sayTotal(minutes) {
  return sums(minutes).join(" · ");
}

function sums(minutes) {
  const sum = (name) => minutes.reduce((total, each) => total + each[name], 0);
  const parts = [
    plural(sum("frames"), "frame"),
    `${plural(sum("exports_completed"), "export")} completed`,
    `${count(sum("exports_failed"))} failed`,
  ];
  const failed = sum("attempts_failed");
  const lost = sum("attempts_lost");
  if (failed || lost) parts.push(`${plural(failed, "attempt")} failed, ${count(lost)} lost`);
  return parts;
}

/** The same as a table, filled only while somebody has it open. */
function numbersOf() {
  const body = el("tbody");
  const titles = ["Minute", "Frames", "Chunks", "Completed", "Failed", "Attempts failed", "Lost"];
  const head = el("tr", {}, titles.map((text) => el("th", { scope: "col", text })));
  const table = el(
    "table",
    { class: "table figures" },
    el("caption", { class: "unseen", text: "What was done in each minute, newest first" }),
    el("thead", {}, head),
    body,
  );
  const element = el(
    "details",
    { class: "numbers" },
    el("summary", { text: "As a table" }),
    el("div", { class: "rows", tabIndex: 0, role: "group", "aria-label": "Each minute" }, table),
  );
  let minutes = [];
  const fill = () => {
    if (!element.open) return;
    body.replaceChildren(...minutes.toReversed().map(minuteRow));
  };
  element.addEventListener("toggle", fill);
  const tell = (told) => {
    minutes = told;
    fill();
  };
  return { element, tell };
}

function minuteRow(minute) {
  const numbers = [
    minute.frames,
    minute.chunks,
    minute.exports_completed,
    minute.exports_failed,
    minute.attempts_failed,
    minute.attempts_lost,
  ];
  return el(
    "tr",
    {},
    el("th", { scope: "row", text: hour(minute.at) }),
    numbers.map((number) => el("td", { text: count(number) })),
  );
}

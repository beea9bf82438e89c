// Frames a minute as bars, with what ended in each minute as marks below them.

import { attribute, svg } from "../elements.js";
import { hour } from "./words.js";

const LEFT = 52;
const TOP = 10;
const LANE = 14;
const AXIS = 20;
const HEIGHT = 190;
const BASE = HEIGHT - AXIS - 2 * LANE;
const COMPACT = new Intl.NumberFormat(undefined, { notation: "compact" });
/** Room that a label on the axis of time needs. */
const LABEL = 64;

/**
 * The picture alone; what it says in words is elsewhere.
 *
 * @returns {{element: Element, tell: (minutes: object[], width: number) => void,
 *     mark: (index: number|null) => void, indexAt: (x: number) => number}}
 */
export function chart() {
  const cursor = svg("rect", { class: "cursor", y: TOP, height: HEIGHT - AXIS - TOP });
  const grid = svg("g", { class: "grid" });
  const bars = svg("g", { class: "bars" });
  const marks = svg("g", { class: "marks" });
  const times = svg("g", { class: "times" });
  const element = svg(
    "svg",
    { "aria-hidden": "true", height: HEIGHT },
    grid,
    cursor,
    bars,
    marks,
    times,
  );
  let step = 1;
  let number = 0;
  let marked = null;

  const tell = (minutes, width) => {
    number = minutes.length;
    step = Math.max(1, (width - LEFT) / Math.max(1, number));
    attribute(element, "width", width);
    const top = roundUp(Math.max(...minutes.map((each) => each.frames), 1));
    drawGrid(grid, top, width);
    drawBars(bars, minutes, top, step);
    drawMarks(marks, minutes, step);
    drawTimes(times, minutes, step);
    mark(marked);
  };

  const mark = (index) => {
    marked = index;
    attribute(cursor, "visibility", index === null ? "hidden" : "visible");
    attribute(cursor, "x", LEFT + (index ?? 0) * step);
    attribute(cursor, "width", step);
  };

  const indexAt = (x) => Math.min(number - 1, Math.max(0, Math.floor((x - LEFT) / step)));

  return { element, tell, mark, indexAt };
}

/** The next number that reads well on an axis: 1, 2, 4 or 5 with noughts. */
export function roundUp(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return power * [1, 2, 4, 5, 10].find((each) => each * power >= value);
}

function drawGrid(grid, top, width) {
  const lines = [0, 0.5, 1].flatMap((share) => {
    const y = BASE - share * (BASE - TOP);
    const label = svg("text", { x: LEFT - 8, y: y + 4, "text-anchor": "end" });
    label.textContent = COMPACT.format(top * share);
    return [svg("line", { x1: LEFT, x2: width, y1: y, y2: y }), label];
  });
  grid.replaceChildren(...lines);
}

function drawBars(bars, minutes, top, step) {
  while (bars.childElementCount < minutes.length) bars.append(svg("rect"));
  while (bars.childElementCount > minutes.length) bars.lastElementChild.remove();
  minutes.forEach(({ frames }, index) => {
    const bar = bars.children[index];
    const height = (frames / top) * (BASE - TOP);
    attribute(bar, "x", LEFT + index * step + (step > 4 ? 1 : 0));
    attribute(bar, "width", step > 4 ? step - 2 : step);
    attribute(bar, "y", BASE - height);
    attribute(bar, "height", height);
    attribute(bar, "class", index === minutes.length - 1 ? "unfinished" : null);
  });
}

function drawMarks(marks, minutes, step) {
  const drawn = minutes.flatMap((minute, index) => {
    const x = LEFT + (index + 0.5) * step;
    // Two shapes, for who does not tell the colours apart.
    const completed =
      minute.exports_completed > 0 &&
      svg("circle", { class: "completed", cx: x, cy: BASE + LANE / 2 + 1, r: 3.5 });
    const y = BASE + 1.5 * LANE + 1;
    const failed =
      minute.exports_failed > 0 &&
      svg("path", {
        class: "failed",
        d: `M${x - 3.5} ${y - 3.5}l7 7M${x + 3.5} ${y - 3.5}l-7 7`,
      });
    return [completed, failed].filter(Boolean);
  });
  marks.replaceChildren(...drawn);
}

function drawTimes(times, minutes, step) {
  const every = [5, 10, 15, 30, 60].find((each) => each * step >= LABEL) ?? 60;
  const labels = minutes.flatMap(({ at }, index) => {
    if (new Date(at).getMinutes() % every !== 0) return [];
    const x = LEFT + (index + 0.5) * step;
    const label = svg("text", { x, y: HEIGHT - 5, "text-anchor": anchorOf(index, minutes.length) });
    label.textContent = hour(at);
    return [label];
  });
  times.replaceChildren(...labels);
}

function anchorOf(index, number) {
  if (index < 3) return "start";
  return index > number - 4 ? "end" : "middle";
}

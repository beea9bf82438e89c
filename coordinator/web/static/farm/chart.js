// Frames a minute as bars, with what ended in each minute as marks below them.

import { attribute, svg } from "../elements.js";
import { hour } from "./words.js";

const LEFT = 52;
const TOP = 10;
const LANE = 14;
const AXIS = 20;
const COMPACT = new Intl.NumberFormat(undefined, { notation: "compact" });
/** Room that a label on the axis of time needs. */
const LABEL = 48;

/**
 * The picture alone; what it says in words is elsewhere.
 *
 * @returns {{element: Element, tell: (minutes: object[], size: DOMRectReadOnly) => void,
 *     mark: (index: number|null) => void, indexAt: (x: number) => number}}
 */
export function chart() {
  const cursor = svg("rect", { class: "cursor", y: TOP });
  const grid = svg("g", { class: "grid" });
  const bars = svg("g", { class: "bars" });
  const marks = svg("g", { class: "marks" });
  const times = svg("g", { class: "times" });
  const element = svg("svg", { "aria-hidden": "true" }, grid, cursor, bars, marks, times);
  let step = 1;
  let number = 0;
  let marked = null;

  const tell = (minutes, { width, height }) => {
    const base = height - AXIS - 2 * LANE;
    number = minutes.length;
    step = Math.max(1, (width - LEFT) / Math.max(1, number));
    attribute(element, "width", width);
    attribute(element, "height", height);
    attribute(cursor, "height", height - AXIS - TOP);
    const top = roundUp(Math.max(...minutes.map((each) => each.frames), 1));
    drawGrid(grid, top, base, width);
    drawBars(bars, minutes, top, base, step);
    drawMarks(marks, minutes, base, step);
    drawTimes(times, minutes, height - 5, step);
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
function roundUp(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return power * [1, 2, 4, 5, 10].find((each) => each * power >= value);
}

function drawGrid(grid, top, base, width) {
  const lines = [0, 0.5, 1].flatMap((share) => {
    const y = base - share * (base - TOP);
    const label = svg("text", { x: LEFT - 8, y: y + 4, "text-anchor": "end" });
    label.textContent = COMPACT.format(top * share);
    return [svg("line", { x1: LEFT, x2: width, y1: y, y2: y }), label];
  });
  grid.replaceChildren(...lines);
}

function drawBars(bars, minutes, top, base, step) {
  while (bars.childElementCount < minutes.length) bars.append(svg("rect"));
  while (bars.childElementCount > minutes.length) bars.lastElementChild.remove();
  minutes.forEach(({ frames }, index) => {
    const bar = bars.children[index];
    const height = (frames / top) * (base - TOP);
    attribute(bar, "x", LEFT + index * step + (step > 4 ? 1 : 0));
    attribute(bar, "width", step > 4 ? step - 2 : step);
    attribute(bar, "y", base - height);
    attribute(bar, "height", height);
    attribute(bar, "class", index === minutes.length - 1 ? "unfinished" : null);
  });
}

function drawMarks(marks, minutes, base, step) {
  const drawn = minutes.flatMap((minute, index) => {
    const x = LEFT + (index + 0.5) * step;
    // Two shapes, for who does not tell the colours apart.
    const completed =
      minute.exports_completed > 0 &&
      svg("circle", { class: "completed", cx: x, cy: base + LANE / 2 + 1, r: 3.5 });
    const y = base + 1.5 * LANE + 1;
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

function drawTimes(times, minutes, y, step) {
  const every = [5, 10, 15, 30, 60].find((each) => each * step >= LABEL) ?? 60;
  const labels = minutes.flatMap(({ at }, index) => {
    if (new Date(at).getMinutes() % every !== 0) return [];
    const x = LEFT + (index + 0.5) * step;
    const anchor = index > minutes.length - 3 ? "end" : "middle";
    const label = svg("text", { x, y, "text-anchor": anchor });
    label.textContent = hour(at);
    return [label];
  });
  times.replaceChildren(...labels);
}

// The pieces that an export is rendered in, drawn side by side: one canvas, however many they are.

import { attribute, el } from "../elements.js";
import { count } from "../formatting.js";

const GAP_FROM_PX = 4; // narrower pieces touch each other
const COLOURS = ["line", "quiet", "busy", "good", "bad"];

let known = null; // the colours; asking for them each time would lay out the page each time

const resized = new ResizeObserver((entries) => {
  for (const { target } of entries) target.dispatchEvent(new Event("resized"));
});

/**
 * A strip that fills as pieces finish. Told apart by colour and by form: waiting ones are a line at
 * the bottom, one that is made grows, finished ones fill, those that stood already are striped,
 * failed ones are crossed out.
 *
 * @returns {{element: HTMLCanvasElement, show: (chunks: object[]) => void}}
 */
export function chunkStrip() {
  const element = el("canvas", { class: "chunk-strip", role: "img", "aria-label": "No pieces yet" });
  let shown = [];
  let width = 0;
  let height = 0;

  const draw = () => {
    const scale = devicePixelRatio || 1;
    const [across, down] = [Math.round(width * scale), Math.round(height * scale)];
    if (!across || !down) return;
    if (element.width !== across || element.height !== down) {
      [element.width, element.height] = [across, down];
    }
    paint(element.getContext("2d"), shown, across, down, coloursOf(element));
  };
  element.addEventListener("resized", () => {
    const { clientWidth, clientHeight } = element;
    if (clientWidth === width && clientHeight === height) return;
    [width, height] = [clientWidth, clientHeight];
    draw();
  });
  resized.observe(element);

  return {
    element,
    show(chunks) {
      shown = chunks;
      attribute(element, "aria-label", summary(chunks));
      element.title = summary(chunks);
      draw();
    },
  };
}

/** What a strip shows, in words. */
export function summary(chunks) {
  if (!chunks.length) return "No pieces yet";
  const number = (kind) => chunks.filter((chunk) => kindOf(chunk) === kind).length;
  const cached = number("cached");
  const told = [`${count(number("done") + cached)} of ${count(chunks.length)} pieces done`];
  if (cached) told.push(`${count(cached)} of them stood already`);
  for (const [kind, words] of [["running", "being made"], ["failed", "failed"]]) {
    if (number(kind)) told.push(`${count(number(kind))} ${words}`);
  }
  return told.join(", ");
}

/** Pieces of which nothing is known but how many there are, and how many are done. */
export function guessed(total, done) {
  return Array.from({ length: total }, (_, index) => ({
    status: index < done ? "done" : "ready",
    start_frame: index,
    stop_frame: index + 1,
  }));
}

const kindOf = (chunk) => (chunk.status === "done" && chunk.cached ? "cached" : chunk.status);

function paint(context, chunks, width, height, colours) {
  context.clearRect(0, 0, width, height);
  const end = chunks.at(-1)?.stop_frame || 1;
  const gap = width / chunks.length >= GAP_FROM_PX ? 1 : 0;
  for (const chunk of chunks) {
    const from = (chunk.start_frame / end) * width;
    const across = Math.max(0.5, ((chunk.stop_frame - chunk.start_frame) / end) * width - gap);
    const share = chunk.frames_done / (chunk.stop_frame - chunk.start_frame) || 0;
    piece(context, kindOf(chunk), share, [from, across, height], colours);
  }
}

function piece(context, kind, share, [from, across, height], colours) {
  const fill = (colour, top) => {
    context.fillStyle = colours[colour];
    context.fillRect(from, height - top, across, top);
  };
  const low = Math.max(2, height * 0.2);
  if (kind === "ready") fill("line", low);
  else if (kind === "cancelled") fill("quiet", low);
  else if (kind === "done") fill("good", height);
  else if (kind === "cached") {
    fill("good", height);
    stripes(context, [from, across, height]);
  } else if (kind === "failed") {
    fill("bad", height);
    stripes(context, [from, across, height]);
    stripes(context, [from, across, height], -1);
  } else {
    fill("line", height);
    fill("busy", Math.max(low, height * share));
  }
}

/** Lines cut out of a piece, rising or falling. */
function stripes(context, [from, across, height], way = 1) {
  context.save();
  context.beginPath();
  context.rect(from, 0, across, height);
  context.clip();
  context.globalCompositeOperation = "destination-out";
  context.lineWidth = Math.max(1, height / 9);
  context.beginPath();
  for (let x = from - height; x < from + across + height; x += height / 2.2) {
    context.moveTo(x, way > 0 ? height : 0);
    context.lineTo(x + height, way > 0 ? 0 : height);
  }
  context.stroke();
  context.restore();
}

function coloursOf(element) {
  const style = known ? null : getComputedStyle(element);
  known ??= Object.fromEntries(
    COLOURS.map((name) => [name, style.getPropertyValue(`--strip-${name}`).trim() || "gray"]),
  );
  return known;
}

for (const query of ["(prefers-color-scheme: dark)", "(forced-colors: active)"]) {
  matchMedia(query).addEventListener("change", () => (known = null));
}

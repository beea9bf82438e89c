// The pieces that an export is rendered in, side by side: one path for each state they can be in,
// however many they are.

import { attribute, svg } from "../elements.js";
import { count } from "../formatting.js";

const WIDTH = 1000; // of the drawing, which is stretched over whatever room there is
const HEIGHT = 12;
const MOST_GAP = 1.6;

// What a piece looks like: told apart by colour (in the sheet) and by form.
const FORMS = {
  ready: () => [[10, 2]], // a line at the bottom
  cancelled: () => [[10, 2]],
  running: (share) => [[HEIGHT - grown(share), grown(share)]], // grows
  done: () => [[0, HEIGHT]], // full
  cached: () => [
    [0, 5],
    [7, 5],
  ], // full, in two bands
  failed: () => [[0, 7]], // hangs from the top
};

/**
 * A strip that fills as pieces finish.
 *
 * @returns {{element: SVGElement, show: (chunks: object[]) => void}}
 */
export function chunkStrip() {
  const paths = Object.fromEntries(
    Object.keys(FORMS).map((kind) => [kind, svg("path", { class: `piece-${kind}` })]),
  );
  const element = svg(
    "svg",
    {
      class: "chunk-strip",
      viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
      preserveAspectRatio: "none",
      role: "img",
      "aria-label": "No pieces yet",
    },
    ...Object.values(paths),
  );
  return {
    element,
    show(chunks) {
      const drawn = outlines(chunks);
      for (const [kind, path] of Object.entries(paths)) attribute(path, "d", drawn[kind]);
      attribute(element, "aria-label", summary(chunks));
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
  for (const [kind, words] of [
    ["running", "being made"],
    ["failed", "failed"],
  ]) {
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

/** The outlines of all pieces of each kind; null where there is none. */
function outlines(chunks) {
  const drawn = Object.fromEntries(Object.keys(FORMS).map((kind) => [kind, null]));
  const unit = WIDTH / (chunks.at(-1)?.stop_frame || 1);
  for (const chunk of chunks) {
    const frames = chunk.stop_frame - chunk.start_frame;
    const gap = Math.min(MOST_GAP, frames * unit * 0.1);
    const [from, across] = [number(chunk.start_frame * unit), number(frames * unit - gap)];
    const kind = kindOf(chunk);
    for (const [top, down] of FORMS[kind](chunk.frames_done / frames || 0)) {
      drawn[kind] =
        `${drawn[kind] ?? ""}M${from} ${number(top)}h${across}v${number(down)}h-${across}z`;
    }
  }
  return drawn;
}

const kindOf = ({ status, cached }) => (status === "done" && cached ? "cached" : status);

const grown = (share) => Math.max(3, HEIGHT * share);

const number = (value) => Math.round(value * 100) / 100;

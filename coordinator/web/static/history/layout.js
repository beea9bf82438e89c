// Where cards lie: all of a size, so that those which are far away need not be there.

const GAP = 14;
const LEAST_WIDTH = 268;
const TEXT_HEIGHT = 136; // of a card, below its picture
const ROW_HEIGHT = 124; // on a phone, where the picture stands beside the text
const ROWS_BELOW = 560;

/**
 * How cards fill a width.
 *
 * @param {number} width In pixels.
 * @returns {{columns: number, width: number, height: number, isRows: boolean}}
 */
export function layoutOf(width) {
  if (width < ROWS_BELOW) return { columns: 1, width, height: ROW_HEIGHT, isRows: true };
  const columns = Math.max(1, Math.floor((width + GAP) / (LEAST_WIDTH + GAP)));
  const each = (width - GAP * (columns - 1)) / columns;
  return { columns, width: each, height: Math.round((each * 9) / 16) + TEXT_HEIGHT, isRows: false };
}

/** How high so many cards stand together. */
export function heightOf(layout, count) {
  const rows = Math.ceil(count / layout.columns);
  return rows ? rows * (layout.height + GAP) - GAP : 0;
}

/** Where a card lies. */
export function placeOf(layout, index) {
  const column = index % layout.columns;
  const row = Math.floor(index / layout.columns);
  return { x: column * (layout.width + GAP), y: row * (layout.height + GAP) };
}

/** The first card and the one after the last, of those between two heights. */
export function between(layout, count, from, to) {
  const row = layout.height + GAP;
  const first = Math.max(0, Math.floor(from / row)) * layout.columns;
  const stop = Math.max(0, Math.ceil(to / row)) * layout.columns;
  return [Math.min(first, count), Math.min(stop, count)];
}

// Buttons of rows and cards: each says of which export it is, for who cannot see where it stands.

import { el } from "../elements.js";
import { icon } from "../icons.js";

const HIGHEST = 100;

/**
 * A small button.
 *
 * @param {object} told The export that it is for.
 * @param {string} label A verb: "Cancel".
 * @param {string} sign The name of its icon.
 * @param {() => void} run
 * @param {{isBare?: boolean, class?: string}} [more] `isBare`: the icon is all that is seen.
 */
export function actionButton(told, label, sign, run, { isBare = false, class: look = "" } = {}) {
  return el(
    "button",
    {
      class: `small ${isBare ? "ghost" : ""} ${look}`.trim(),
      type: "button",
      "aria-label": `${label} ${told.name}`,
      title: isBare ? label : null,
      on: { click: run },
    },
    icon(sign),
    isBare ? null : el("span", { text: label }),
  );
}

/** Whether an export waits, and others of one's own may come before it. */
export function canBeFirst(context, told) {
  if (told.status !== "queued" || (told.priority ?? 0) >= HIGHEST) return false;
  return context.exports.countUnderWay > 1;
}

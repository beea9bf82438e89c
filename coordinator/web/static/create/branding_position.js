// Where a watermark stands: a small frame whose corners and middle can be chosen.

import { el } from "../elements.js";
import { capital } from "../formatting.js";

const POSITIONS = ["top-left", "top-right", "center", "bottom-left", "bottom-right"];

let numbers = 0;

/** @param {(position: string) => void} onChange */
export function positionField(onChange) {
  numbers += 1;
  const inputs = POSITIONS.map((position) =>
    el("input", {
      type: "radio",
      name: `position-${numbers}`,
      value: position,
      title: inWords(position),
      "aria-label": inWords(position),
      on: { change: () => onChange(position) },
    }),
  );
  const element = el(
    "fieldset",
    { class: "field" },
    el("legend", { text: "Position" }),
    el("div", { class: "positions" }, inputs),
  );
  const show = (position) => {
    for (const input of inputs) input.checked = input.value === position;
  };
  return { element, control: inputs[0], show, fail() {} };
}

function inWords(position) {
  const words = position === "center" ? "middle" : position.replace("-", " ");
  return capital(words);
}

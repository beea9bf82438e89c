// The size of the picture: usual ones, and any other of even sides.

import { attribute, el, say } from "../elements.js";
import { icon } from "../icons.js";
import { numberField } from "./custom_fields.js";
import { SIZES } from "./custom_words.js";
import { shapeSign } from "./shapes.js";

const LEAST = 16;
const MOST = 8192;

/**
 * @param {(resolution: {width: number, height: number}) => void} onChange
 * @returns Fields of the width and the height, and one element for both.
 */
export function sizeFields(onChange) {
  let shown = { width: 0, height: 0 };
  const change = (part) => onChange({ ...shown, ...part });
  const even = (name) => (value) => change({ [name]: 2 * Math.round(value / 2) });
  const limits = { least: LEAST, most: MOST, step: 2, unit: "px" };
  const width = numberField("Width", even("width"), limits);
  const height = numberField("Height", even("height"), limits);
  const turn = el(
    "button",
    {
      class: "ghost",
      type: "button",
      "aria-label": "Turn the frame",
      title: "Turn the frame",
      on: { click: () => change({ width: shown.height, height: shown.width }) },
    },
    icon("repeat"),
  );
  const usual = SIZES.map((size) =>
    el(
      "button",
      {
        type: "button",
        class: "size",
        title: `${size.width}×${size.height}`,
        on: { click: () => change({ width: size.width, height: size.height }) },
      },
      shapeSign(size),
      size.title,
    ),
  );
  const wrong = el("p", { class: "wrong", role: "alert" });
  const element = el(
    "fieldset",
    { class: "field field-wide" },
    el("legend", { text: "Size" }),
    el("div", { class: "chips" }, usual),
    el("div", { class: "sides" }, width.element, turn, height.element),
    wrong,
  );
  const show = (resolution) => {
    shown = resolution;
    width.show(resolution.width);
    height.show(resolution.height);
    for (const [index, button] of usual.entries()) {
      const { width: across, height: down } = SIZES[index];
      const isShown = across === resolution.width && down === resolution.height;
      attribute(button, "aria-pressed", isShown);
    }
  };
  return { element, width, height, control: width.control, show, fail: (text) => say(wrong, text) };
}

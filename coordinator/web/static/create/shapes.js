// The shapes that videos have, each as a preset has it.

import { el } from "../elements.js";

/** A small drawing of a frame's shape; how large, the sheet says where it stands. */
export function shapeSign({ width, height }) {
  return el("span", {
    class: "shape",
    "aria-hidden": "true",
    style: { "--ratio": width / height },
  });
}

/**
 * One preset for each shape that there is, wide ones first: `{preset, ratio, name}`.
 *
 * @param {object[]} presets As the API tells of them.
 */
export function shapesOf(presets) {
  const found = new Map();
  for (const preset of presets) {
    const { width, height } = preset.config.quality.resolution;
    const ratio = width / height;
    const key = ratio.toFixed(2);
    if (!found.has(key)) found.set(key, { preset, ratio, name: shapeName(width, height) });
  }
  return [...found.values()].sort((a, b) => b.ratio - a.ratio);
}

function shapeName(width, height) {
  const common = divisor(width, height);
  return `${width / common}:${height / common}`;
}

function divisor(a, b) {
  return b === 0 ? a : divisor(b, a % b);
}

/** Lets one of them be chosen; the first is. */
export function shapeSwitch(shapes, onShape) {
  const options = shapes.map((shape, index) =>
    el(
      "label",
      { title: `As for ${shape.preset.config.name}` },
      el("input", {
        type: "radio",
        name: "shape",
        class: "unseen",
        checked: index === 0,
        on: { change: () => onShape(shape) },
      }),
      shapeSign(shape.preset.config.quality.resolution),
      el("span", { text: shape.name }),
    ),
  );
  const legend = el("legend", { class: "unseen", text: "Shape" });
  return el("fieldset", { class: "shapes" }, legend, options);
}

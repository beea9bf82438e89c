// A field for a time: 1:03, 63, 1:03.5.

import { attribute, el } from "../elements.js";
import { readTime, writeTime } from "./times.js";

/**
 * A field for a time.
 *
 * @param {string} label
 * @param {(time_s: number) => void} onTime Told what was written; it may `set()` something else.
 */
export function timeField(label, onTime) {
  const input = el("input", { type: "text", autocomplete: "off", spellcheck: false });
  let shown = 0;
  const set = (time_s) => {
    shown = Math.round(time_s * 10) / 10;
    input.value = writeTime(shown);
    attribute(input, "aria-invalid", null);
  };
  input.addEventListener("change", () => {
    const time_s = readTime(input.value) ?? NaN;
    if (Number.isNaN(time_s)) return attribute(input, "aria-invalid", "true");
    onTime(time_s);
    if (readTime(input.value) !== shown) set(shown); // where it was brought within bounds
  });
  const element = el("label", { class: "time-field" }, el("span", { text: label }), input);
  return { element, set, focus: () => input.focus() };
}

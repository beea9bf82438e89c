// A field for a time: 1:03, 63, 1:03.5.

import { attribute, el } from "../elements.js";
import { clock } from "../formatting.js";

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
    shown = time_s;
    input.value = written(time_s);
    attribute(input, "aria-invalid", null);
  };
  input.addEventListener("change", () => {
    const time_s = parsed(input.value);
    if (time_s === null) attribute(input, "aria-invalid", "true");
    else {
      onTime(time_s);
      if (parsed(input.value) !== shown) set(shown); // where it was brought within bounds
    }
  });
  const element = el("label", { class: "time-field" }, el("span", { text: label }), input);
  return { element, set, focus: () => input.focus() };
}

/** Seconds of "1:03.5"; null where it is no time. */
function parsed(text) {
  const found = /^\s*(?:(?:(\d+):)?(\d+):)?(\d+(?:[.,]\d+)?)\s*$/.exec(text);
  if (found === null) return null;
  const parts = found.slice(1).map((each) => Number((each ?? "0").replace(",", ".")));
  const [hours, minutes, seconds] = parts;
  return 3600 * hours + 60 * minutes + seconds;
}

function written(time_s) {
  const tenths = Math.round(time_s * 10);
  return clock(Math.floor(tenths / 10)) + (tenths % 10 ? `.${tenths % 10}` : "");
}

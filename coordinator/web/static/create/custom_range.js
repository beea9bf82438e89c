// Which part of the song becomes a video.

import { clock } from "../formatting.js";
import { textField } from "./custom_fields.js";
import { readTime, writeTime } from "./times.js";

const NO_TIME = "Write a time such as 1:23.5.";

/**
 * @param {(part: object) => void} onChange Called with `start_s` and `end_s`.
 * @param {number|null} song_s How long the song is.
 */
export function rangeFields(onChange, song_s) {
  const start = textField("From", () => read(), { placeholder: "0:00" });
  const end = textField("To", () => read(), {
    placeholder: song_s === null ? "the end" : `the end, ${clock(song_s)}`,
  });

  function read() {
    const start_s = readTime(start.control.value) ?? 0;
    const end_s = readTime(end.control.value);
    const isBackwards = end_s !== null && end_s <= start_s;
    const wrong = [
      Number.isNaN(start_s) ? NO_TIME : "",
      Number.isNaN(end_s) ? NO_TIME : isBackwards ? "It must end after it begins." : "",
    ];
    for (const [index, each] of [start, end].entries()) {
      each.fail(wrong[index]);
      each.control.setCustomValidity(wrong[index]);
    }
    if (wrong.join("") === "") onChange({ start_s, end_s });
  }

  const show = ({ start_s, end_s }) => {
    start.show(start_s > 0 ? writeTime(start_s) : "");
    end.show(writeTime(end_s));
  };
  return { start, end, show };
}

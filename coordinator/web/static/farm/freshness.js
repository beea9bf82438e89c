// Whether what is shown is fresh: one line that says so where it is not.

import { el, say } from "../elements.js";

/**
 * A line that is empty as long as answers come.
 *
 * @param {object} [settings] Of the element: `role`, where it is to be read out.
 * @returns {{element: Element, heard: () => void, failed: (problem: Error) => void,
 *     stop: () => void}}
 */
export function freshness(settings = {}) {
  const element = el("p", { class: "stale", ...settings });
  // Counting aloud would never end.
  const counting = el("span", { "aria-hidden": "true" });
  const words = el("span");
  element.append(words, counting);
  let lastMs = performance.now();
  let timer = 0;

  const count = () => {
    const seconds = Math.max(1, Math.round((performance.now() - lastMs) / 1000));
    say(counting, ` since ${seconds} s; trying again`);
  };

  const stop = () => {
    clearInterval(timer);
    timer = 0;
  };

  const heard = () => {
    lastMs = performance.now();
    stop();
    say(words, "");
    say(counting, "");
  };

  const failed = (problem) => {
    const isSilent = !problem.status;
    say(words, isSilent ? "No answer" : `${problem.message} Trying again.`);
    if (!isSilent) {
      stop();
      say(counting, "");
      return;
    }
    count();
    timer ||= setInterval(count, 1000);
  };

  return { element, heard, failed, stop };
}

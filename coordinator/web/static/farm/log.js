// What a worker said at last in an attempt that failed.

import { announce, complain } from "../announce.js";
import { text } from "../api.js";
import { openDialog } from "../dialog.js";
import { el } from "../elements.js";
import { icon } from "../icons.js";
import { workOf } from "./words.js";

/** Show the log of an attempt in a dialog. */
async function openLog(attempt) {
  let log;
  try {
    log = await text(`/farm/attempts/${attempt.attempt_id}/log`);
  } catch (problem) {
    return complain(problem);
  }
  const words = el("span", { text: "Copy" });
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(log);
      words.textContent = "Copied";
      announce("Copied");
    } catch {
      // Without HTTPS there is no clipboard; what is selected can be copied by hand.
      getSelection().selectAllChildren(shown);
      words.textContent = "Selected: press Ctrl+C";
      announce(words.textContent);
    }
  };
  const shown = el("pre", { class: "log", tabIndex: 0, text: log });
  const body = el(
    "div",
    { class: "stack" },
    el(
      "div",
      { class: "spread" },
      el("p", { class: "wrong", text: attempt.error_message ?? "" }),
      el("button", { type: "button", on: { click: copy } }, icon("logs"), words),
    ),
    shown,
  );
  const title = `Log of attempt ${attempt.attempt_id}: ${workOf(attempt)}, try ${attempt.number}`;
  openDialog(title, body, { class: "wide" });
}

/** A button that opens it; null where nothing was kept. */
export function logButton(attempt) {
  if (!attempt.has_log) return null;
  return el("button", {
    class: "ghost small",
    type: "button",
    text: "Log",
    "aria-label": `Log of attempt ${attempt.attempt_id}`,
    on: { click: () => openLog(attempt) },
  });
}

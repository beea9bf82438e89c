// What was tried for an export, as a table.

import { el } from "../elements.js";
import { moment, span } from "../formatting.js";

const KINDS = {
  intake: "Reading the song",
  survey: "Looking at samples",
  audio: "Sound",
  chunk: "Piece",
  stitch: "Joining",
};

const OUTCOMES = {
  committed: "done",
  late: "too late, another was first",
  failed: "failed",
  lost: "lost with its worker",
  cancelled: "cancelled",
};

/** A table of attempts, newest first. */
export function attemptsTable(attempts) {
  if (!attempts.length)
    return el("p", { class: "quiet", text: "None yet, or they are not kept any more." });
  const head = ["What", "Try", "When", "Took", "How it ended", "Worker"];
  return el(
    "div",
    { class: "scroll", tabIndex: 0, role: "region", "aria-label": "Attempts" },
    el(
      "table",
      { class: "table" },
      el(
        "thead",
        {},
        el(
          "tr",
          {},
          head.map((text) => el("th", { scope: "col", text })),
        ),
      ),
      el("tbody", {}, attempts.map(rowOf)),
    ),
  );
}

function rowOf(attempt) {
  const took = (Date.parse(attempt.ended_at) - Date.parse(attempt.started_at)) / 1000;
  const kind = KINDS[attempt.kind] ?? attempt.kind;
  const what = attempt.chunk_index == null ? kind : `${kind} ${attempt.chunk_index + 1}`;
  const outcome = OUTCOMES[attempt.outcome] ?? attempt.outcome ?? "under way";
  const cells = [
    what,
    attempt.number,
    moment(attempt.started_at),
    Number.isFinite(took) ? span(took) : "",
    [outcome, attempt.error_message].filter(Boolean).join(": "),
    attempt.worker ?? "",
  ];
  return el(
    "tr",
    {},
    cells.map((text) => el("td", { text: String(text) })),
  );
}

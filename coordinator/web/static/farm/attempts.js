// What was tried for an export, in a dialog.

import { complain } from "../announce.js";
import { request } from "../api.js";
import { openDialog } from "../dialog.js";
import { el } from "../elements.js";
import { moment, span } from "../formatting.js";
import { logButton } from "./log.js";
import { liveTable } from "./table.js";
import { plural, secondsSince, workOf } from "./words.js";

const MOST = 200;

/** Show the attempts of an export. */
export async function openAttempts(told) {
  let attempts;
  try {
    const path = `/farm/exports/${told.id}/attempts`;
    attempts = (await request("GET", path, { query: { limit: MOST } })).attempts;
  } catch (problem) {
    return complain(problem);
  }
  const table = liveTable({
    label: `Attempts of ${told.name}`,
    class: "attempts",
    columns: ["Work", "Try", "Outcome", "Worker", "Began", "Took", "What went wrong", ".Log"],
    keyOf: (each) => each.attempt_id,
    row: attemptRow,
  });
  table.tell(attempts);
  const words =
    attempts.length < MOST ? plural(attempts.length, "attempt") : `The last ${MOST} attempts`;
  const body = attempts.length
    ? [el("p", { class: "hint", text: `${words}, newest first` }), table.element]
    : el("p", { class: "empty", text: "Nothing of it has begun." });
  openDialog(`Attempts of ${told.name}`, el("div", { class: "stack" }, body), { class: "wide" });
}

function attemptRow(attempt) {
  const took = attempt.ended_at
    ? (Date.parse(attempt.ended_at) - Date.parse(attempt.started_at)) / 1000
    : secondsSince(attempt.started_at);
  const cells = [
    el("span", { text: workOf(attempt) }),
    el("span", { text: attempt.number }),
    outcomeBadge(attempt),
    el("span", { class: "cut mono", text: attempt.worker ?? "none", title: attempt.worker ?? "" }),
    el("span", { text: moment(attempt.started_at) }),
    el("span", { text: span(took) }),
    el("span", { class: "message", text: attempt.error_message ?? "" }),
    logButton(attempt) ?? el("span"),
  ];
  return { cells, tell() {} };
}

/** How an attempt ended, as a badge. */
export function outcomeBadge({ outcome, worker }) {
  const status = { committed: "completed", failed: "failed", lost: "lost" }[outcome];
  return el("span", {
    class: "badge",
    data: { status: status ?? (outcome === null ? "rendering" : "") },
    text: outcome ?? (worker ? "under way" : "handed out"),
  });
}

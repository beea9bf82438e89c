// The exports of everybody that have not ended, and what an operator may do to them.

import { request } from "../api.js";
import { el, say } from "../elements.js";
import { UNDER_WAY } from "../exports.js";
import { exportRow } from "./export_row.js";
import { freshness } from "./freshness.js";
import { poll } from "./poll.js";
import { liveTable } from "./table.js";
import { plural } from "./words.js";

const EVERY_MS = 10_000;
const PAGE = 25;
const TYPING_MS = 400;

/**
 * The exports of everybody, page by page.
 *
 * @returns {{element: Element, start: () => void, stop: () => void,
 *     choose: (userId: string) => void}}
 */
export function exportsPanel() {
  const fresh = freshness();
  const words = el("p", { class: "hint figures" });
  const user = el("input", { type: "search", id: "exports-user", maxLength: 200 });
  const status = el(
    "select",
    { id: "exports-status" },
    el("option", { value: "", text: "All under way" }),
    UNDER_WAY.map((each) => el("option", { value: each, text: `Only ${each}` })),
  );
  const newer = el("button", { type: "button", text: "Newer" });
  const older = el("button", { type: "button", text: "Older" });
  const table = liveTable({
    label: "Exports that have not ended",
    class: "exports",
    columns: ["Export", "Status", "Progress", "Priority", "What to do"],
    keyOf: (each) => each.id,
    row: (told) => exportRow(told, () => asking.now()),
  });
  const empty = el("p", { class: "empty", hidden: true });
  const filters = el(
    "div",
    { class: "row filters" },
    el("div", { class: "field" }, el("label", { for: "exports-user", text: "User" }), user),
    el("div", { class: "field" }, el("label", { for: "exports-status", text: "Status" }), status),
  );
  const element = el(
    "section",
    { class: "card everybody", "aria-labelledby": "exports-title", tabIndex: -1 },
    el(
      "div",
      { class: "spread" },
      el("div", {}, el("h2", { id: "exports-title", text: "Exports of everybody" }), words),
      filters,
    ),
    fresh.element,
    table.element,
    empty,
    el("div", { class: "actions" }, newer, older),
  );

  const cursors = []; // of the pages before this one
  let cursor = null;
  let next = null;

  const ask = (signal) => {
    const query = {
      status: status.value || UNDER_WAY,
      user_id: user.value.trim(),
      limit: PAGE,
      cursor,
    };
    return request("GET", "/farm/exports", { query, signal });
  };
  const heard = (page) => {
    fresh.heard();
    next = page.next_cursor;
    table.tell(page.exports);
    table.element.hidden = page.exports.length === 0;
    empty.hidden = page.exports.length > 0;
    say(empty, "No export is under way here.");
    const place = cursors.length > 0 || next ? `page ${cursors.length + 1}, ` : "";
    say(words, `${place}${plural(page.exports.length, "export")}, newest first`);
    newer.disabled = cursors.length === 0;
    older.disabled = !next;
  };
  const asking = poll(ask, EVERY_MS, { heard, failed: fresh.failed });

  const begin = () => {
    cursors.length = 0;
    cursor = null;
    asking.now();
  };
  let typing = 0;
  user.addEventListener("input", () => {
    clearTimeout(typing);
    typing = setTimeout(begin, TYPING_MS);
  });
  status.addEventListener("change", begin);
  older.addEventListener("click", () => {
    cursors.push(cursor);
    cursor = next;
    older.disabled = true; // until it is known what comes after
    asking.now();
  });
  newer.addEventListener("click", () => {
    cursor = cursors.pop() ?? null;
    asking.now();
  });

  const choose = (userId) => {
    user.value = userId;
    begin();
    element.scrollIntoView({ block: "nearest" });
    element.focus({ preventScroll: true });
  };
  const stop = () => {
    clearTimeout(typing);
    asking.stop();
    fresh.stop();
  };
  return { element, start: asking.start, stop, choose };
}

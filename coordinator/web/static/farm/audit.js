// What operators did: a list that is asked for only while it is open.

import { complain } from "../announce.js";
import { request } from "../api.js";
import { el } from "../elements.js";
import { moment } from "../formatting.js";
import { freshness } from "./freshness.js";
import { poll } from "./poll.js";
import { liveTable } from "./table.js";

const EVERY_MS = 15_000;
const PAGE = 20;

const WORDS = {
  "export.cancel": "Cancelled an export",
  "export.pause": "Paused an export",
  "export.prioritise": "Changed the priority of an export",
  "export.resume": "Resumed an export",
  "farm.pause": "Paused the farm",
  "farm.resume": "Resumed the farm",
  "key.create": "Made a key",
  "key.revoke": "Revoked a key",
  "node.drain": "Drained a node",
  "node.undrain": "Undrained a node",
  "quota.drop": "Dropped a quota",
  "quota.set": "Set a quota",
};

/**
 * The audit log.
 *
 * @returns {{element: Element, start: () => void, stop: () => void}}
 */
export function auditPanel() {
  const table = liveTable({
    label: "What operators did",
    class: "audit",
    columns: ["When", "Who", "What", "To what", "More"],
    keyOf: (entry) => entry.id,
    row: entryRow,
  });
  const fresh = freshness();
  const older = el("button", { type: "button", text: "Show older ones", hidden: true });
  const element = el(
    "details",
    { class: "card audit-panel" },
    el("summary", {}, el("h2", { text: "What operators did" })),
    fresh.element,
    table.element,
    older,
  );
  let entries = [];
  let isShown = false;

  const merge = (page) => {
    const known = new Map([...entries, ...page.entries].map((each) => [each.id, each]));
    entries = [...known.values()].sort((one, other) => other.id - one.id);
    table.tell(entries);
  };

  const ask = (query, signal) =>
    request("GET", "/audit", { query: { limit: PAGE, ...query }, signal });
  const newest = poll((signal) => ask({}, signal), EVERY_MS, {
    heard(page) {
      fresh.heard();
      if (entries.length === 0) older.hidden = !page.has_more;
      merge(page);
    },
    failed: fresh.failed,
  });

  older.addEventListener("click", async () => {
    try {
      const page = await ask({ before: entries.at(-1).id });
      older.hidden = !page.has_more;
      merge(page);
    } catch (problem) {
      complain(problem);
    }
  });

  const follow = () => {
    if (isShown && element.open) return newest.start();
    newest.stop();
    fresh.stop();
  };
  element.addEventListener("toggle", follow);
  const setShown = (now) => {
    isShown = now;
    follow();
  };
  return { element, start: () => setShown(true), stop: () => setShown(false) };
}

function entryRow(entry) {
  const detail = Object.entries(entry.detail)
    .filter(([, value]) => value !== null)
    .map(([name, value]) => `${name.replaceAll("_", " ")}: ${value}`)
    .join(", ");
  const cells = [
    el("time", { dateTime: entry.at, text: moment(entry.at) }),
    el("span", { class: "cut", text: entry.user_id, title: entry.user_id }),
    el("span", { text: WORDS[entry.action] ?? entry.action }),
    el("span", { class: "cut mono", text: entry.target ?? "", title: entry.target ?? "" }),
    el("span", { class: "message", text: detail }),
  ];
  return { cells, tell() {} };
}

// What waits and runs, by user.

import { attribute, el, say } from "../elements.js";
import { count } from "../formatting.js";
import { openQuota } from "./quota.js";
import { liveTable } from "./table.js";
import { plural } from "./words.js";

const NUMBERS = ["ready", "held", "running", "priority", "exports_queued", "exports_rendering"];

/**
 * The queue by user.
 *
 * @param {(userId: string) => void} onChoose Told whose exports are wanted.
 * @returns {{element: Element, tell: (farm: object) => void}}
 */
export function usersPanel(onChoose) {
  const summary = el("p", { class: "hint figures" });
  const filter = el("input", {
    type: "search",
    placeholder: "Find a user",
    "aria-label": "Find a user in the queue",
    on: { input: () => show() },
  });
  const table = liveTable({
    label: "Queue by user",
    class: "users",
    columns: ["User", "Ready", "Held", "Running", "Priority", "Queued", "Rendering", ".Quota"],
    keyOf: (user) => user.user_id,
    row: (user) => userRow(user, onChoose),
  });
  const empty = el("p", { class: "empty", hidden: true });
  const element = el(
    "section",
    { class: "card queue", "aria-labelledby": "queue-title" },
    el(
      "div",
      { class: "spread" },
      el("div", {}, el("h2", { id: "queue-title", text: "Queue by user" }), summary),
      filter,
    ),
    table.element,
    empty,
  );
  let users = [];

  const show = () => {
    const wanted = filter.value.trim().toLowerCase();
    const found = users.filter((each) => each.user_id.toLowerCase().includes(wanted));
    table.tell(found);
    table.element.hidden = found.length === 0;
    empty.hidden = found.length > 0;
    say(empty, wanted ? "No user of this name has anything waiting." : "Nothing waits or runs.");
  };

  const tell = (farm) => {
    users = farm.queue.toSorted(byUrgency);
    const ready = users.reduce((sum, each) => sum + each.ready, 0);
    say(summary, `${plural(users.length, "user")} · ${plural(ready, "work item")} ready`);
    show();
  };

  return { element, tell };
}

/** The most urgent first; what changes every second does not count, so that rows keep places. */
function byUrgency(one, other) {
  const urgency = (user) => user.priority ?? -Infinity;
  if (urgency(one) !== urgency(other)) return urgency(other) - urgency(one);
  return one.user_id < other.user_id ? -1 : 1;
}

function userRow({ user_id: userId }, onChoose) {
  const choose = el("button", {
    class: "ghost small cut",
    type: "button",
    text: userId,
    title: userId,
    "aria-label": `Show the exports of ${userId}`,
    on: { click: () => onChoose(userId) },
  });
  const quota = el("button", {
    class: "ghost small",
    type: "button",
    text: "Quota",
    "aria-label": `Quota of ${userId}`,
    on: { click: () => openQuota(userId) },
  });
  const values = NUMBERS.map(() => el("span"));
  const tell = (user) => {
    NUMBERS.forEach((name, index) => {
      const number = user[name];
      say(values[index], number === null ? "–" : count(number));
      attribute(values[index], "data-none", number ? null : "");
    });
  };
  return { cells: [choose, ...values, quota], tell };
}

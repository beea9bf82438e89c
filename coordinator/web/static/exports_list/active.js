// The exports under way, as they go on.

import { el, say } from "../elements.js";
import { ENDED } from "../exports.js";
import { get } from "../api.js";
import { count } from "../formatting.js";
import { actionsOf } from "./actions.js";
import { attention } from "./attention.js";
import { batchGroup } from "./batch_group.js";
import { endings } from "./endings.js";
import { arrange, place } from "./order.js";
import { exportRow } from "./row.js";

const MOST_ROWS = 200;
const MOST_KEPT = 30; // of those that have ended while somebody looked
const DRAW_MS = 90;
const UNSEEN_ROWS = 4; // off the screen, so many are brought up to date at a time
const TOTAL_MS = 10_000;

/**
 * A list of the exports that are under way, each with its progress, its pieces and its last frame;
 * those that end stay until they are dismissed.
 *
 * @param {object} context
 * @returns {HTMLElement} It works as long as it is in the page, and rests while it is not seen.
 */
export function activeList(context) {
  const { exports } = context;
  const actions = actionsOf(context);
  const tell = endings();
  const rows = new Map();
  const groups = new Map();
  const kept = new Set(); // ended, and not dismissed
  const waiting = new Map(); // whether one stood among those that wait when it last had not ended
  const changed = new Set();
  let isRearranged = true;
  let timer = 0;
  let total = null;
  let totalAt = -Infinity;

  const number = el("span", { class: "count" });
  const clear = el("button", {
    class: "ghost small",
    type: "button",
    text: "Clear finished",
    hidden: true,
    on: { click: clearKept },
  });
  const list = el("ol", { class: "export-rows" });
  const more = el("p", { class: "hint more-wait" });
  const empty = el("p", {
    class: "empty",
    text: "Nothing is being exported. What you export appears here, and its progress.",
  });
  const title = el("h2", { id: "under-way", tabIndex: -1 }, "Under way", number);
  const head = el(
    "div",
    { class: "spread" },
    title,
    clear,
  );
  const element = el(
    "section",
    { class: "active-list", "aria-labelledby": "under-way" },
    head,
    list,
    more,
    empty,
  );

  const watched = attention({
    onSeen(target, isSeen) {
      if (target === element) return schedule();
      const row = rows.get(target.dataset.id);
      if (!isSeen) return row?.rest();
      row?.show();
    },
    onTick(target) {
      if (target === element) return countAll();
      rows.get(target.dataset.id)?.attend();
      const group = groups.get(target.dataset.batch);
      group?.attend(markOf(target.dataset.batch));
    },
  });

  function hear(told) {
    const hasEnded = ENDED.has(told.status);
    const wasOpen = waiting.has(told.id) && !kept.has(told.id);
    if (hasEnded && wasOpen) {
      keep(told.id);
      tell(told);
    }
    if (!hasEnded) {
      kept.delete(told.id);
      const waits = told.status === "queued";
      if (waiting.get(told.id) !== waits) isRearranged = true;
      waiting.set(told.id, waits);
    }
    if (hasEnded && !kept.has(told.id)) return;
    const isNew = !rows.has(told.id);
    if (isNew || hasEnded || rows.get(told.id).place !== placeOf(told)) isRearranged = true;
    changed.add(told.id);
    schedule();
  }

  function keep(id) {
    kept.add(id);
    const ended = [...kept];
    const isDone = (each) => exports.get(each)?.status === "completed";
    while (kept.size > MOST_KEPT) dismiss(ended.splice(Math.max(0, ended.findIndex(isDone)), 1)[0]);
  }

  function dismiss(id) {
    kept.delete(id);
    waiting.delete(id);
    isRearranged = true;
    schedule();
  }

  function clearKept() {
    [...kept].forEach(dismiss);
    title.focus();
  }

  function schedule() {
    if (timer) return;
    timer = setTimeout(() => requestAnimationFrame(draw), DRAW_MS);
  }

  function draw() {
    timer = 0;
    if (!element.isConnected) return;
    if (isRearranged) keepingFocus(rearrange);
    isRearranged = false;
    let unseen = UNSEEN_ROWS;
    for (const id of changed) {
      const row = rows.get(id);
      if (row && !watched.sees(row.element) && (unseen -= 1) < 0) continue;
      row?.show();
      changed.delete(id);
    }
    if (changed.size) schedule();
  }

  function rearrange() {
    const all = [...exports.underWay, ...[...kept].map((id) => exports.get(id)).filter(Boolean)];
    const arranged = arrange(all, (told) => waiting.get(told.id) ?? false, MOST_ROWS);
    const shown = new Set();
    const children = arranged.map(({ batchId, exports: members }) => {
      for (const told of members) shown.add(told.id);
      const elements = members.map((told) => rowOf(told).element);
      if (batchId === null) return elements[0];
      const group = groupOf(batchId);
      place(group.list, elements);
      return group.element;
    });
    place(list, children);
    for (const [id, row] of rows) if (!shown.has(id)) drop(id, row);
    for (const [id, group] of groups) if (!group.element.isConnected) dropGroup(id, group);
    const open = exports.countUnderWay;
    say(number, open ? count(Math.max(open, total ?? 0)) : "");
    showMore(open);
    empty.hidden = all.length > 0;
    clear.hidden = kept.size < 2;
  }

  /** What is moved keeps the focus; what goes gives it to the row that takes its place. */
  function keepingFocus(move) {
    const focused = document.activeElement;
    const before = [...list.querySelectorAll(".export-row")];
    const at = before.findIndex((row) => row.contains(focused));
    move();
    if (at < 0 || document.activeElement === focused) return;
    if (focused.isConnected) return focused.focus({ preventScroll: true });
    const stays = (row) => row.isConnected;
    const next = before.slice(at + 1).find(stays) ?? before.slice(0, at).findLast(stays);
    (next?.querySelector("button, a") ?? title).focus();
  }

  function rowOf(told) {
    let row = rows.get(told.id);
    if (!row) {
      row = exportRow(context, actions, told.id, () => dismiss(told.id));
      rows.set(told.id, row);
      row.show();
      watched.watch(row.element);
    }
    row.place = placeOf(told);
    return row;
  }

  function groupOf(batchId) {
    let group = groups.get(batchId);
    if (!group) {
      group = batchGroup(context, batchId);
      groups.set(batchId, group);
      watched.watch(group.element);
    }
    return group;
  }

  function drop(id, row) {
    watched.forget(row.element);
    row.remove();
    rows.delete(id);
  }

  function dropGroup(id, group) {
    watched.forget(group.element);
    groups.delete(id);
  }

  /** Changes whenever it may be worth asking how a batch stands. */
  function markOf(batchId) {
    const members = [...rows.keys()]
      .map((id) => exports.get(id))
      .filter((told) => told?.batch_id === batchId);
    return members.map((told) => `${told.status} ${told.chunks_done}`).join();
  }

  function showMore(open) {
    const shown = [...rows.keys()].filter((id) => !kept.has(id)).length;
    const left = Math.max(open, total ?? 0) - shown;
    more.hidden = left <= 0;
    say(more, left === 1 ? "and 1 more waits" : `and ${count(left)} more wait`);
  }

  /** Of a queue longer than what is known here, only the server knows how long. */
  async function countAll() {
    const now = performance.now();
    if (exports.countUnderWay < MOST_ROWS) return void (total = null);
    if (now - totalAt < TOTAL_MS) return;
    totalAt = now;
    const { use } = await get("/me").catch(() => ({}));
    if (!use) return;
    total = use.exports_queued + use.exports_rendering + use.exports_uploading;
    isRearranged = true;
    schedule();
  }

  exports.addEventListener("changed", (event) => hear(event.detail));
  exports.addEventListener("gone", (event) => dismiss(event.detail));
  for (const told of exports.underWay) hear(told);
  watched.watch(element);
  return element;
}

const placeOf = (told) => [told.created_at, told.priority, told.batch_id].join();

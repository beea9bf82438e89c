// What each slot of a node is doing: a row for each that stays in its place.

import { attribute, el, say } from "../elements.js";
import { count, moment } from "../formatting.js";
import { nameOf, plural, processOf, since, takesSlot, workOf } from "./words.js";

/**
 * The slots of a node.
 *
 * @returns {{element: Element, tell: (slots: number, attempts: object[], idle: string) =>
 *     number}} Told how many slots there are, what runs, and what one is in which nothing runs;
 *     answers how many are busy.
 */
export function slotRows() {
  const list = el("ol", { class: "slots" });
  const beside = el("p", { class: "beside hint" });
  const rows = [];

  const tell = (slots, attempts, idle) => {
    const work = attempts.filter(takesSlot);
    const placed = place(rows.map((row) => row.attempt), work);
    const wanted = Math.max(slots, placed.length);
    while (rows.length < wanted) {
      const row = slotRow();
      rows.push(row);
      list.append(row.element);
    }
    while (rows.length > wanted) rows.pop().element.remove();
    rows.forEach((row, index) => row.tell(placed[index] ?? null, idle));
    say(beside, sayBeside(attempts.filter((each) => !takesSlot(each))));
    return work.length;
  };

  return { element: el("div", {}, list, beside), tell };
}

/**
 * Which attempt is in which slot: those that go on stay, the others take the first that is free;
 * the one of the same worker, if that is.
 */
export function place(before, attempts) {
  const open = new Map(attempts.map((each) => [each.attempt_id, each]));
  const placed = before.map((each) => {
    const still = each && open.get(each.attempt_id);
    if (still) open.delete(still.attempt_id);
    return still ?? null;
  });
  for (const attempt of open.values()) {
    const isFree = (index) => placed[index] === null;
    const same = before.findIndex(
      (each, index) => isFree(index) && each?.worker && each.worker === attempt.worker,
    );
    const free = same >= 0 ? same : placed.indexOf(null);
    if (free >= 0) placed[free] = attempt;
    else placed.push(attempt);
  }
  while (placed.at(-1) === null) placed.pop();
  return placed;
}

function slotRow() {
  const name = el("span", { class: "cut name" });
  const frames = el("span", { class: "figures" });
  const work = el("span", { class: "cut" });
  const time = el("span", { class: "figures" });
  const bar = el("div", { class: "bar" });
  const element = el(
    "li",
    {},
    el("div", {}, name, frames),
    el("div", { class: "quiet" }, work, time),
    bar,
  );
  const row = { element, attempt: null, tell };

  function tell(attempt, idle) {
    // A bar that begins anew does not run back.
    if (attempt?.attempt_id !== row.attempt?.attempt_id) bar.replaceChildren(el("span"));
    row.attempt = attempt;
    attribute(element, "data-free", attempt ? null : "");
    if (attempt === null) {
      for (const each of [frames, work, time]) say(each, "");
      say(name, idle);
      attribute(element, "title", null);
      return;
    }
    const length = attempt.frames_total;
    say(name, nameOf(attempt));
    say(frames, sayFrames(attempt.frames, length));
    say(work, sayWork(attempt));
    say(time, since(attempt.started_at));
    bar.firstElementChild.style.setProperty(
      "--share",
      length ? Math.min(1, attempt.frames / length) : 0,
    );
    attribute(element, "title", hint(attempt));
  }

  return row;
}

function sayWork(attempt) {
  const parts = [workOf(attempt), attempt.user_id];
  if (attempt.worker) parts.push(`process ${processOf(attempt.worker)}`);
  return parts.join(" · ");
}

function sayFrames(frames, length) {
  if (length) return `${count(frames)} / ${count(length)}`;
  return frames ? plural(frames, "frame") : "";
}

function hint(attempt) {
  const parts = [
    nameOf(attempt),
    `${workOf(attempt)}, of ${attempt.user_id}`,
    attempt.worker && `Worker process ${processOf(attempt.worker)}`,
    `Since ${moment(attempt.started_at)}`,
    `Attempt ${attempt.attempt_id}`,
  ];
  return parts.filter(Boolean).join("\n");
}

function sayBeside(attempts) {
  if (attempts.length === 0) return "";
  const previews = attempts.filter((each) => each.kind === "preview").length;
  const looks = attempts.length - previews;
  const parts = [
    previews && plural(previews, "preview"),
    looks && `${plural(looks, "look")} at uploads`,
  ];
  return `Beside: ${parts.filter(Boolean).join(", ")}`;
}

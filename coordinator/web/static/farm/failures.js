// What failed or was lost in the last hour, and where.

import { el, say } from "../elements.js";
import { ago, count, moment } from "../formatting.js";
import { serverNow } from "../api.js";
import { outcomeBadge } from "./attempts.js";
import { freshness } from "./freshness.js";
import { logButton } from "./log.js";
import { liveTable } from "./table.js";
import { hour, nameOf, plural, processOf, workOf } from "./words.js";

const SHOWN = 50;

/**
 * Failing workers, and the newest failures.
 *
 * @returns {{element: Element, tell: (answer: object) => void,
 *     failed: (problem: Error) => void, stop: () => void}}
 */
export function failuresPanel() {
  const summary = el("p", { class: "hint figures" });
  const fresh = freshness();
  const where = liveTable({
    label: "Failing nodes and workers",
    class: "where",
    columns: ["Node or worker", "Committed", "Failed", "Lost", "Set aside"],
    keyOf: (each) => each.key,
    row: whereRow,
  });
  const list = liveTable({
    label: "Newest failures",
    class: "failures",
    columns: ["When", "What", "Outcome", "What went wrong", ".Log"],
    keyOf: (each) => each.attempt_id,
    row: failureRow,
  });
  const empty = el("p", { class: "empty", text: "Nothing failed in the last hour.", hidden: true });
  const element = el(
    "section",
    { class: "card failing", "aria-labelledby": "failing-title" },
    el(
      "div",
      { class: "spread" },
      el("h2", { id: "failing-title", text: "Failing workers" }),
      summary,
    ),
    fresh.element,
    el("div", { class: "tables" }, where.element, list.element),
    empty,
  );

  const tell = ({ attempts, nodes }) => {
    fresh.heard();
    const places = placesOf(nodes, attempts);
    where.tell(places);
    list.tell(attempts.slice(0, SHOWN));
    const well = nodes.length - places.filter((each) => !each.isWorker).length;
    const parts = [well > 0 && `${plural(well, "node")} without failures`];
    if (attempts.length > SHOWN) parts.push(`the ${SHOWN} newest of ${count(attempts.length)}`);
    say(summary, parts.filter(Boolean).join(" · "));
    where.element.hidden = places.length === 0;
    list.element.hidden = attempts.length === 0;
    empty.hidden = places.length > 0 || attempts.length > 0;
  };

  return { element, tell, failed: fresh.failed, stop: fresh.stop };
}

/**
 * The nodes where something failed, the worst first, each followed by its workers that failed.
 *
 * What workers committed is not told; of theirs, only what is in the list is counted.
 */
function placesOf(nodes, attempts) {
  const byNode = Map.groupBy(attempts, (each) => each.node);
  const failing = nodes.filter((each) => each.failed || each.lost || each.set_aside_until);
  failing.sort((one, other) => other.failed + other.lost - one.failed - one.lost);
  return failing.flatMap((node) => {
    const byWorker = Map.groupBy(byNode.get(node.id) ?? [], (each) => each.worker);
    const workers = [...byWorker].map(([worker, own]) => ({
      key: `${node.id} ${worker}`,
      title: worker ? `process ${processOf(worker)}` : "no worker",
      isWorker: true,
      committed: null,
      failed: own.filter((each) => each.outcome === "failed").length,
      lost: own.filter((each) => each.outcome === "lost").length,
      set_aside_until: null,
    }));
    workers.sort((one, other) => other.failed + other.lost - one.failed - one.lost);
    const title = node.name ?? `gone: ${node.id.slice(0, 12)}`;
    return [{ ...node, key: node.id, title, isWorker: false }, ...workers];
  });
}

function whereRow(item) {
  const name = el("span", {
    class: "cut",
    data: { worker: item.isWorker },
    text: item.title,
    title: item.id ?? item.title,
  });
  const cells = [name, ...["committed", "failed", "lost", "aside"].map(() => el("span"))];
  const tell = (told) => {
    say(cells[1], told.committed === null ? "" : count(told.committed));
    say(cells[2], count(told.failed));
    say(cells[3], count(told.lost));
    say(cells[4], told.set_aside_until ? `until ${hour(told.set_aside_until)}` : "");
  };
  return { cells, tell };
}

/** What its name does not say. */
function aboutOf(failure) {
  const work = failure.export_name ? `${workOf(failure)}, ` : "";
  return `${work}try ${failure.number} · ${failure.user_id}`;
}

function failureRow(failure) {
  const when = el("time", { dateTime: failure.ended_at, title: moment(failure.ended_at) });
  const what = el(
    "span",
    {},
    el("span", { class: "cut name", text: nameOf(failure), title: nameOf(failure) }),
    el("span", { class: "hint cut", text: aboutOf(failure) }),
  );
  const message = el("span", {
    class: "message",
    text: failure.error_message ?? "Its dispatcher went away, or what it made did.",
  });
  const log = logButton(failure) ?? el("span");
  const cells = [when, what, outcomeBadge(failure), message, log];
  return { cells, tell: () => say(when, ago(failure.ended_at, serverNow())) };
}

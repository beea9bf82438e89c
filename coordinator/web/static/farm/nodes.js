// The machines of the farm, and what each is doing.

import { complain, toast } from "../announce.js";
import { post } from "../api.js";
import { confirm } from "../dialog.js";
import { attribute, el, say } from "../elements.js";
import { moment } from "../formatting.js";
import { keyedList } from "./keyed_list.js";
import { slotRows } from "./slots.js";
import { hour, plural, secondsSince, since } from "./words.js";

const LOST_S = 10;
const NOTHING = [];
/** As in the style sheet: on a phone so many are shown at first, and elsewhere some more. */
const FIRST = 6;
const URGENT = new Set(["lost", "aside"]);

/**
 * A card for each node.
 *
 * @param {() => void} onChange Told that a node drains, or takes work again.
 * @returns {{element: Element, tell: (farm: object) => void}}
 */
export function nodesPanel(onChange) {
  const summary = el("p", { class: "hint figures" });
  const list = el("div", { class: "node-list" });
  const all = el("button", {
    class: "all",
    type: "button",
    "aria-expanded": "false",
    on: {
      click() {
        list.toggleAttribute("data-all");
        attribute(all, "aria-expanded", list.hasAttribute("data-all"));
        tellAll();
      },
    },
  });
  const empty = el("p", {
    class: "empty",
    text: "No node has joined the cluster. Work begins when one does.",
    hidden: true,
  });
  const element = el(
    "section",
    { class: "nodes stack", "aria-labelledby": "nodes-title", tabIndex: -1 },
    el("div", { class: "spread" }, el("h2", { id: "nodes-title", text: "Nodes" }), summary),
    list,
    all,
    empty,
  );
  let nodes = [];
  const isLast = (id) => !nodes.some((each) => each.id !== id && !each.draining_at);
  const tellNodes = keyedList(
    list,
    (node) => node.id,
    () => nodeCard({ isLast, onChange }),
  );

  const tellAll = () => {
    all.hidden = nodes.length <= FIRST;
    say(all, list.hasAttribute("data-all") ? "Show fewer nodes" : `Show all ${nodes.length} nodes`);
  };

  const tell = (farm) => {
    nodes = farm.nodes;
    const running = Map.groupBy(farm.running, (each) => each.node);
    const told = nodes.map((node) => ({
      ...node,
      attempts: running.get(node.id) ?? NOTHING,
      standing: standing(node, farm.silent_s),
    }));
    tellNodes(told.toSorted(byUrgency));
    tellAll();
    say(summary, summarise(told, running.get(null)?.length ?? 0));
    list.hidden = nodes.length === 0;
    empty.hidden = nodes.length > 0;
  };

  return { element, tell };
}

/** How a node stands: lost, draining, aside or well. */
export function standing(node, silent_s) {
  // While no dispatcher looks, no node is seen, and none of them is lost for that.
  if (secondsSince(node.seen_at) - (silent_s ?? 0) > LOST_S) return "lost";
  if (node.draining_at) return "draining";
  return node.set_aside_until ? "aside" : "well";
}

/** Those that need somebody first; the others keep the order of their names. */
function byUrgency(one, other) {
  return URGENT.has(other.standing) - URGENT.has(one.standing);
}

function summarise(nodes, waiting) {
  const words = { lost: "lost", draining: "draining", aside: "set aside" };
  const parts = [plural(nodes.length, "node")];
  for (const [name, word] of Object.entries(words)) {
    const found = nodes.filter((each) => each.standing === name).length;
    if (found) parts.push(`${found} ${word}`);
  }
  if (waiting) parts.push(`${plural(waiting, "work item")} handed out, not begun`);
  return parts.join(" · ");
}

function nodeCard({ isLast, onChange }) {
  const name = el("h3", { class: "cut" });
  const badge = el("span", { class: "badge" });
  const busy = el("span", { class: "figures quiet" });
  const about = el("p", { class: "hint cut" });
  const slots = slotRows();
  const act = el("button", { class: "ghost small", type: "button" });
  const element = el(
    "article",
    { class: "card node" },
    el("header", {}, name, busy, act),
    el("div", { class: "about" }, badge, about),
    slots.element,
  );
  let node = null;

  act.addEventListener("click", async () => {
    const { id, name: called, draining_at: draining } = node;
    const title = `Drain ${called}, the last node that takes work?`;
    const text = "What it is at is finished; then nothing runs until a node takes work again.";
    if (!draining && isLast(id) && !(await confirm(title, text, "Drain it"))) return;
    try {
      await post(`/farm/nodes/${encodeURIComponent(id)}/${draining ? "undrain" : "drain"}`);
      toast(draining ? `${called} takes work again.` : `${called} finishes what it has begun.`);
      onChange();
    } catch (problem) {
      complain(problem);
    }
  });

  const tell = (told) => {
    node = told;
    const room = Math.floor(told.cpus);
    const taken = slots.tell(room, told.attempts, told.draining_at ? "closed" : "free");
    attribute(element, "data-standing", told.standing);
    say(name, told.name);
    attribute(name, "title", `${told.name}\n${told.id}\nSince ${moment(told.first_seen_at)}`);
    say(badge, badgeOf(told));
    badge.hidden = told.standing === "well";
    say(busy, `${taken} / ${room}`);
    attribute(busy, "aria-label", `${taken} of ${plural(room, "slot")} busy`);
    say(about, aboutOf(told));
    attribute(about, "title", about.textContent);
    say(act, told.draining_at ? "Undrain" : "Drain");
    attribute(act, "aria-label", `${told.draining_at ? "Undrain" : "Drain"} ${told.name}`);
  };

  return { element, tell };
}

function badgeOf(node) {
  switch (node.standing) {
    case "lost":
      return "Lost";
    case "draining":
      return node.running ? `Draining, ${node.running} left` : "Drained";
    case "aside":
      return `Set aside until ${hour(node.set_aside_until)}`;
    default:
      return "";
  }
}

function aboutOf(node) {
  const parts = [plural(node.cpus, "CPU")];
  if (node.gpus) parts.push(plural(node.gpus, "GPU"));
  const isFresh = secondsSince(node.seen_at) <= LOST_S;
  parts.push(isFresh ? "seen just now" : `last seen ${since(node.seen_at)} ago`);
  if (node.standing === "aside") parts.unshift("what it does fails");
  return parts.join(" · ");
}

// The machines of the farm, the pools that they serve, and what each is doing.

import { complain, toast } from "../announce.js";
import { post } from "../api.js";
import { confirm } from "../dialog.js";
import { attribute, el, say } from "../elements.js";
import { moment } from "../formatting.js";
import { keyedList } from "./keyed_list.js";
import { poolList } from "./pools.js";
import { slotRows } from "./slots.js";
import { hour, plural, secondsSince, since } from "./words.js";

const LOST_S = 10;
const NOTHING = [];
/** As in the style sheet: on a phone so many are shown at first, and elsewhere some more. */
const FIRST = 6;
const URGENT = new Set(["lost", "kept-out", "aside"]);

/**
 * A card for each node.
 *
 * @param {() => void} onChange Told that a node drains, or takes work again.
 * @returns {{element: Element, tell: (farm: object) => void, tellPools: (told: object) => void}}
 */
export function nodesPanel(onChange) {
  const summary = el("p", { class: "hint figures" });
  const pools = poolList();
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
    pools.element,
    list,
    all,
    empty,
  );
  let nodes = [];
  const isLast = (id) => !nodes.some((each) => each.id !== id && takesWork(each));
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

  return { element, tell, tellPools: pools.tell };
}

/** Whether a node gets work, as the dispatcher has it. */
const takesWork = (node) => node.slots > 0 && !node.draining_at && !node.is_leaving;

/** How a node stands: lost, kept out, draining, aside, starting or well. */
export function standing(node, silent_s) {
  // While no dispatcher looks, no node is seen, and none of them is lost for that.
  if (secondsSince(node.seen_at) - (silent_s ?? 0) > LOST_S) return "lost";
  if (node.kept_out) return "kept-out";
  if (node.draining_at || node.is_leaving) return "draining";
  if (node.set_aside_until) return "aside";
  // The head of a cluster offers nothing, and never says what it is.
  return node.engine === null && (node.cpus || node.gpus) ? "starting" : "well";
}

/** Those that need somebody first; the others keep the order of their names. */
function byUrgency(one, other) {
  return URGENT.has(other.standing) - URGENT.has(one.standing);
}

function summarise(nodes, waiting) {
  const words = {
    lost: "lost",
    "kept-out": "kept out",
    draining: "draining",
    aside: "set aside",
    starting: "starting",
  };
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
  const why = el("p", { class: "why" });
  const slots = slotRows();
  const act = el("button", { class: "ghost small", type: "button" });
  const element = el(
    "article",
    { class: "card node" },
    el("header", {}, name, busy, act),
    el("div", { class: "about" }, badge, about),
    why,
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
    const room = told.slots;
    const taken = slots.tell(room, told.attempts, takesWork(told) ? "free" : "closed");
    attribute(element, "data-standing", told.standing);
    say(name, told.name);
    attribute(name, "title", `${told.name}\n${told.id}\nSince ${moment(told.first_seen_at)}`);
    say(badge, badgeOf(told));
    badge.hidden = told.standing === "well";
    say(busy, `${taken} / ${room}`);
    attribute(busy, "aria-label", `${taken} of ${plural(room, "slot")} busy`);
    say(why, told.kept_out ?? "");
    why.hidden = !told.kept_out;
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
    case "kept-out":
      return "Kept out";
    case "starting":
      return "Starting";
    case "draining":
      if (node.is_leaving) return "Leaving";
      return node.running ? `Draining, ${node.running} left` : "Drained";
    case "aside":
      return `Set aside until ${hour(node.set_aside_until)}`;
    default:
      return "";
  }
}

function aboutOf(node) {
  const parts = [node.pools.join(", "), node.renderer, plural(node.cpus, "CPU")].filter(Boolean);
  if (node.gpus) parts.push(plural(node.gpus, "GPU"));
  const isFresh = secondsSince(node.seen_at) <= LOST_S;
  parts.push(isFresh ? "seen just now" : `last seen ${since(node.seen_at)} ago`);
  if (node.standing === "aside") parts.unshift("what it does fails");
  return parts.join(" · ");
}

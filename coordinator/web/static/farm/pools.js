// The pools of the farm: who serves each, and what waits in it.

import { attribute, el, say } from "../elements.js";
import { keyedList } from "./keyed_list.js";
import { plural } from "./words.js";

/**
 * A list of the pools; out of sight where there is but one, and nodes serve it.
 *
 * @returns {{element: Element, tell: (told: {pools: object[]}) => void}}
 */
export function poolList() {
  const element = el("ul", { class: "pools", "aria-label": "Pools", hidden: true });
  const tellPools = keyedList(element, (pool) => pool.name, poolRow);

  const tell = ({ pools }) => {
    tellPools(pools);
    element.hidden = pools.length < 2 && pools.every(isServed);
  };

  return { element, tell };
}

const isServed = (pool) => pool.slots > 0 || pool.waiting === 0;

function poolRow({ name }) {
  const words = el("span", { class: "figures" });
  const element = el("li", {}, el("strong", { class: "cut", text: name, title: name }), words);
  const tell = (pool) => {
    attribute(element, "data-starved", isServed(pool) ? null : "");
    const parts = [
      pool.slots ? plural(pool.slots, "slot") : "no node takes its work",
      pool.nodes > 0 && plural(pool.nodes, "node"),
      pool.waiting > 0 && `${pool.waiting.toLocaleString()} waiting`,
      pool.running > 0 && `${pool.running.toLocaleString()} running`,
    ];
    say(words, parts.filter(Boolean).join(" · "));
  };
  return { element, tell };
}

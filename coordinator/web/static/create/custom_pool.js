// Which nodes render an export, where the farm has several pools of them.

import { USUAL_POOL, get } from "../api.js";
import { listField } from "./custom_fields.js";

/**
 * A list of the pools that there are; out of sight where there is nothing to choose.
 *
 * @param {string} pool What is chosen at first.
 * @param {(pool: string) => void} onChange
 */
export function poolField(pool, onChange) {
  const field = listField("Nodes", onChange, { hint: "Which machines of the farm render it." });
  field.element.hidden = true;

  const offer = (pools) => {
    const names = new Set([USUAL_POOL, ...pools.map((each) => each.name), pool]);
    const free = new Map(pools.map((each) => [each.name, each.slots]));
    const choiceOf = (name) => ({ value: name, title: titleOf(name, free.get(name)) });
    field.show(pool, { choices: [...names].map(choiceOf) });
    field.element.hidden = names.size < 2;
  };

  // Without an answer there is no choice: it is rendered where it would have been.
  get("/pools").then(({ pools }) => offer(pools), () => {});
  return field;
}

function titleOf(name, slots) {
  const title = name === USUAL_POOL ? "The usual ones" : name;
  return slots ? title : `${title} (none at the moment)`;
}

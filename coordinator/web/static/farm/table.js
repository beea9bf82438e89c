// Tables whose rows keep their places and become cards on a phone.

import { el } from "../elements.js";
import { keyedList } from "./keyed_list.js";

/**
 * A table that is told its rows again and again.
 *
 * The roles are said, since the rows are grids: that takes the meaning from them otherwise.
 *
 * @param {object} settings `label` (what it lists), `class`, `columns` (titles; of one that begins
 *     with a dot only screen readers hear), `keyOf`, and `row`, which makes of an item the `cells`
 *     (nodes, in the order of the columns) and `tell` (told the item whenever it may have changed).
 * @returns {{element: Element, tell: (items: object[]) => void}}
 */
export function liveTable({ label, class: className, columns, keyOf, row }) {
  const titles = columns.map((title) => title.replace(/^\./, ""));
  const heads = columns.map((title, index) =>
    el(
      "th",
      { scope: "col", role: "columnheader" },
      el("span", { class: title.startsWith(".") ? "unseen" : "", text: titles[index] }),
    ),
  );
  const body = el("tbody", { role: "rowgroup" });
  const table = el(
    "table",
    { class: `table live-table ${className}`, role: "table", "aria-label": label },
    el("thead", { role: "rowgroup" }, el("tr", { role: "row" }, heads)),
    body,
  );
  const element = el(
    "div",
    { class: "rows", tabIndex: 0, role: "group", "aria-label": label },
    table,
  );

  const make = (item) => {
    const { cells, tell } = row(item);
    const places = cells.map((cell, index) =>
      el("td", { role: "cell", data: { title: titles[index] } }, cell),
    );
    return { element: el("tr", { role: "row" }, places), tell };
  };
  return { element, tell: keyedList(body, keyOf, make) };
}

// The links to a video that anybody can open.

import { complain, toast } from "../announce.js";
import { get, remove } from "../api.js";
import { el } from "../elements.js";
import { moment } from "../formatting.js";
import { icon } from "../icons.js";

/** Show those that still work, each of which can be ended, in a place that is hidden without. */
export async function showLinks(told, place) {
  const { links } = await get(`/exports/${told.id}/links`).catch(() => ({ links: [] }));
  const working = links.filter((link) => Date.parse(link.expires_at) > Date.now());
  const items = working.map((link) => {
    const item = el(
      "li",
      { class: "row" },
      `Made ${moment(link.created_at)}, works until ${moment(link.expires_at)}`,
    );
    const end = async () => {
      try {
        await remove(`/exports/${told.id}/links/${link.id}`);
        item.remove();
        toast("The link leads nowhere now");
      } catch (problem) {
        complain(problem);
      }
    };
    const label = `End the link made ${moment(link.created_at)}`;
    item.append(
      el(
        "button",
        { class: "small", type: "button", "aria-label": label, on: { click: end } },
        icon("delete"),
        "End it",
      ),
    );
    return item;
  });
  place.hidden = !items.length;
  place.replaceChildren(
    el("h3", { text: "Links that anybody can open" }),
    el("ul", { class: "stack" }, items),
  );
}

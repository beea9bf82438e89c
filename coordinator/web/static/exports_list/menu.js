// A button with a menu of what else can be done.

import { attribute, el } from "../elements.js";
import { icon } from "../icons.js";

const MARGIN = 8;

/**
 * A button that opens a menu; arrow keys move in it, Escape closes it.
 *
 * @param {string} label The button's name, for who cannot see it.
 * @param {() => {label: string, sign: string, isDanger?: boolean, run: () => void}[]} items Asked
 *     whenever it opens.
 */
export function menuButton(label, items) {
  const button = el(
    "button",
    {
      class: "ghost small",
      type: "button",
      "aria-label": label,
      "aria-haspopup": "menu",
      "aria-expanded": "false",
      title: "More",
      on: { click: () => open(button, label, items()) },
    },
    icon("more"),
  );
  return button;
}

function open(button, label, items) {
  const choose = (item) => {
    button.focus();
    menu.hidePopover();
    item.run();
  };
  const entries = items.map((item) =>
    el(
      "button",
      {
        class: item.isDanger ? "ghost menu-danger" : "ghost",
        type: "button",
        role: "menuitem",
        tabIndex: -1,
        on: { click: () => choose(item) },
      },
      icon(item.sign),
      el("span", { text: item.label }),
    ),
  );
  const move = (event) => {
    const at = entries.indexOf(document.activeElement);
    const last = entries.length - 1;
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: last }[event.key];
    if (event.key === "Tab") menu.hidePopover();
    if (to === undefined) return;
    event.preventDefault();
    entries[(to + entries.length) % entries.length].focus();
  };
  const menu = el(
    "div",
    { class: "menu", popover: "auto", role: "menu", "aria-label": label, on: { keydown: move } },
    entries,
  );
  menu.addEventListener("toggle", (event) => {
    if (event.newState !== "closed") return;
    attribute(button, "aria-expanded", "false");
    removeEventListener("scroll", follow);
    menu.remove();
  });
  const follow = () => {
    const { top, bottom } = button.getBoundingClientRect();
    if (bottom < 0 || top > innerHeight) menu.hidePopover();
    else put(menu, button);
  };
  // Beside its button, so that the tab key goes on from there.
  button.after(menu);
  menu.showPopover();
  attribute(button, "aria-expanded", "true");
  put(menu, button);
  entries[0]?.focus({ preventScroll: true });
  addEventListener("scroll", follow, { passive: true });
}

/** Below the button, or above where there is no room. */
function put(menu, button) {
  const [at, own] = [button.getBoundingClientRect(), menu.getBoundingClientRect()];
  const left = Math.max(MARGIN, Math.min(at.right - own.width, innerWidth - own.width - MARGIN));
  const isBelow = at.bottom + own.height + MARGIN < innerHeight;
  menu.style.left = `${left}px`;
  menu.style.top = `${isBelow ? at.bottom + 4 : Math.max(MARGIN, at.top - own.height - 4)}px`;
}

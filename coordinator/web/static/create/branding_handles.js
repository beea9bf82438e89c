// Where a musician is found, platform by platform, in the order in which the end card shows it.

import { attribute, el } from "../elements.js";
import { icon } from "../icons.js";
import { PLATFORM_TITLES } from "./outputs_platforms.js";

const LONGEST = 100;
const EXAMPLES = { website: "ada.example", bandcamp: "ada" };

/**
 * @param {(links: {handles: object, order: string[]}) => void} onChange
 */
export function handlesField(onChange) {
  const rows = el("div", { class: "stack-small" });
  const add = el("select", { "aria-label": "Add a platform" });
  const wrong = el("p", { class: "wrong", role: "alert" });
  const element = el(
    "fieldset",
    { class: "field field-wide" },
    el("legend", { text: "Where to find you" }),
    rows,
    add,
    wrong,
  );
  add.addEventListener("change", () => {
    const row = rowOf(add.value, "");
    rows.append(row);
    tell();
    row.querySelector("input").focus();
  });

  function rowOf(platform, handle) {
    const title = PLATFORM_TITLES[platform];
    const input = el("input", {
      type: "text",
      value: handle,
      maxLength: LONGEST,
      placeholder: EXAMPLES[platform] ?? "@ada",
      "aria-label": title,
      on: { input: tell },
    });
    const up = act("up", `Move ${title} up`, () => {
      row.previousElementSibling?.before(row);
      tell();
      up.focus();
    });
    const drop = act("cancel", `Remove ${title}`, () => {
      row.remove();
      tell();
      add.focus();
    });
    const row = el(
      "div",
      { class: "handle", data: { platform } },
      el("span", { text: title }),
      input,
      up,
      drop,
    );
    return row;
  }

  /** Those that have been written, in their order. */
  function tell() {
    const written = [...rows.children]
      .map((row) => [row.dataset.platform, row.querySelector("input").value.trim()])
      .filter(([, handle]) => handle !== "");
    showRest();
    onChange({ handles: Object.fromEntries(written), order: written.map(([name]) => name) });
  }

  /** Offer the platforms that are not there yet; the first cannot move up. */
  function showRest() {
    const taken = new Set([...rows.children].map((row) => row.dataset.platform));
    const left = Object.entries(PLATFORM_TITLES).filter(([name]) => !taken.has(name));
    add.replaceChildren(
      el("option", { value: "", text: "Add a platform…" }),
      ...left.map(([value, text]) => el("option", { value, text })),
    );
    add.hidden = left.length === 0;
    for (const [index, row] of [...rows.children].entries()) {
      const [up] = row.querySelectorAll("button");
      attribute(up, "disabled", index === 0 ? "" : null);
    }
  }

  const show = ({ handles = {}, order = [] } = {}) => {
    const names = order.length ? order : Object.keys(handles);
    rows.replaceChildren(...names.map((name) => rowOf(name, handles[name])));
    showRest();
  };
  const fail = (message) => {
    wrong.textContent = message;
  };
  return { element, control: add, show, fail };
}

function act(sign, label, onPress) {
  return el(
    "button",
    {
      class: "ghost small",
      type: "button",
      title: label,
      "aria-label": label,
      on: { click: onPress },
    },
    icon(sign),
  );
}

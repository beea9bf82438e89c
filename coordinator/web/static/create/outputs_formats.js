// Which formats belong to "all formats".

import { el, say } from "../elements.js";

const PLACE = "midifarm.formats";
/** One for each place where a song is usually shown. */
const USUAL = ["youtube_1080p", "instagram_square", "tiktok_vertical"];

/**
 * @param {object[]} presets Those that there are.
 * @param {() => void} onChange
 * @returns {{element: HTMLElement, chosen: string[]}}
 */
export function formatChoice(presets, onChange) {
  const kept = new Set(remembered());
  const boxes = presets.map(({ name, config }) => {
    const box = el("input", { type: "checkbox", value: name, checked: kept.has(name) });
    return el("label", { class: "check" }, box, config.name);
  });
  const list = el("fieldset", { class: "formats", on: { change } }, ...boxes);
  const summary = el("summary", {});
  const element = el("details", { class: "more" }, summary, list);
  list.prepend(el("legend", { class: "unseen", text: "Formats to export together" }));

  const chosen = () =>
    [...list.querySelectorAll("input:checked")].map((box) => box.value);

  function change() {
    localStorage.setItem(PLACE, JSON.stringify(chosen()));
    tell();
    onChange();
  }

  function tell() {
    const names = chosen();
    const taken = presets.filter(({ name }) => names.includes(name));
    const titles = taken.map(({ config }) => config.name);
    say(summary, `Formats: ${titles.join(", ") || "none"}`);
  }

  tell();
  return {
    element,
    get chosen() {
      return chosen();
    },
  };
}

function remembered() {
  try {
    return JSON.parse(localStorage.getItem(PLACE)) ?? USUAL;
  } catch {
    return USUAL;
  }
}

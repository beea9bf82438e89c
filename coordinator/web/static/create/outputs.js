// The panel where a song becomes videos: a button for each preset, all formats at once, custom.

import { complain, toast } from "../announce.js";
import { attribute, el, say } from "../elements.js";
import { clock } from "../formatting.js";
import { icon } from "../icons.js";
import { templatesOf } from "../templates.js";
import { branding } from "./branding.js";
import { openCustom } from "./custom.js";
import { chipsField } from "./custom_fields.js";
import { formatChoice } from "./outputs_formats.js";
import { byPlatform, PLATFORM_TITLES } from "./outputs_platforms.js";
import { exceeds, presetButton } from "./outputs_preset.js";
import { queueExports } from "./outputs_request.js";

const TOO_LONG = [
  { value: "fade", title: "Fade out at the limit", reason: null },
  { value: "cut", title: "Cut at the limit", reason: null },
];

/**
 * What becomes of a draft: its branding, and the videos that are made of it.
 *
 * @param {object} context
 * @param {Draft} draft
 */
export function outputs(context, draft) {
  return el("div", { class: "stack" }, branding(context, draft), exportPanel(context, draft));
}

/** The card with the buttons; it follows the draft. */
function exportPanel(context, draft) {
  const groups = byPlatform(context.presets);
  const presets = [...groups.values()].flat();
  const templates = templatesOf(context);
  let tooLong = TOO_LONG[0].value;

  const buttons = new Map(
    presets.map((preset) => [preset.name, presetButton(preset, () => quick(preset))]),
  );
  const reason = el("p", { class: "hint" });
  const choice = chipsField("Where a platform does not take all of it", (value) => {
    tooLong = value;
    show();
  });
  const formats = formatChoice(presets, show);
  const every = el("button", { class: "primary", type: "button", on: { click: all } });
  const custom = el(
    "button",
    { type: "button", class: "preset custom-preset", on: { click: openSettings } },
    icon("settings"),
    el(
      "span",
      { class: "preset-text" },
      el("span", { class: "preset-name", text: "Custom…" }),
      el("span", { class: "hint", text: "Any size, GIF, transparent, sound alone" }),
    ),
  );
  const element = el(
    "section",
    { class: "card stack outputs", "aria-labelledby": "outputs-title" },
    el("h2", { id: "outputs-title", text: "Quick export" }),
    reason,
    el("div", { class: "platforms" }, [...groups].map(platformGroup), custom),
    choice.element,
    el("div", { class: "every" }, every, formats.element),
  );

  function platformGroup([platform, members]) {
    const id = `outputs-${platform}`;
    return el(
      "div",
      {
        class: "platform",
        role: "group",
        "aria-labelledby": id,
        style: { "--members": members.length },
      },
      el("h3", { id, text: PLATFORM_TITLES[platform] }),
      members.map(({ name }) => buttons.get(name).element),
    );
  }

  function show() {
    const why = whyNot(draft);
    const video_s = videoLength();
    say(reason, why ?? "");
    reason.hidden = why === null;
    for (const preset of presets) {
      const own = preset.config.socialMedia.tooLong;
      buttons.get(preset.name).show({
        reason: why,
        video_s,
        tooLong: own === "refuse" ? tooLong : own,
      });
    }
    const longer = presets.filter((preset) => exceeds(preset, video_s) && isOpen(preset));
    choice.element.hidden = longer.length === 0;
    const hint = longer.length > 0 ? `The video is ${clock(video_s)} long.` : "";
    choice.show(tooLong, { choices: TOO_LONG, hint });
    const count = formats.chosen.length;
    say(every, count === 1 ? "Export 1 format" : `Export all formats (${count})`);
    every.disabled = why !== null || count === 0;
    attribute(every, "title", why ?? (count === 0 ? "Choose at least one format" : null));
    custom.disabled = why !== null;
    attribute(custom, "title", why);
  }

  const isOpen = ({ config }) => config.socialMedia.tooLong === "refuse";

  function videoLength() {
    return draft.videoS === null ? null : draft.videoS + templates.cardLength(draft);
  }

  async function quick(preset) {
    await pressed(buttons.get(preset.name).element, async () => {
      const too_long = isOpen(preset) ? tooLong : undefined;
      await queueExports(context, draft, { presets: [preset.name], too_long });
      toast(`${preset.config.name} is in the queue`);
    });
  }

  async function all() {
    await pressed(every, async () => {
      const chosen = formats.chosen;
      await queueExports(context, draft, { presets: chosen, too_long: tooLong });
      const count = chosen.length;
      toast(count === 1 ? "1 video is in the queue" : `${count} videos are in the queue`);
    });
  }

  function openSettings() {
    openCustom(context, {
      title: "Custom export",
      compositionId: () => draft.compositionId(),
      ...draft.range,
      durationS: draft.durationS,
      template: draft.template,
      branding: draft.branding,
      cardS: templates.cardLength(draft),
    });
  }

  draft.addEventListener("changed", show);
  templates.addEventListener("changed", show);
  show();
  return element;
}

/** Once, however often it is pressed meanwhile. */
async function pressed(button, work) {
  if (button.getAttribute("aria-busy") === "true") return;
  attribute(button, "aria-busy", "true");
  try {
    await work();
  } catch (problem) {
    complain(problem);
  } finally {
    attribute(button, "aria-busy", null);
  }
}

function whyNot(draft) {
  if (draft.isReady) return null;
  return draft.midi === null
    ? "Choose a MIDI file first."
    : `${draft.fault} Choose another MIDI file.`;
}

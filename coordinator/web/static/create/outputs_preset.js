// The button of a preset: its shape, its size, how long it may be.

import { attribute, el, say } from "../elements.js";
import { clock, span } from "../formatting.js";
import { PLATFORM_TITLES } from "./outputs_platforms.js";
import { shapeSign } from "./shapes.js";

/**
 * @param {object} preset
 * @param {() => void} onPress
 * @returns {{element: HTMLButtonElement, show: Function}} `show({ reason, video_s, tooLong })`:
 *     why it cannot be pressed, or null; how long the video is; what becomes of one that is longer.
 */
export function presetButton(preset, onPress) {
  const { config } = preset;
  const { resolution } = config.quality;
  const limit_s = config.socialMedia.maxDuration;
  const platform = PLATFORM_TITLES[config.socialMedia.platform];
  const limit = el("span", { class: "preset-limit" });
  const element = el(
    "button",
    { type: "button", class: "preset", data: { preset: preset.name }, on: { click: onPress } },
    shapeSign(resolution),
    el(
      "span",
      { class: "preset-text" },
      el("span", { class: "preset-name" }, ...named(config.name, platform)),
      el("span", { class: "hint figures", text: `${resolution.width}×${resolution.height}` }),
      limit,
    ),
  );
  const show = ({ reason, video_s, tooLong }) => {
    element.disabled = reason !== null;
    attribute(element, "title", reason);
    const isLonger = exceeds(preset, video_s);
    attribute(limit, "data-longer", isLonger ? "true" : null);
    say(limit, limitText(limit_s, isLonger && tooLong));
  };
  return { element, show };
}

/** Whether a video is longer than the platform of a preset takes it. */
export function exceeds({ config }, video_s) {
  return video_s !== null && video_s > (config.socialMedia.maxDuration ?? Infinity);
}

/** Under its platform's heading the platform need not be seen again, only heard. */
function named(name, platform) {
  if (!name.startsWith(`${platform} `)) return [name];
  return [el("span", { class: "unseen", text: `${platform} ` }), name.slice(platform.length + 1)];
}

function limitText(limit_s, tooLong) {
  if (limit_s === null) return "";
  if (tooLong === "fade") return `fades out at ${clock(limit_s)}`;
  if (tooLong === "cut") return `ends at ${clock(limit_s)}`;
  return `up to ${limit_s < 60 || limit_s % 60 === 0 ? span(limit_s) : clock(limit_s)}`;
}

// How good the picture is: a quality that is held, an average rate, or both.

import { el, say } from "../elements.js";
import { chipsField, numberField } from "./custom_fields.js";
import { perSecond } from "./custom_words.js";

const MODES = [
  { value: "quality", title: "Constant quality", hint: "The size follows from the music." },
  { value: "average", title: "Average bitrate", hint: "The size is known before." },
  { value: "capped", title: "Quality with a cap", hint: "Constant quality, up to a bitrate." },
];
/** YouTube's recommendation for 1080p at 30 fps; other sizes need less than their share. */
const USUAL_KBPS = 8000;
const USUAL_PIXELS_A_SECOND = 1920 * 1080 * 30;
const SHARE = 0.75;

/**
 * @param {(rate: {crf: number|null, bitrate: number|null}) => void} onChange
 * @returns Fields of the factor and the bitrate, and one element for all.
 */
export function rateFields(onChange) {
  let config = null;
  let rate = null;
  const mode = chipsField("Quality", (value) => onChange(begun(value)));
  const crf = el("input", { type: "range", "aria-label": "Quality", step: 1 });
  const said = el("output", { class: "figures" });
  const wrong = el("p", { class: "wrong", role: "alert" });
  const slider = el(
    "div",
    { class: "crf" },
    el("span", { class: "hint", text: "Small file" }),
    crf,
    el("span", { class: "hint", text: "Best picture" }),
    said,
    wrong,
  );
  const bitrate = numberField("Bitrate", (value) => onChange({ ...now(), bitrate: value }), {
    unit: "kbit/s",
    least: 1,
    most: 800_000,
    step: 1,
  });
  const now = () => ({ crf: config.quality.crf, bitrate: config.quality.bitrate });
  // Less is better on the scale; to people, further to the right is.
  const turned = (value) => rate.crf_max + rate.crf_min - value;
  crf.addEventListener("input", () => onChange({ ...now(), crf: turned(crf.valueAsNumber) }));

  function begun(value) {
    const factor = config.quality.crf ?? rate.crf_default;
    const kbps = config.quality.bitrate ?? usualKbps(config);
    return {
      crf: value === "average" ? null : factor,
      bitrate: value === "quality" ? null : kbps,
    };
  }

  function show(shown, facts) {
    config = shown;
    rate = facts.rate;
    element.hidden = rate === null;
    if (rate === null) return;
    const { value, hint } = modeOf(config.quality);
    mode.show(value, { choices: MODES.map((each) => ({ ...each, reason: null })), hint });
    const factor = config.quality.crf ?? rate.crf_default;
    crf.min = rate.crf_min;
    crf.max = rate.crf_max;
    crf.value = turned(factor);
    const words = `${factor}, ${inWords(factor, rate)}`;
    say(said, words);
    crf.setAttribute("aria-valuetext", words);
    slider.hidden = value === "average";
    bitrate.element.hidden = value === "quality";
    bitrate.show(config.quality.bitrate);
  }

  const element = el(
    "div",
    { class: "field-wide stack-small" },
    mode.element,
    slider,
    bitrate.element,
  );
  const crfField = { control: crf, fail: (text) => say(wrong, text) };
  return { element, crf: crfField, bitrate, control: crf, show, fail: mode.fail };
}

function modeOf({ crf, bitrate }) {
  if (bitrate === null) return MODES[0];
  return crf === null ? MODES[1] : MODES[2];
}

/** A rate that suits a size. */
function usualKbps({ quality, socialMedia }) {
  if (socialMedia) return socialMedia.requirements.recommendedBitrate;
  const { width, height } = quality.resolution;
  const pixels = width * height * perSecond(quality.framerate);
  const kbps = USUAL_KBPS * (pixels / USUAL_PIXELS_A_SECOND) ** SHARE;
  return Math.max(100, 100 * Math.round(kbps / 100));
}

function inWords(crf, { crf_default: usual, crf_max: worst }) {
  const share = (crf - usual) / (worst - usual);
  if (crf === usual) return "looks like the original";
  if (share < -0.25) return "more than eyes see, very large";
  if (share < 0) return "a little better than eyes need";
  if (share < 0.2) return "very good";
  if (share < 0.4) return "good, smaller";
  return share < 0.65 ? "soft, small" : "poor, smallest";
}

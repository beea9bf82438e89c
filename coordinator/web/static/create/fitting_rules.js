// The rules of what goes together that `GET /v1/formats` has no place for. Pure.

import { CONTAINERS, listed } from "./custom_words.js";
import { PLATFORM_TITLES } from "./outputs_platforms.js";

export const OPUS_RATE = 48000;
const MP3_KBPS = [32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320];
const AAC_FRAME_BITS = 6144; // for 1024 samples of a channel
const MOST_KBPS = 512; // that the API takes
const FASTEST_GIF = 50;

/** Whether pixels may be transparent. */
export const hasAlpha = (pixels) => /^(yuva|rgba)/.test(pixels);

/** Whether pixels have more than 8 bits; null has not. */
export const isDeep = (pixels) => Boolean(pixels?.endsWith("10le"));

/** The pixels of a codec that settings name; undefined where it has none such. */
export const pixelsOf = (codec, config) =>
  codec.pixel_formats.find((each) => each.name === config.quality.pixelFormat);

/** The containers that the platform of settings takes; null without a platform. */
export const platformTakes = (config) => config.socialMedia?.requirements.supportedFormats ?? null;

/** The same in words: TikTok takes MP4. */
export function whatPlatformTakes(config) {
  const names = platformTakes(config).map((name) => CONTAINERS[name]?.title ?? name);
  return `${PLATFORM_TITLES[config.socialMedia.platform]} takes ${listed(names)}`;
}

/** Why a container loses the transparency of pixels; null where it does not. */
export function whyNoAlpha(container, pixels) {
  return pixels === "yuva420p" && container !== "webm"
    ? `${CONTAINERS[container].title} has no place for it, WebM has`
    : null;
}

/** Why a codec cannot have a frame rate; null where it can. */
export function whyNoFramerate(codec, framerate) {
  const [over, under = 1] = framerate.split("/").map(Number);
  return codec?.name === "gif" && over / under > FASTEST_GIF
    ? `a GIF plays ${FASTEST_GIF} frames a second at most`
    : null;
}

/** The rates of a codec of the sound in kbit/s: least and most, and its steps if it has some. */
export function ratesOf(codec, { channels, sampleRate }) {
  if (codec === "mp3") return { least: MP3_KBPS[0], most: MP3_KBPS.at(-1), steps: MP3_KBPS };
  if (codec === "opus") return { least: 8, most: channels === 1 ? 256 : 510, steps: null };
  const most = Math.floor((AAC_FRAME_BITS * channels * sampleRate) / 1_024_000);
  return { least: channels === 1 ? 16 : 24, most: Math.min(MOST_KBPS, most), steps: null };
}

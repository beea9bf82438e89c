// Why something does not go with something else, as `GET /v1/formats` tells it. Pure.

import { CONTAINERS, listed, perSecond } from "./custom_words.js";
import { PLATFORM_TITLES } from "./outputs_platforms.js";

const titleOf = (container) => CONTAINERS[container]?.title ?? container;

/** The pixels of a codec that settings name; undefined where it has none such. */
export const pixelsOf = (codec, config) =>
  codec.pixel_formats.find((each) => each.name === config.quality.pixelFormat);

/** The containers that the platform of settings takes; null without a platform. */
export const platformTakes = (config) => config.socialMedia?.requirements.supportedFormats ?? null;

/** The same in words: TikTok takes MP4. */
export function whatPlatformTakes(config) {
  const names = platformTakes(config).map(titleOf);
  return `${PLATFORM_TITLES[config.socialMedia.platform]} takes ${listed(names)}`;
}

/** Why a container loses the transparency of pixels of a codec; null where it does not. */
export function whyNoAlpha(container, pixels) {
  if (pixels.containers.includes(container)) return null;
  return `${titleOf(container)} has no place for it, ${listed(pixels.containers.map(titleOf))} has`;
}

/** Why a codec cannot have a frame rate; null where it can. */
export function whyNoFramerate(codec, framerate) {
  const most = codec?.max_framerate ?? Infinity;
  return perSecond(framerate) > most
    ? `a ${codec.title} plays ${most} frames a second at most`
    : null;
}

/** Why a codec of the sound cannot have a sample rate; null where it can. */
export function whyNoSampleRate(sound, rate) {
  if (!sound || sound.sample_rates.includes(rate)) return null;
  return `${sound.title} needs ${listed(sound.sample_rates.map(kilohertz))}`;
}

/** A sample rate as people write it. */
export const kilohertz = (rate) => `${rate / 1000} kHz`;

/** The bitrates of a codec of the sound: `least` and `most`, and its `steps` if it has some. */
export function ratesOf(sound, { channels, sampleRate }) {
  const own = sound.bitrates.filter((each) => each.channels === channels);
  const { least, most } = own.find((each) => each.sample_rate === sampleRate) ?? own.at(-1);
  return { least, most, steps: sound.bitrate_steps };
}

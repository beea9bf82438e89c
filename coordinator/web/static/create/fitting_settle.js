// What gives way when a setting is changed: everything moves to the nearest that fits. Pure.

import { CONTAINERS } from "./custom_words.js";
import {
  kilohertz,
  pixelsOf,
  platformTakes,
  ratesOf,
  whatPlatformTakes,
  whyNoFramerate,
} from "./fitting_rules.js";

/** What a GIF begins with: larger ones are heavy, and hardly anybody wants them. */
const GIF = { width: 480, framerate: "15" };

/**
 * @param {object} tables Containers and codecs by their names, see fitting.js.
 * @returns {Function} `settle(was, changed)` gives `{ config, moved }`: settings that go together,
 *     and a sentence for each that is not what it was.
 */
export function settling({ containers, codecs, sounds, pixelFacts, titled, alphaIn }) {
  /**
   * @param {object} was The facts of the settings before the change.
   * @param {object} changed The settings with the change.
   */
  function settle(was, changed) {
    const config = structuredClone(changed);
    const moved = [];
    settleContainer(config, moved);
    const container = containers[config.format.container];
    const holds = CONTAINERS[container.name].title;
    settlePicture(config, moved, container, holds, was);
    settleSound(config, moved, container, holds);
    return { config, moved };
  }

  function settleContainer(config, moved) {
    const takes = platformTakes(config);
    if (!takes || takes.includes(config.format.container)) return;
    const fits = takes.find((name) => name in containers);
    if (!fits) return;
    config.format.container = fits;
    moved.push(`${CONTAINERS[fits].title}, as ${whatPlatformTakes(config)}.`);
  }

  function settlePicture(config, moved, container, holds, was) {
    const { format, quality } = config;
    if (container.video_codecs.length === 0) {
      format.videoCodec = null;
      return;
    }
    if (format.videoCodec === null && was.picture === null) {
      format.videoCodec = container.video_codecs[0];
    }
    if (format.videoCodec !== null && !container.video_codecs.includes(format.videoCodec)) {
      const keepsAlpha = (name) => was.isTransparent && alphaIn(name, container.name);
      const fits = container.video_codecs.find(keepsAlpha) ?? container.video_codecs[0];
      format.videoCodec = fits;
      const taken = container.video_codecs;
      if (taken.length > 1) {
        moved.push(`${codecs[fits].title}, as ${holds} takes ${titled(taken, codecs)}.`);
      }
    }
    const codec = codecs[format.videoCodec ?? container.video_codecs[0]];
    settlePixels(config, moved, codec, container.name, was);
    settleRate(quality, moved, codec, was);
    if (codec.name === "gif" && was.picture?.name !== "gif") beginGif(quality, moved);
    if (whyNoFramerate(codec, quality.framerate)) {
      quality.framerate = "25";
      moved.push(`25 frames a second, as ${whyNoFramerate(codec, "60")}.`);
    }
  }

  function settlePixels(config, moved, codec, container, was) {
    const { quality } = config;
    const isOther = was.picture?.name !== codec.name;
    const chosen = pixelFacts[quality.pixelFormat] ?? null;
    const asked = chosen ?? (isOther ? was.pixels : null);
    if (asked !== null) {
      const possible = codec.pixel_formats.filter((each) => each.containers.includes(container));
      const found =
        possible.find((each) => each.name === asked.name) ??
        possible.find((each) => each.alpha && asked.alpha) ??
        possible.find((each) => isDeep(each) && isDeep(chosen)) ??
        possible[0];
      if (asked.alpha && !found.alpha) {
        const where = `${codec.title} in ${CONTAINERS[container].title}`;
        moved.push(`The background is filled: ${where} cannot be transparent.`);
      } else if (isDeep(chosen) && !isDeep(found) && !found.alpha) {
        moved.push(`8 bits, as ${codec.title} has no more.`);
      }
      if (found.name !== quality.pixelFormat) {
        quality.pixelFormat = found === possible[0] ? null : found.name;
      }
    }
    const pixels = pixelsOf(codec, config) ?? codec.pixel_formats[0];
    if (quality.profile !== null && !pixels.profiles.includes(quality.profile)) {
      quality.profile = null; // it follows from the pixels; nobody misses it
    }
  }

  function settleRate(quality, moved, codec, was) {
    if (codec.crf_max === null) {
      if (quality.crf !== null || quality.bitrate !== null) {
        moved.push(`${codec.title} keeps everything: there is no quality to set.`);
      }
      quality.crf = quality.bitrate = null;
    } else if (was.picture?.name !== codec.name && quality.crf !== null) {
      if (quality.crf !== codec.crf_default) {
        moved.push(`Quality ${codec.crf_default}, the usual one on the scale of ${codec.title}.`);
      }
      quality.crf = codec.crf_default;
    } else if (quality.crf !== null) {
      quality.crf = within(quality.crf, codec.crf_min, codec.crf_max);
    }
  }

  function settleSound(config, moved, container, holds) {
    const { format, audio } = config;
    if (container.audio_codecs.length === 0) {
      format.audioCodec = null;
      return;
    }
    if (container.video_codecs.length === 0) audio.enabled = true;
    if (format.audioCodec !== null && !container.audio_codecs.includes(format.audioCodec)) {
      format.audioCodec = container.audio_codecs[0];
      const taken = titled(container.audio_codecs, sounds);
      if (container.video_codecs.length > 0) {
        moved.push(`${sounds[format.audioCodec].title}, as ${holds} takes ${taken} for sound.`);
      }
    }
    const sound = sounds[format.audioCodec ?? container.audio_codecs[0]];
    if (!sound.sample_rates.includes(audio.sampleRate)) {
      audio.sampleRate = sound.sample_rates.at(-1);
      moved.push(`${kilohertz(audio.sampleRate)}, as ${sound.title} needs it.`);
    }
    const { least, most, steps } = ratesOf(sound, audio);
    const fits = steps
      ? nearest(steps, audio.bitrate)
      : within(Math.round(audio.bitrate), least, most);
    if (fits !== audio.bitrate) {
      moved.push(`Sound at ${fits} kbit/s, the nearest that ${sound.title} has.`);
      audio.bitrate = fits;
    }
  }

  return settle;
}

const isDeep = (pixels) => pixels !== null && pixels.bits > 8;
const within = (value, least, most) => Math.min(most, Math.max(least, value));
const nearest = (steps, value) =>
  steps.reduce((best, each) => (Math.abs(each - value) < Math.abs(best - value) ? each : best));

function beginGif(quality, moved) {
  const { width, height } = quality.resolution;
  if (width > GIF.width) {
    const rows = 2 * Math.max(8, Math.round((GIF.width * height) / width / 2));
    quality.resolution = { width: GIF.width, height: rows };
    moved.push(`${GIF.width}×${rows} pixels, as larger GIFs are heavy.`);
  }
  if (quality.framerate !== GIF.framerate) {
    quality.framerate = GIF.framerate;
    moved.push(`${GIF.framerate} frames a second, as is usual for a GIF.`);
  }
}

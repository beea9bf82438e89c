// What goes together in the settings of an export, and what gives way where it does not. Pure.
//
// The tables are those of `GET /v1/formats`. The few rules that it has no place for are written
// here as the API has them, so that nobody must send something to learn that it does not fit; the
// API stays the judge.

import { CONTAINERS, PIXEL_FORMATS, PROFILES, listed, rateTitle } from "./custom_words.js";
import { PLATFORM_TITLES } from "./outputs_platforms.js";

const OPUS_RATE = 48000;
const MP3_KBPS = [32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320];
const FASTEST_GIF = 50;
/** What a GIF begins with: larger ones are heavy, and hardly anybody wants them. */
const GIF = { width: 480, framerate: "15" };

/**
 * The rules, for the formats that the API knows.
 *
 * A choice is `{ value, title, reason }`; its reason says why it is impossible, and is null where
 * it is not.
 *
 * @param {object} formats The answer of `GET /v1/formats`.
 */
export function fitting(formats) {
  const containers = byName(formats.containers);
  const codecs = byName(formats.video_codecs);
  const sounds = byName(formats.audio_codecs);
  const titled = (names, table) => listed(names.map((name) => table[name].title));

  /** What follows from settings: the codecs, their rate, and what is possible in them. */
  function facts(config) {
    const container = containers[config.format.container];
    const picture = codecs[config.format.videoCodec ?? container.video_codecs[0]] ?? null;
    const sound = sounds[config.format.audioCodec ?? container.audio_codecs[0]] ?? null;
    const pixels = picture && (pixelsOf(picture, config) ?? picture.pixel_formats[0]);
    const hasSound = sound !== null && config.audio.enabled;
    return {
      container,
      picture,
      sound,
      pixels,
      hasSound,
      isTransparent: Boolean(pixels?.alpha),
      rate: picture?.crf_max == null ? null : picture,
      audioRates: sound && ratesOf(sound.name, config.audio),
    };
  }

  /** Everything that may be chosen, by the path of the setting. */
  function choices(config) {
    const now = facts(config);
    const holds = CONTAINERS[now.container.name].title;
    const takes = platformTakes(config);
    const list = (names, table, taken) =>
      names.map((name) => ({
        value: name,
        title: table[name].title,
        reason: taken.includes(name)
          ? null
          : `${holds} takes ${titled(taken, table) || "no such thing"}`,
      }));
    return {
      "format.container": formats.containers.map(({ name }) => ({
        value: name,
        title: CONTAINERS[name]?.title ?? name,
        reason: !takes || takes.includes(name) ? null : whatPlatformTakes(config),
      })),
      "format.videoCodec": list(Object.keys(codecs), codecs, now.container.video_codecs),
      "format.audioCodec": list(Object.keys(sounds), sounds, now.container.audio_codecs),
      "quality.pixelFormat": (now.picture?.pixel_formats ?? []).map(({ name }) => ({
        value: name,
        title: PIXEL_FORMATS[name] ?? name,
        reason: whyNoAlpha(now.container.name, name),
      })),
      "quality.profile": profilesOf(now),
      "quality.framerate": formats.framerates.map((name) => ({
        value: name,
        title: rateTitle(name),
        reason: whyNoFramerate(now.picture, name),
      })),
      "audio.sampleRate": [44100, 48000].map((rate) => ({
        value: rate,
        title: `${rate / 1000} kHz`,
        reason: now.sound?.name === "opus" && rate !== OPUS_RATE ? "Opus needs 48 kHz" : null,
      })),
    };
  }

  /** Settings that cannot be changed as things are, each with the reason, by path. */
  function locks(config) {
    const now = facts(config);
    const holds = CONTAINERS[now.container.name].title;
    const locked = {};
    if (now.sound === null) locked["audio.enabled"] = `${holds} has no sound.`;
    if (now.picture === null) locked["audio.enabled"] = `${holds} holds nothing but sound.`;
    const alphas = now.container.video_codecs.filter((name) => alphaIn(name, now.container.name));
    if (alphas.length === 0) {
      locked.transparent = "Needs MOV (ProRes 4444), WebM (VP9) or PNG images.";
    } else if (now.picture.pixel_formats.every((each) => each.alpha)) {
      locked.transparent = `${now.picture.title} always has a transparent background.`;
    }
    return locked;
  }

  /**
   * Settings after a change, with what had to move for it.
   *
   * @param {object} before The settings before the change.
   * @param {object} changed The same with the change.
   * @returns {{config: object, moved: string[]}} Settings that go together, and a sentence for
   *     each that is not what it was.
   */
  function settle(before, changed) {
    const config = structuredClone(changed);
    const moved = [];
    const was = facts(before);
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
    const asked = quality.pixelFormat ?? (isOther ? (was.pixels?.name ?? null) : null);
    if (asked !== null) {
      const possible = codec.pixel_formats.filter((each) => !whyNoAlpha(container, each.name));
      const found =
        possible.find((each) => each.name === asked) ??
        possible.find((each) => each.alpha && hasAlpha(asked)) ??
        possible.find((each) => isDeep(each.name) && isDeep(quality.pixelFormat)) ??
        possible[0];
      if (hasAlpha(asked) && !found.alpha) {
        moved.push(`The background is filled: ${codec.title} in ${CONTAINERS[container].title} ` +
          "cannot be transparent.");
      } else if (isDeep(quality.pixelFormat) && !isDeep(found.name) && !found.alpha) {
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
      const title = sounds[format.audioCodec].title;
      moved.push(`${title}, as ${holds} takes ${titled(container.audio_codecs, sounds)} for sound.`);
    }
    const sound = sounds[format.audioCodec ?? container.audio_codecs[0]];
    if (sound.name === "opus" && audio.sampleRate !== OPUS_RATE) {
      audio.sampleRate = OPUS_RATE;
      moved.push("48 kHz, as Opus needs it.");
    }
    const { least, most, steps } = ratesOf(sound.name, audio);
    const fits = steps
      ? nearest(steps, audio.bitrate)
      : within(Math.round(audio.bitrate), least, most);
    if (fits !== audio.bitrate) {
      moved.push(`Sound at ${fits} kbit/s, the nearest that ${sound.title} has.`);
      audio.bitrate = fits;
    }
  }

  /** Settings with a transparent background, or without one. */
  function withTransparency(config, wanted) {
    const changed = structuredClone(config);
    const container = containers[config.format.container];
    const { picture } = facts(config);
    if (!wanted) {
      changed.quality.pixelFormat = null;
      return changed;
    }
    const codec = alphaIn(picture.name, container.name)
      ? picture.name
      : container.video_codecs.find((name) => alphaIn(name, container.name));
    const alpha = codecs[codec].pixel_formats.find((each) => each.alpha);
    changed.format.videoCodec = codec;
    changed.quality.pixelFormat = alpha.name;
    return changed;
  }

  const alphaIn = (codec, container) =>
    codecs[codec].pixel_formats.some(
      (each) => each.alpha && whyNoAlpha(container, each.name) === null,
    );

  return { facts, choices, locks, settle, withTransparency };
}

const byName = (list) => Object.fromEntries(list.map((each) => [each.name, each]));
const within = (value, least, most) => Math.min(most, Math.max(least, value));
const isDeep = (pixels) => Boolean(pixels?.endsWith("10le"));
const hasAlpha = (pixels) => /^(yuva|rgba)/.test(pixels);
const nearest = (steps, value) =>
  steps.reduce((best, each) => (Math.abs(each - value) < Math.abs(best - value) ? each : best));

const pixelsOf = (codec, config) =>
  codec.pixel_formats.find((each) => each.name === config.quality.pixelFormat);

const platformTakes = (config) => config.socialMedia?.requirements.supportedFormats ?? null;

function whatPlatformTakes(config) {
  const names = platformTakes(config).map((name) => CONTAINERS[name]?.title ?? name);
  return `${PLATFORM_TITLES[config.socialMedia.platform]} takes ${listed(names)}`;
}

function whyNoAlpha(container, pixels) {
  return pixels === "yuva420p" && container !== "webm"
    ? `${CONTAINERS[container].title} has no place for it, WebM has`
    : null;
}

function whyNoFramerate(codec, framerate) {
  const [over, under = 1] = framerate.split("/").map(Number);
  return codec?.name === "gif" && over / under > FASTEST_GIF
    ? `a GIF plays ${FASTEST_GIF} frames a second at most`
    : null;
}

/** The profiles of the codec; those for other pixels say so. */
function profilesOf({ picture, pixels }) {
  if (picture === null) return [];
  return picture.pixel_formats.flatMap((each) =>
    each.profiles.map((name) => ({
      value: name,
      title: PROFILES[name] ?? name,
      reason: each.name === pixels.name ? null : `for ${PIXEL_FORMATS[each.name]}`,
    })),
  );
}

/** The rates of a codec of the sound in kbit/s: least and most, and its steps if it has some. */
function ratesOf(codec, { channels, sampleRate }) {
  if (codec === "mp3") return { least: MP3_KBPS[0], most: MP3_KBPS.at(-1), steps: MP3_KBPS };
  if (codec === "opus") return { least: 8, most: channels === 1 ? 256 : 510, steps: null };
  const most = Math.floor((6144 * channels * sampleRate) / 1_024_000);
  return { least: channels === 1 ? 16 : 24, most: Math.min(512, most), steps: null };
}

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

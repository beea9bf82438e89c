// What goes together in the settings of an export. Pure.
//
// The tables are those of `GET /v1/formats`, so that nobody must send something to learn that it
// does not fit; the API stays the judge.

import { CONTAINERS, PIXEL_FORMATS, PROFILES, listed, rateTitle } from "./custom_words.js";
import {
  kilohertz,
  pixelsOf,
  platformTakes,
  ratesOf,
  whatPlatformTakes,
  whyNoAlpha,
  whyNoFramerate,
  whyNoSampleRate,
} from "./fitting_rules.js";
import { settling } from "./fitting_settle.js";

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
  const pixelFacts = byName(formats.video_codecs.flatMap((each) => each.pixel_formats));
  const sampleRates = [...new Set(formats.audio_codecs.flatMap((each) => each.sample_rates))];
  sampleRates.sort((one, other) => one - other);
  const alphaIn = (codec, container) =>
    codecs[codec].pixel_formats.some((each) => each.alpha && each.containers.includes(container));
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
      audioRates: sound && ratesOf(sound, config.audio),
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
      "quality.pixelFormat": (now.picture?.pixel_formats ?? []).map((each) => ({
        value: each.name,
        title: PIXEL_FORMATS[each.name] ?? each.name,
        reason: whyNoAlpha(now.container.name, each),
      })),
      "quality.profile": profilesOf(now),
      "quality.framerate": formats.framerates.map((name) => ({
        value: name,
        title: rateTitle(name),
        reason: whyNoFramerate(now.picture, name),
      })),
      "audio.sampleRate": sampleRates.map((rate) => ({
        value: rate,
        title: kilohertz(rate),
        reason: whyNoSampleRate(now.sound, rate),
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
      locked.transparent = `Needs ${listed(formats.containers.flatMap(transparency))}.`;
    } else if (now.picture.pixel_formats.every((each) => each.alpha)) {
      locked.transparent = `${now.picture.title} always has a transparent background.`;
    }
    return locked;
  }

  /** What of a container can be transparent, if anything: WebM (VP9). */
  function transparency({ name, video_codecs }) {
    const able = video_codecs.filter((codec) => alphaIn(codec, name));
    if (able.length === 0) return [];
    const { title } = CONTAINERS[name];
    return able.length === video_codecs.length ? [title] : [`${title} (${titled(able, codecs)})`];
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

  /** What had to move for a change, and the settings after it, see fitting_settle.js. */
  const settleFrom = settling({ containers, codecs, sounds, pixelFacts, titled, alphaIn });
  const settle = (before, changed) => settleFrom(facts(before), changed);

  return { facts, choices, locks, settle, withTransparency };
}

const byName = (list) => Object.fromEntries(list.map((each) => [each.name, each]));

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

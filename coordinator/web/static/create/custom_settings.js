// The settings of an export that a control of their own suffices for: where each stands, what it
// is called, when it matters.

import { chipsField, listField, numberField, switchField, textField } from "./custom_fields.js";
import { CONTAINERS, DITHERS, ENCODER_SPEEDS, TOO_LONG } from "./custom_words.js";
import { PLATFORM_TITLES } from "./outputs_platforms.js";

const hasPicture = (facts) => facts.picture !== null;
const hasSound = (facts) => facts.hasSound;
const canSound = (facts) => facts.sound !== null || facts.picture !== null;
const hasProfiles = (facts) => Boolean(facts.picture?.pixel_formats.some(hasSome));
const hasSome = (pixels) => pixels.profiles.length > 0;
const isGif = (facts) => facts.picture?.name === "gif";
const isNormalised = (facts, config) => facts.hasSound && config.audio.normalization;
const hasPlatform = (_facts, config) => config.socialMedia !== null;

const SHAPES = ["16:9", "9:16", "1:1", "4:5"];
const choices = (pairs) => pairs.map(([value, title]) => ({ value, title, reason: null }));
const megabytes = {
  read: (bytes) => Math.round(bytes / 1e5) / 10,
  write: (value) => Math.round(value * 1e6),
};

/**
 * Each is `{ path, group, kind, label, options, when, told, unit }`: `path` within the
 * configuration; `when(facts, config)` says whether it matters; `told(facts, config)` what its
 * control is shown with, beside the choices of fitting.js for its path; `unit` turns what is
 * stored into what is shown, and back.
 */
export const SETTINGS = [
  {
    path: "format.container",
    group: "file",
    kind: chipsField,
    label: "File format",
    told: (_facts, config) => ({ hint: CONTAINERS[config.format.container].hint }),
  },
  {
    path: "quality.framerate",
    group: "picture",
    kind: listField,
    label: "Frames a second",
    when: hasPicture,
  },
  {
    path: "transparent",
    group: "picture",
    kind: switchField,
    label: "Transparent background",
    options: { hint: "To lay the notes over a film of the performance." },
    when: hasPicture,
  },
  {
    path: "audio.enabled",
    group: "sound",
    kind: switchField,
    label: "With sound",
    options: { isWide: true },
    when: canSound,
  },
  {
    path: "audio.normalization",
    group: "sound",
    kind: switchField,
    label: "As loud as the platforms play it",
    options: { hint: "Loudness is brought to a target (EBU R128).", isWide: true },
    when: hasSound,
  },
  {
    path: "audio.fadeIn",
    group: "sound",
    kind: numberField,
    label: "Fade in",
    options: { unit: "s", most: 60 },
    when: hasSound,
  },
  {
    path: "audio.fadeOut",
    group: "sound",
    kind: numberField,
    label: "Fade out",
    options: { unit: "s", most: 60 },
    when: hasSound,
  },
  {
    path: "format.videoCodec",
    group: "encoding",
    kind: listField,
    label: "Video codec",
    when: hasPicture,
  },
  {
    path: "quality.pixelFormat",
    group: "encoding",
    kind: listField,
    label: "Pixels",
    when: hasPicture,
  },
  {
    path: "quality.profile",
    group: "encoding",
    kind: listField,
    label: "Profile",
    options: { none: "The usual one" },
    when: hasProfiles,
  },
  {
    path: "quality.encoderSpeed",
    group: "encoding",
    kind: listField,
    label: "Encoder speed",
    when: (facts) => facts.rate !== null,
    told: () => ({ choices: choices(ENCODER_SPEEDS) }),
  },
  {
    path: "quality.hardware",
    group: "encoding",
    kind: switchField,
    label: "Use a hardware encoder",
    options: { hint: "Where the farm has one for the codec." },
    when: (facts) => facts.rate !== null,
  },
  {
    path: "gif.loop",
    group: "encoding",
    kind: numberField,
    label: "Played again",
    options: {
      unit: "times",
      hint: "0 for ever, −1 not at all.",
      least: -1,
      most: 65535,
      step: 1,
    },
    when: isGif,
  },
  {
    path: "gif.dither",
    group: "encoding",
    kind: listField,
    label: "Dither",
    when: isGif,
    told: () => ({ choices: choices(DITHERS) }),
  },
  {
    path: "format.audioCodec",
    group: "audio",
    kind: listField,
    label: "Audio codec",
    when: hasSound,
  },
  {
    path: "audio.bitrate",
    group: "audio",
    kind: numberField,
    label: "Audio bitrate",
    options: { unit: "kbit/s", least: 8, most: 512, step: 1 },
    when: hasSound,
    told: ({ audioRates }) => ({ least: audioRates.least, most: audioRates.most }),
  },
  {
    path: "audio.sampleRate",
    group: "audio",
    kind: listField,
    label: "Sample rate",
    when: hasSound,
  },
  {
    path: "audio.channels",
    group: "audio",
    kind: listField,
    label: "Channels",
    when: hasSound,
    told: () => ({ choices: choices([[2, "Stereo"], [1, "Mono"]]) }),
  },
  {
    path: "audio.loudness",
    group: "audio",
    kind: numberField,
    label: "Loudness",
    options: { unit: "LUFS", least: -36, most: -6 },
    when: isNormalised,
  },
  {
    path: "audio.truePeak",
    group: "audio",
    kind: numberField,
    label: "Highest peak",
    options: { unit: "dBTP", least: -9, most: 0 },
    when: isNormalised,
  },
  {
    path: "socialMedia.platform",
    group: "platform",
    kind: listField,
    label: "Made for",
    options: { none: "No platform" },
    told: (_facts, config) => ({ hint: takes(config.socialMedia) }),
  },
  {
    path: "socialMedia.aspectRatio",
    group: "platform",
    kind: listField,
    label: "Shape there",
    options: { hint: "What the platform's buttons cover is kept free." },
    when: hasPlatform,
    told: () => ({ choices: choices(SHAPES.map((each) => [each, each])) }),
  },
  {
    path: "socialMedia.maxDuration",
    group: "platform",
    kind: numberField,
    label: "Longest video",
    options: { unit: "s", mayBeEmpty: true, least: 0.1, placeholder: "any" },
    when: hasPlatform,
  },
  {
    path: "socialMedia.tooLong",
    group: "song",
    kind: listField,
    label: "If its platform takes no more",
    when: (_facts, config) => Boolean(config.socialMedia?.maxDuration),
    told: () => ({ choices: choices(TOO_LONG) }),
  },
  {
    path: "socialMedia.requirements.maxFileSize",
    group: "platform",
    kind: numberField,
    label: "Largest file",
    options: { unit: "MB", least: 0.000001, most: 1_000_000_000 },
    when: hasPlatform,
    unit: megabytes,
  },
  {
    path: "name",
    group: "queue",
    kind: textField,
    label: "Name of these settings",
  },
];

/** Where settings stand, with their headings; what is `more` is out of sight at first. */
export const GROUPS = [
  { name: "begin" },
  { name: "file", title: "File" },
  { name: "picture", title: "Picture" },
  { name: "sound", title: "Sound" },
  { name: "song", title: "Part of the song" },
  { name: "encoding", title: "Encoding", more: true },
  { name: "audio", title: "Sound in detail", more: true },
  { name: "platform", title: "Platform", more: true },
  { name: "queue", title: "Queue", more: true },
];

function takes(platform) {
  if (platform === null) return "No limits of length, size or format.";
  const { supportedFormats, recommendedBitrate } = platform.requirements;
  const names = supportedFormats.map((name) => CONTAINERS[name]?.title ?? name).join(", ");
  const title = PLATFORM_TITLES[platform.platform];
  return `${title} takes ${names}, best at ${recommendedBitrate} kbit/s.`;
}

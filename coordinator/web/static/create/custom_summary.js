// Settings in one line, and how large the file will be. Pure.

import { clock, size } from "../formatting.js";
import { CONTAINERS, rateTitle } from "./custom_words.js";
import { PLATFORM_TITLES } from "./outputs_platforms.js";

const WHAT_THEN = {
  refuse: "it will be refused",
  cut: "it ends there",
  fade: "it fades out there",
};

/**
 * What comes out, in a line: "MP4, H.264 + AAC, 1920×1080 at 30 fps, about 85 MB".
 *
 * @param {object} config
 * @param {object} facts What fitting.js says of it.
 * @param {number|null} video_s How long it lasts; null where that is not known.
 */
export function summary(config, facts, video_s) {
  const { width, height } = config.quality.resolution;
  const sound = facts.hasSound ? facts.sound.title : null;
  const codecs = [facts.picture?.title, sound].filter(Boolean);
  const container = CONTAINERS[config.format.container].title;
  const picture = `${width}×${height} at ${rateTitle(config.quality.framerate)} fps`;
  return [
    container,
    codecs.length === 1 && container.startsWith(codecs[0]) ? null : codecs.join(" + "),
    facts.picture && picture,
    facts.isTransparent && "transparent",
    facts.picture && facts.sound && !facts.hasSound && "silent",
    fileSize(config, facts, video_s),
  ]
    .filter(Boolean)
    .join(", ");
}

/** How long a video is: the part of the song and the end card; null where that is not known. */
export function lengthOf({ start_s, end_s }, song_s, card_s) {
  const end = end_s ?? song_s;
  return end === null ? null : Math.max(0, end - start_s) + card_s;
}

/** What is said of a video that is longer than its platform takes; "" where it is not. */
export function overlong({ socialMedia }, video_s) {
  const limit_s = socialMedia?.maxDuration ?? Infinity;
  if (video_s === null || video_s <= limit_s) return "";
  const platform = PLATFORM_TITLES[socialMedia.platform];
  const told = `The video is ${clock(video_s)} long, ${platform} takes ${clock(limit_s)}`;
  return `${told}: ${WHAT_THEN[socialMedia.tooLong]}.`;
}

function fileSize(config, facts, video_s) {
  if (video_s === null || video_s <= 0) return null;
  const shown_s = Math.min(video_s, config.socialMedia?.maxDuration ?? Infinity);
  const sound_kbps = facts.hasSound ? config.audio.bitrate : 0;
  const { bitrate, crf } = config.quality;
  const most = config.socialMedia?.requirements.maxFileSize ?? Infinity;
  const bytes = (kbps) => Math.min(most, (kbps * 1000 * shown_s) / 8);
  if (facts.picture === null) return `about ${size(bytes(sound_kbps))}`;
  if (bitrate === null) return null; // the size follows from the music
  return `${crf === null ? "about" : "at most"} ${size(bytes(bitrate + sound_kbps))}`;
}

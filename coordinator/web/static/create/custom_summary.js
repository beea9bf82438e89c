// Settings in one line, and how large the file will be. Pure.

import { size } from "../formatting.js";
import { CONTAINERS, rateTitle } from "./custom_words.js";

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

/** How long a video will be: the range, as long as its platform takes it, and the end card. */
export function lengthOf(config, { start_s, end_s }, song_s, card_s = 0) {
  const end = end_s ?? song_s;
  if (end === null) return null;
  const whole = Math.max(0, end - start_s) + (config.format.videoCodec === null ? 0 : card_s);
  return Math.min(whole, config.socialMedia?.maxDuration ?? Infinity);
}

function fileSize(config, facts, video_s) {
  if (video_s === null || video_s <= 0) return null;
  const sound_kbps = facts.hasSound ? config.audio.bitrate : 0;
  const { bitrate, crf } = config.quality;
  const most = config.socialMedia?.requirements.maxFileSize ?? Infinity;
  const bytes = (kbps) => Math.min(most, (kbps * 1000 * video_s) / 8);
  if (facts.picture === null) return `about ${size(bytes(sound_kbps))}`;
  if (bitrate === null) return null; // the size follows from the music
  return `${crf === null ? "about" : "at most"} ${size(bytes(bitrate + sound_kbps))}`;
}

// Which file is what, by its name and by what the browser takes it for.

/** The parts of a song that are files; a file belongs to the first that it fits. */
export const PARTS = {
  midi: {
    noun: "a MIDI file",
    icon: "music",
    accept: ".mid,.midi,.kar,.rmi,audio/midi,audio/x-midi",
    ending: /\.(midi?|kar|rmi)$/i,
    type: /^audio\/(x-|sp-)?midi?$/,
    kindOf: () => "midi",
  },
  lyrics: { noun: "lyrics (.lrc)", icon: "logs", accept: ".lrc", ending: /\.lrc$/i, type: /^$/ },
  cover: {
    noun: "an image",
    icon: "picture",
    accept: "image/*",
    ending: /\.(png|jpe?g|webp|gif|tiff?|bmp)$/i,
    type: /^image\//,
    kindOf: () => "image",
  },
  audio: {
    noun: "a recording",
    icon: "wave",
    accept: "audio/*,video/*,.flac,.opus,.m4a,.mkv,.aiff",
    ending: /\.(wav|flac|mp3|m4a|aac|ogg|opus|aiff?|wma|mp4|mov|mkv|webm)$/i,
    type: /^(audio|video)\//,
    kindOf: () => "audio",
  },
  // Never found by itself: an image is a cover, and a video a recording, unless one says so.
  background: {
    noun: "an image or a video",
    icon: "film",
    accept: "image/*,video/*,.mkv",
    ending: /\.(png|jpe?g|webp|gif|tiff?|bmp|mp4|mov|mkv|webm|avi|flv|m?ts)$/i,
    type: /^(image|video)\//,
    kindOf: (file) => (fits(file, PARTS.cover) ? "image" : "video"),
  },
};

/** What a whole song is made of, for a file dialog. */
export const SONG_FILES = ["midi", "audio", "cover", "lyrics"]
  .map((part) => PARTS[part].accept)
  .join(",");

/** Which part of a song a file is; null where it is none. */
export function partOf(file) {
  const parts = Object.keys(PARTS).filter((part) => part !== "background");
  return parts.find((part) => fits(file, PARTS[part])) ?? null;
}

/** Whether a file can be that part. */
export function isFor(file, part) {
  return fits(file, PARTS[part]);
}

/** What a song is called, by its file: "bach_prelude.mid" is "bach prelude". */
export function nameOf(fileName) {
  return fileName.replace(/\.[^.]+$/, "").replaceAll("_", " ").trim();
}

function fits(file, { ending, type }) {
  return ending.test(file.name) || (file.type !== "" && type.test(file.type));
}

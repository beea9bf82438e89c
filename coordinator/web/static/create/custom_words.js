// What the settings of an export are called.

export const CONTAINERS = {
  mp4: { title: "MP4", hint: "Plays everywhere." },
  mov: { title: "MOV", hint: "For video editors." },
  webm: { title: "WebM", hint: "Small, for web pages." },
  gif: { title: "GIF", hint: "A silent loop of up to 256 colours." },
  zip: { title: "PNG images", hint: "One picture for each frame, in a ZIP file." },
  m4a: { title: "M4A", hint: "Sound alone." },
  mp3: { title: "MP3", hint: "Sound alone, plays everywhere." },
  ogg: { title: "Ogg", hint: "Sound alone, small." },
};

export const PIXEL_FORMATS = {
  yuv420p: "8 bits, plays everywhere",
  yuv420p10le: "10 bits, smooth in dark gradients",
  yuv444p: "8 bits, colour as sharp as light (4:4:4)",
  yuva420p: "8 bits, transparent background",
  yuva444p10le: "10 bits, transparent background",
  rgb24: "RGB",
  rgba: "RGB, transparent background",
  pal8: "A palette of 256 colours",
};

export const PROFILES = {
  baseline: "Baseline",
  main: "Main",
  high: "High",
  high10: "High 10",
  high444: "High 4:4:4",
  main10: "Main 10",
  "main444-8": "Main 4:4:4",
};

export const ENCODER_SPEEDS = [
  ["ultrafast", "Fastest, largest file"],
  ["superfast", "Super fast"],
  ["veryfast", "Very fast"],
  ["faster", "Faster"],
  ["fast", "Fast"],
  ["medium", "Medium"],
  ["slow", "Slow"],
  ["slower", "Slower"],
  ["veryslow", "Slowest, smallest file"],
];

export const DITHERS = [
  ["sierra2_4a", "Fine"],
  ["floyd_steinberg", "Finest"],
  ["bayer", "Pattern, smaller file"],
  ["none", "None, smallest file"],
];

export const TOO_LONG = [
  ["refuse", "Refuse it"],
  ["fade", "Fade out at the limit"],
  ["cut", "Cut at the limit"],
];

/** Sizes that are often wanted. */
export const SIZES = [
  { title: "HD", width: 1280, height: 720 },
  { title: "Full HD", width: 1920, height: 1080 },
  { title: "4K", width: 3840, height: 2160 },
  { title: "Square", width: 1080, height: 1080 },
  { title: "Portrait", width: 1080, height: 1350 },
  { title: "Vertical", width: 1080, height: 1920 },
];

/** A frame rate as a number; the API writes some as a fraction: 30000/1001. */
export function perSecond(framerate) {
  const [over, under = 1] = String(framerate).split("/").map(Number);
  return over / under;
}

/** A frame rate as people write it: 30, 29.97. */
export const rateTitle = (framerate) => String(Math.round(perSecond(framerate) * 1000) / 1000);

/** Names in a sentence: H.264, H.265 or ProRes 4444. */
export function listed(names) {
  return names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} or ${names.at(-1)}`;
}

// What exports, their stages and their files are called, for people.

import { ENDED } from "../exports.js";
import { clock, count, size, span } from "../formatting.js";

const STATUSES = {
  queued: "Waiting",
  rendering: "Rendering",
  uploading: "Finishing",
  completed: "Done",
  failed: "Failed",
  cancelled: "Cancelled",
};

const STAGES = {
  queued: "Waiting for its turn",
  preparing: "Reading the song",
  surveying: "Looking at samples of the video",
  stitching: "Joining the pieces and the sound",
};

const CONTAINERS = {
  mp4: "MP4",
  mov: "MOV",
  webm: "WebM",
  gif: "GIF",
  zip: "Pictures (ZIP)",
  m4a: "M4A sound",
  mp3: "MP3 sound",
  ogg: "Ogg sound",
};

const SOUNDS = new Set(["m4a", "mp3", "ogg"]);

/** How an export stands, in one word. */
export const statusOf = (told) => STATUSES[told.status] ?? told.status;

/** What is being done for an export, in a few words; empty where its status says as much. */
export function stageOf(told) {
  if (ENDED.has(told.status)) return "";
  return told.reason || (STAGES[told.stage] ?? "");
}

/** What a file format is called. */
export const containerOf = (name) => CONTAINERS[name] ?? name;

/** Whether an export has no pictures at all; unknown is no. */
export const isSound = (told) => SOUNDS.has(told.container);

/** The icon that stands where an export has no picture. */
export function signOf(told) {
  if (told.status === "failed") return "warning";
  return isSound(told) ? "wave" : "film";
}

/** Whether an export's video was kept for its time, and deleted. */
export const isExpired = (told) =>
  told.status === "completed" && told.config != null && !told.download_url;

/** What comes out: "1080 × 1920 · MP4"; empty as long as that is unknown. */
export function shapeOf(told) {
  if (!told.config) return "";
  const { width, height } = told.config.quality?.resolution ?? {};
  const container = containerOf(told.container);
  return isSound(told) || !width ? container : `${width} × ${height} · ${container}`;
}

/** Width by height of the pictures; that of a screen where unknown. */
export function ratioOf(told) {
  const { width, height } = told.config?.quality?.resolution ?? {};
  return width && height && !isSound(told) ? width / height : 16 / 9;
}

/** What a finished file is: "3:07 · 12.3 MB". */
export function fileOf(told) {
  const length = told.duration_seconds == null ? "" : clock(told.duration_seconds);
  return [length, size(told.file_size)].filter(Boolean).join(" · ");
}

/** How long it still takes: "about 2 min left"; empty where nobody knows. */
export function leftOf(told) {
  if (told.eta_s == null || ENDED.has(told.status)) return "";
  return told.eta_s < 1 ? "almost done" : `about ${span(told.eta_s)} left`;
}

/** How fast it is rendered: "58 frames/s"; empty where it is not. */
export function speedOf(told) {
  if (told.status !== "rendering" || !told.fps) return "";
  return `${told.fps < 10 ? told.fps.toFixed(1) : count(Math.round(told.fps))} frames/s`;
}

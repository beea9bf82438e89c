// How numbers and times are written, for people.

/** Seconds as on a player: 3:07, 1:02:09. */
export function clock(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const parts = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const [hours, minutes, rest] = parts;
  const tail = String(rest).padStart(2, "0");
  return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${tail}` : `${minutes}:${tail}`;
}

/** How long something takes: 8 s, 3 min, 2 h 5 min. */
export function span(seconds) {
  if (seconds == null || !Number.isFinite(seconds)) return "";
  if (seconds < 59.5) return `${Math.max(1, Math.round(seconds))} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  return minutes % 60 ? `${Math.floor(minutes / 60)} h ${minutes % 60} min` : `${minutes / 60} h`;
}

/** A size of a file: 640 kB, 12.3 MB. */
export function size(bytes) {
  if (bytes == null) return "";
  const units = ["B", "kB", "MB", "GB", "TB"];
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const digits = unit < 2 || value >= 99.95 ? 0 : 1;
  return `${value.toFixed(digits)} ${units[unit]}`;
}

/** A whole number with separators: 12,345. */
export function count(number) {
  return new Intl.NumberFormat().format(number);
}

/** A share as per cent, never 100 % before it is whole. */
export function percent(share) {
  return `${share >= 1 ? 100 : Math.min(99, Math.floor(share * 100))} %`;
}

/** When something was, as people say it: just now, 5 min ago, 7 h ago, 3 Mar. */
export function ago(text, now = Date.now()) {
  const then = new Date(text);
  const seconds = (now - then.getTime()) / 1000;
  if (seconds < 45) return "just now";
  if (seconds < 3600) return `${Math.max(1, Math.round(seconds / 60))} min ago`;
  if (seconds < 86400) return `${Math.round(seconds / 3600)} h ago`;
  const far = then.getFullYear() !== new Date(now).getFullYear();
  return then.toLocaleDateString(undefined, {
    day: "numeric",
    month: "short",
    year: far ? "numeric" : undefined,
  });
}

/** The same to the second, for who wants to know. */
export function moment(text) {
  return new Date(text).toLocaleString();
}

/** A text that begins a sentence. */
export function capital(text) {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}

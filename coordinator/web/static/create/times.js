// Times as people write them: 83.5, 1:23.5, 1:02:09.

/** Seconds from a time; null where it is empty, NaN where it is none. */
export function readTime(text) {
  const plain = text.trim().replace(",", ".");
  if (plain === "") return null;
  if (!/^(\d+:){0,2}\d+(\.\d*)?$/.test(plain)) return NaN;
  return plain.split(":").reduce((total, part) => 60 * total + Number(part), 0);
}

/** A time from seconds, as exact as they are: 1:23.5. */
export function writeTime(seconds) {
  if (seconds === null) return "";
  const rounded = Math.round(seconds * 1000) / 1000;
  const hours = Math.floor(rounded / 3600);
  const minutes = Math.floor((rounded % 3600) / 60);
  const rest = String(Math.round((rounded % 60) * 1000) / 1000);
  const tail = rest.split(".")[0].length < 2 ? `0${rest}` : rest;
  return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${tail}` : `${minutes}:${tail}`;
}

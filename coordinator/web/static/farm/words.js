// How operators are told of work, of times and of nodes.

import { serverNow } from "../api.js";
import { capital, span } from "../formatting.js";

const KINDS = {
  probe: "look at an upload",
  preview: "preview",
  intake: "intake",
  survey: "survey",
  audio: "sound",
  stitch: "stitch",
};

const HOUR = new Intl.DateTimeFormat(undefined, {
  hour: "2-digit",
  minute: "2-digit",
  hourCycle: "h23",
});

/** Whether an attempt is in a slot; what somebody waits for runs beside them. */
export const takesSlot = ({ kind }) => kind !== "probe" && kind !== "preview";

/** What an attempt is at: "chunk 12", "sound". */
export function workOf({ kind, chunk_index }) {
  return kind === "chunk" ? `chunk ${chunk_index}` : (KINDS[kind] ?? kind);
}

/** What an attempt belongs to, for people. */
export function nameOf(attempt) {
  return attempt.export_name ?? capital(workOf(attempt));
}

/** The process id of a worker: its name begins with the node, which is known where it stands. */
export const processOf = (worker) => worker?.split(":").at(-1) ?? "";

/** The hour of something: 14:05. */
export const hour = (text) => HOUR.format(new Date(text));

/** Seconds since something, by the server's clock. */
export const secondsSince = (text) => Math.max(0, (serverNow() - Date.parse(text)) / 1000);

/** How long ago something was, as "4 s" or "3 min". */
export const since = (text) => span(secondsSince(text));

/** A number with its noun: "1 export", "3 exports". */
export function plural(number, noun) {
  return `${number.toLocaleString()} ${noun}${number === 1 ? "" : "s"}`;
}

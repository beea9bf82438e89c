// Saying that exports have ended: once for those that end at about the same time.

import { announce } from "../announce.js";
import { count } from "../formatting.js";

const TOGETHER_MS = 1200;

/** Returns what is told of each export that has ended. Cancelling is said by whoever does it. */
export function endings() {
  let ended = [];
  let timer = 0;
  return (told) => {
    if (told.status === "cancelled") return;
    ended.push(told);
    timer ||= setTimeout(() => {
      announce(sentence(ended));
      [ended, timer] = [[], 0];
    }, TOGETHER_MS);
  };
}

/** What is said of exports that have ended. */
export function sentence(ended) {
  if (ended.length === 1) {
    const [{ name, status }] = ended;
    return status === "completed" ? `${name} is done` : `${name} failed`;
  }
  const failed = ended.filter((told) => told.status === "failed").length;
  const done = ended.length - failed;
  const parts = [];
  if (done) parts.push(done === 1 ? "1 export is done" : `${count(done)} exports are done`);
  if (failed) parts.push(`${count(failed)} failed`);
  return parts.join(", ");
}

// Waiting until a worker has done with something.

import { pause, request } from "../api.js";

const FIRST_MS = 150;
const LONGEST_MS = 1000;

/**
 * What the API tells of something once that is no longer `pending`.
 *
 * @param {string} path Where it is told of: `/assets/ast_…`.
 * @param {object} told What was told of it last.
 * @param {AbortSignal} [signal]
 * @returns {Promise<object>} Its `status` says how it went.
 */
export async function settled(path, told, signal) {
  let last = told;
  for (let wait = FIRST_MS; last.status === "pending"; wait = Math.min(LONGEST_MS, 1.5 * wait)) {
    await pause(wait, signal);
    last = await request("GET", path, { signal });
  }
  return last;
}

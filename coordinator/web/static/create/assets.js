// Waiting until a worker has looked at an uploaded file.

import { pause, request } from "../api.js";

const FIRST_MS = 150;
const LONGEST_MS = 1000;

/**
 * The file once it is no longer `pending`: `ready`, with its facts, or `rejected`, with a reason.
 *
 * @param {object} asset As the API tells of it.
 * @param {AbortSignal} [signal]
 * @returns {Promise<object>} The asset.
 */
export async function settled(asset, signal) {
  let told = asset;
  for (let wait = FIRST_MS; told.status === "pending"; wait = Math.min(LONGEST_MS, 1.5 * wait)) {
    await pause(wait, signal);
    told = await request("GET", `/assets/${asset.id}`, { signal });
  }
  return told;
}

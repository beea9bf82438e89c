// Having a look at a draft made by a worker: a still, or a clip.

import { request } from "../api.js";

/**
 * Ask for a preview of a draft as it is now, which saves it.
 *
 * @param {Draft} draft
 * @param {() => object} wish Tells, once the draft is saved, what is wanted: `preset`, `width`,
 *     `start_s`, `end_s`, `at_s`, and whatever else the asker wants to have back.
 * @param {object} kind `kind`, `image_format`.
 * @param {AbortSignal} signal
 * @returns {Promise<{preview: object, wish: object}>} The preview as the API tells of it.
 * @throws {Problem}
 */
export async function askPreview(draft, wish, kind, signal) {
  const composition_id = await draft.compositionId();
  signal.throwIfAborted();
  const wanted = wish();
  const { preset, width, start_s, end_s, at_s } = wanted;
  const { template, branding } = draft;
  const look = { template, branding, preset, width, start_s, end_s, at_s, ...kind };
  const preview = await request("POST", "/previews", { body: { composition_id, ...look }, signal });
  return { preview, wish: wanted };
}

// Having videos made of a draft.

import { post } from "../api.js";

/**
 * Queue exports, and let the page know of them.
 *
 * @param {object} context
 * @param {Draft} draft
 * @param {object} outputs `presets` or `config`, `too_long`, … as `POST /v1/exports` takes them.
 * @returns {Promise<object>} The answer.
 * @throws {Problem}
 */
export async function queueExports(context, draft, outputs) {
  const answer = await post("/exports", {
    composition_id: await draft.compositionId(),
    template: draft.template ?? undefined,
    branding: draft.branding ?? undefined,
    ...draft.range,
    ...outputs,
  });
  for (const each of answer.exports) context.exports.merge(each);
  return answer;
}

// What can be done with an export, with what is said about it afterwards.

import { complain, toast } from "../announce.js";
import { patch, post, remove } from "../api.js";
import { confirm, openDialog } from "../dialog.js";
import { el } from "../elements.js";
import { ENDED } from "../exports.js";

const HIGHEST = 100;

/**
 * The actions, each of which takes an export. They complain themselves; what changed comes as
 * `changed` and `gone` of `context.exports`.
 */
export function actionsOf(context) {
  const { exports } = context;

  /** Cancel one that has not ended. What is done of it is kept for a while, so it can be undone. */
  const cancel = guarded(async (told) => {
    exports.merge(await post(`/exports/${told.id}/cancel`));
    toast(`${told.name} is cancelled`, "done", { label: "Undo", run: () => retry(told) });
  });

  /** Try a failed or cancelled one again. */
  const retry = guarded(async (told) => {
    exports.merge(await post(`/exports/${told.id}/retry`));
    toast(`${told.name} is in the queue again`);
  });

  /** Make a new one like it. */
  const again = guarded(async (told) => {
    exports.merge(await post(`/exports/${told.id}/re-export`));
    toast(`${told.name} is exported again`);
  });

  /** Let the musician change the settings of a new one like it. */
  const againWithChanges = guarded(async (told) => {
    const whole = await exports.whole(told.id);
    const { openCustom } = await import("../create/custom.js");
    openCustom(context, {
      title: `Export ${whole.name} with changes`,
      compositionId: async () => whole.composition_id,
      revision: whole.composition_revision,
      config: whole.config,
      start_s: whole.start_s,
      end_s: whole.end_s,
      name: whole.name,
      priority: whole.priority,
      pool: whole.pool,
    });
  });

  /** Have one made before all others of one's own. */
  const first = guarded(async (told) => {
    const others = exports.underWay.filter((each) => each.id !== told.id);
    const highest = Math.max(0, ...others.map((each) => each.priority ?? 0));
    const priority = Math.min(HIGHEST, highest + 1);
    exports.merge(await patch(`/exports/${told.id}`, { priority }));
    toast(`${told.name} comes next`);
  });

  /** Delete one that has ended, if it is meant. */
  const discard = guarded(async (told) => {
    const text = told.download_url
      ? "Its video is deleted, too, and links to it stop working. This cannot be undone."
      : "It is taken out of the history. This cannot be undone.";
    if (!(await confirm(`Delete ${told.name}?`, text, "Delete"))) return;
    await remove(`/exports/${told.id}`);
    exports.forget(told.id);
    toast(`${told.name} is deleted`);
  });

  /** Put an address that anybody can open into the clipboard. */
  const copyLink = guarded(async (told) => {
    const link = await post(`/exports/${told.id}/links`, {});
    const url = new URL(link.url, location.href).href;
    const until = new Date(link.expires_at).toLocaleDateString(undefined, {
      day: "numeric",
      month: "long",
    });
    const note = `Anybody who has it can watch the video until ${until}.`;
    try {
      await navigator.clipboard.writeText(url);
      toast(`Link copied. ${note}`);
    } catch {
      showLink(told, url, note); // without https there is no clipboard
    }
  });

  return { cancel, retry, again, againWithChanges, first, discard, copyLink };
}

/** What can be done with an export as it stands, as `{name, label, sign}`, the likeliest first. */
export function possible(told) {
  const found = [];
  const add = (name, label, sign, more) => found.push({ name, label, sign, ...more });
  if (!ENDED.has(told.status)) {
    add("cancel", "Cancel", "cancel");
    return found;
  }
  if (told.download_url) add("copyLink", "Copy link", "link");
  if (told.status === "completed") add("again", "Re-export", "repeat");
  else add("retry", "Try again", "repeat");
  add("againWithChanges", "Re-export with changes…", "edit");
  add("discard", "Delete…", "delete", { isDanger: true });
  return found;
}

function guarded(action) {
  return (told) => action(told).catch(complain);
}

function showLink(told, url, note) {
  const field = el("input", { id: "shared-link", type: "text", readOnly: true, value: url });
  openDialog(
    `Link to ${told.name}`,
    el(
      "div",
      { class: "stack" },
      el("label", { for: "shared-link", text: "Copy this address:" }),
      field,
      el("p", { class: "hint", text: note }),
    ),
    { class: "narrow" },
  );
  field.focus();
  field.select();
}

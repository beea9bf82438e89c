// The exports of a batch under one head, which says how the whole of it stands.

import { complain, toast } from "../announce.js";
import { get, post } from "../api.js";
import { confirm } from "../dialog.js";
import { attribute, el, say } from "../elements.js";
import { count, percent } from "../formatting.js";
import { icon } from "../icons.js";
import { politely } from "./turns.js";

const PAUSE_MS = 3000;

/**
 * A group for the exports of a batch.
 *
 * @param {object} context
 * @param {string} id Of the batch.
 * @returns {{element: HTMLElement, list: HTMLElement, attend: (mark: string) => void}} Its exports
 *     go into `list`; `attend` asks how it stands where the mark has changed.
 */
export function batchGroup(context, id) {
  const list = el("ol", { class: "export-rows", id: `rows-${id}` });
  const name = el("span", { text: "Batch" });
  const fold = el(
    "button",
    {
      class: "ghost fold",
      type: "button",
      "aria-expanded": "true",
      "aria-controls": list.id,
      on: { click: () => setFolded(!list.hidden) },
    },
    icon("down"),
    name,
  );
  const told = el("span", { class: "quiet figures" });
  const fill = el("span");
  const bar = el(
    "div",
    { class: "bar", role: "progressbar", "aria-valuemin": 0, "aria-valuemax": 100 },
    fill,
  );
  const all = el("a", { class: "button ghost small", href: `#/history/${id}`, text: "See all" });
  const cancel = el(
    "button",
    { class: "small", type: "button", on: { click: cancelAll } },
    icon("cancel"),
    "Cancel all",
  );
  const head = el("div", { class: "batch-head" }, el("h3", {}, fold), told, all, cancel, bar);
  const element = el("li", { class: "batch-group", data: { batch: id } }, head, list);

  let asked = { mark: "", at: -Infinity };
  let batch = null;

  function setFolded(isFolded) {
    list.hidden = isFolded;
    attribute(fold, "aria-expanded", String(!isFolded));
  }

  function show(state) {
    batch = state;
    const { counts, total } = state;
    const ended = counts.completed + counts.failed + counts.cancelled;
    const parts = [`${count(counts.completed)} of ${count(total)} done`];
    if (counts.failed) parts.push(`${count(counts.failed)} failed`);
    if (counts.cancelled) parts.push(`${count(counts.cancelled)} cancelled`);
    if (ended < total) parts.push(percent(state.progress));
    say(name, state.name);
    say(told, parts.join(" · "));
    fill.style.setProperty("--share", state.progress);
    attribute(bar, "aria-label", `Progress of the batch ${state.name}`);
    attribute(bar, "aria-valuenow", Math.floor(state.progress * 100));
    attribute(cancel, "aria-label", `Cancel all of ${state.name}`);
    attribute(all, "aria-label", `See all of ${state.name} in the history`);
    bar.hidden = cancel.hidden = state.ended;
  }

  async function cancelAll() {
    const left = batch ? batch.counts.queued + batch.counts.rendering + batch.counts.uploading : 0;
    const text = left
      ? `${count(left)} exports have not ended. What is done stays.`
      : "Whatever of it has not ended is cancelled. What is done stays.";
    if (!(await confirm("Cancel the whole batch?", text, "Cancel all"))) return;
    try {
      const changed = await post(`/batches/${id}/cancel`);
      show(changed.batch);
      toast(`${count(changed.exports)} exports are cancelled`);
    } catch (problem) {
      complain(problem);
    }
  }

  return {
    element,
    list,
    attend(mark) {
      const now = performance.now();
      if (mark === asked.mark || now - asked.at < PAUSE_MS) return;
      asked = { mark, at: now };
      politely(() => get(`/batches/${id}`)).then(show, () => {});
    },
  };
}

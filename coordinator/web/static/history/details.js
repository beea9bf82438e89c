// All that is known of one export, in a dialog.

import { complain } from "../announce.js";
import { get } from "../api.js";
import { openDialog } from "../dialog.js";
import { el } from "../elements.js";
import { count, span } from "../formatting.js";
import { possible } from "../exports_list/actions.js";
import { actionButton } from "../exports_list/buttons.js";
import { chunkStrip } from "../exports_list/chunk_strip.js";
import { downloadLink, openPlayer } from "../exports_list/player.js";
import * as words from "../exports_list/words.js";
import { attemptsTable } from "./attempts.js";
import { factsOf } from "./facts.js";
import { showLinks } from "./links.js";

const CHUNKS_MS = 2000;

/**
 * Open the details of an export; they follow it while they are open.
 *
 * @param {object} context
 * @param {object} actions What `actionsOf()` gives.
 * @param {object} told The export, whole.
 * @param {object} hears `onClose`, and `onSong({id, name})`: all exports of its song are wanted.
 * @returns {HTMLDialogElement}
 */
export function openDetails(context, actions, told, { onClose, onSong }) {
  const { exports } = context;
  const body = el("div", { class: "details" });
  const strip = chunkStrip();
  const pieces = el("section", {}, el("h3", { text: "Pieces" }), strip.element, legend());
  const attempts = el(
    "details",
    { class: "details-attempts" },
    el("summary", { text: "Attempts" }),
  );
  const links = el("section", { hidden: true });
  let askedAt = 0;
  let dialog = null;
  let drawn = null;

  const draw = (now) => {
    const mark = [now.status, now.download_url, now.completed_at, now.priority, now.chunks].join();
    if (mark === drawn) return; // who is at one of its buttons stays there
    drawn = mark;
    const hadFocus = body.contains(document.activeElement);
    body.replaceChildren(
      el(
        "div",
        { class: "row" },
        buttonsFor(actions, now, onSong, () => dialog.close()),
      ),
      ...problems(now),
      el("div", { class: "details-facts" }, factsOf(context, now).map(group)),
      ...(now.chunks ? [pieces] : []),
      links,
      attempts,
    );
    if (hadFocus) body.querySelector("button").focus();
  };

  const askForChunks = async () => {
    askedAt = performance.now();
    const { chunks } = await get(`/exports/${told.id}/chunks`).catch(() => ({ chunks: [] }));
    if (chunks.length) strip.show(chunks);
  };

  const hear = async ({ detail }) => {
    if (detail.id !== told.id) return;
    told = exports.isWhole(told.id) ? detail : await exports.whole(told.id).catch(() => detail);
    draw(told);
    if (performance.now() - askedAt > CHUNKS_MS) askForChunks();
  };
  const leave = ({ detail }) => detail === told.id && dialog.close();

  attempts.addEventListener("toggle", async () => {
    if (!attempts.open) return;
    try {
      const [found, use] = await Promise.all([
        get(`/exports/${told.id}/attempts`, { limit: 100 }),
        get(`/exports/${told.id}/use`),
      ]);
      const took = el("p", { class: "hint", text: tookOf(use.total) });
      attempts.replaceChildren(attempts.firstChild, took, attemptsTable(found.attempts));
    } catch (problem) {
      complain(problem);
    }
  });
  exports.addEventListener("changed", hear);
  exports.addEventListener("gone", leave);
  draw(told);
  dialog = openDialog(told.name, body, {
    class: "wide",
    onClose() {
      exports.removeEventListener("changed", hear);
      exports.removeEventListener("gone", leave);
      onClose();
    },
  });
  askForChunks();
  if (told.download_url) showLinks(told, links);
  return dialog;
}

function buttonsFor(actions, told, onSong, close) {
  const buttons = possible(told).map(({ name, label, sign, isDanger }) =>
    actionButton(told, label, sign, () => actions[name](told), { class: isDanger ? "danger" : "" }),
  );
  if (told.download_url) {
    const play = actionButton(told, "Play", "play", () => openPlayer(told), { class: "primary" });
    buttons.unshift(play, downloadLink(told, "button small"));
  }
  const seeAll = () => {
    close();
    onSong({ id: told.composition_id, name: told.name });
  };
  return [...buttons, actionButton(told, "All of this song", "music", seeAll, { class: "ghost" })];
}

function problems(told) {
  const found = [];
  if (told.error_message)
    found.push(el("pre", { class: "notice details-error", text: told.error_message }));
  for (const text of told.warnings ?? []) found.push(el("p", { class: "notice", text }));
  if (words.isExpired(told)) {
    found.push(
      el("p", {
        class: "notice",
        text: "The video was kept for its time and then deleted. Re-export it to have it again.",
      }),
    );
  }
  return found;
}

function group({ title, facts }) {
  const pairs = facts.filter(([, value]) => value != null && value !== "");
  return el(
    "section",
    {},
    el("h3", { text: title }),
    el(
      "dl",
      {},
      pairs.map(([name, value]) =>
        el("div", {}, el("dt", { text: name }), el("dd", { text: value })),
      ),
    ),
  );
}

/** What the farm spent on an export, also on attempts that are forgotten. */
function tookOf({ slot_s: slots, useful_s: useful, frames_found: found }) {
  if (!slots && !found) return "Nothing was spent on it yet.";
  const vain = slots - useful;
  const parts = [`It took ${span(slots)} of a slot`];
  if (vain >= 1) parts.push(`${span(vain)} of that in vain`);
  if (found) parts.push(`${count(found)} frames stood already`);
  return `${parts.join(", ")}.`;
}

function legend() {
  const kinds = {
    ready: "waiting",
    running: "being made",
    done: "done",
    cached: "stood already",
    failed: "failed",
  };
  return el(
    "ul",
    { class: "strip-legend hint" },
    Object.entries(kinds).map(([kind, text]) => {
      const sample = chunkStrip();
      const [status, cached] = kind === "cached" ? ["done", true] : [kind, false];
      sample.show([{ status, cached, start_frame: 0, stop_frame: 2, frames_done: 1 }]);
      sample.element.setAttribute("aria-hidden", "true");
      return el("li", {}, sample.element, text);
    }),
  );
}

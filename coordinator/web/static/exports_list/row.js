// One export under way, or just ended, as a row.

import { attribute, el, say } from "../elements.js";
import { ENDED } from "../exports.js";
import { percent } from "../formatting.js";
import { icon } from "../icons.js";
import { showPicture } from "../pictures.js";
import { actionButton, canBeFirst } from "./buttons.js";
import { chunkStrip, guessed } from "./chunk_strip.js";
import { downloadLink, openPlayer } from "./player.js";
import { rowFeed } from "./row_feed.js";
import * as words from "./words.js";

/**
 * A row of the list. `show()` draws how the export stands, `attend()` asks for what changes beside
 * its events, `rest()` stops that, `remove()` gives up what it holds.
 *
 * @param {object} context
 * @param {object} actions What `actionsOf()` gives.
 * @param {string} id Of the export.
 * @param {() => void} onDismiss The musician does not want to see it any more.
 */
export function exportRow(context, actions, id, onDismiss) {
  const name = el("h3", { class: "cut" });
  const shape = el("span", { class: "quiet cut" });
  const badge = el("span", { class: "badge" });
  const stage = el("p", { class: "row-stage quiet" });
  const share = el("span", { class: "row-share figures" });
  const facts = el("span", { class: "quiet figures" });
  const fill = el("span");
  const bar = el(
    "div",
    { class: "bar", role: "progressbar", "aria-valuemin": 0, "aria-valuemax": 100 },
    fill,
  );
  const strip = chunkStrip();
  const pieces = el("span", { class: "row-pieces quiet figures" });
  const buttons = el("div", { class: "row-buttons" });
  const picture = el("img", { alt: "", hidden: true, decoding: "async" });
  const sign = el("span", { class: "row-sign" });
  const thumbnail = el("div", { class: "row-picture" }, sign, picture);
  const element = el(
    "li",
    { class: "export-row", data: { id } },
    thumbnail,
    el("div", { class: "row-head" }, name, badge, shape),
    el("div", { class: "row-figures" }, share, facts),
    el(
      "div",
      { class: "row-progress" },
      bar,
      el("div", { class: "row-strip" }, strip.element, pieces),
    ),
    stage,
    buttons,
  );

  let why = "";
  let hasChunks = false;
  let offered = null; // what the buttons are for

  const feed = rowFeed(id, {
    onChunks(chunks) {
      hasChunks = true;
      strip.show(chunks);
    },
    onLatest(blob) {
      showPicture(picture, blob);
      picture.hidden = false;
    },
    onWhy(message) {
      why = message;
      show();
    },
  });

  const offer = (told) => {
    const kind = [
      told.status,
      Boolean(told.download_url),
      told.name,
      canBeFirst(context, told),
    ].join();
    if (kind === offered) return;
    offered = kind;
    const hadFocus = buttons.contains(document.activeElement);
    buttons.replaceChildren(...buttonsFor(context, actions, told, onDismiss));
    if (hadFocus) buttons.querySelector("button, a")?.focus();
  };

  const show = () => {
    const told = context.exports.get(id);
    if (!told) return;
    const hasEnded = ENDED.has(told.status);
    const isQueued = told.status === "queued";
    if (!isQueued) why = "";
    element.dataset.status = told.status;
    say(name, told.name);
    attribute(name, "title", told.name);
    say(shape, words.shapeOf(told));
    badge.dataset.status = told.status;
    say(badge, words.statusOf(told));
    say(stage, told.status === "failed" ? (told.error_message ?? "") : why || atWork(told));
    say(share, hasEnded || isQueued ? "" : percent(told.progress));
    say(facts, hasEnded ? words.fileOf(told) : words.leftOf(told));
    bar.hidden = hasEnded;
    attribute(bar, "aria-label", `Progress of ${told.name}`);
    attribute(bar, "aria-valuenow", Math.floor(told.progress * 100));
    fill.style.setProperty("--share", told.progress.toFixed(4));
    strip.element.parentElement.hidden = told.status === "completed" || !told.chunks;
    if (told.chunks && !hasChunks) strip.show(guessed(told.chunks, told.chunks_done));
    say(pieces, told.chunks ? `${told.chunks_done} / ${told.chunks}` : "");
    thumbnail.style.setProperty("--ratio", words.ratioOf(told));
    if (sign.dataset.kind !== words.signOf(told)) {
      sign.dataset.kind = words.signOf(told);
      sign.replaceChildren(icon(words.signOf(told)));
    }
    offer(told);
  };

  return {
    element,
    show,
    attend() {
      const told = context.exports.get(id);
      if (!told) return;
      if (told.status !== "completed") feed.attend(told);
      if (!context.exports.isWhole(id)) context.exports.whole(id).catch(() => {});
      else if (told.poster_url && !picture.src.includes("/poster")) {
        picture.src = `${told.poster_url}?width=320&format=webp`;
        picture.hidden = false;
      }
    },
    rest: () => feed.stop(),
    remove() {
      feed.stop();
      element.remove();
    },
  };
}

/** What is being done, or else how fast. */
const atWork = (told) => words.stageOf(told) || words.speedOf(told);

function buttonsFor(context, actions, told, onDismiss) {
  const button = (label, sign, run, more) => actionButton(told, label, sign, run, more);
  if (!ENDED.has(told.status)) {
    const first = () => actions.first(told);
    return [
      canBeFirst(context, told) && button("Make next", "first", first, { isBare: true }),
      button("Cancel", "cancel", () => actions.cancel(told)),
    ].filter(Boolean);
  }
  const dismiss = button("Dismiss", "cancel", onDismiss, { isBare: true });
  if (told.status !== "completed") {
    return [button("Try again", "repeat", () => actions.retry(told)), dismiss];
  }
  if (!told.download_url) return [dismiss];
  return [
    button("Play", "play", () => openPlayer(told)),
    downloadLink(told, "button small"),
    dismiss,
  ];
}

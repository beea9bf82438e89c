// One export in the history, as a card.

import { attribute, el, say } from "../elements.js";
import { ENDED } from "../exports.js";
import { ago, clock, moment, percent, size } from "../formatting.js";
import { icon } from "../icons.js";
import { possible } from "../exports_list/actions.js";
import { actionButton } from "../exports_list/buttons.js";
import { menuButton } from "../exports_list/menu.js";
import { downloadLink, openPlayer } from "../exports_list/player.js";
import * as words from "../exports_list/words.js";

const POSTER = "?width=480&format=webp";

/**
 * A card. `show()` draws how the export stands; `settle()` fetches its picture; `remove()` takes it
 * out of the page.
 *
 * @param {object} context
 * @param {object} actions What `actionsOf()` gives.
 * @param {string} id Of the export.
 */
export function historyCard(context, actions, id) {
  const name = el("a", { class: "cut", href: `#/history/${id}` });
  const badge = el("span", { class: "badge" });
  const shape = el("p", { class: "cut quiet" });
  const when = el("time", { class: "quiet" });
  const length = el("span", { class: "card-length figures" });
  const fill = el("span");
  const bar = el(
    "div",
    { class: "bar", role: "progressbar", "aria-valuemin": 0, "aria-valuemax": 100 },
    fill,
  );
  const says = el("p", { class: "card-says" });
  const image = el("img", { alt: "", hidden: true, decoding: "async" });
  const sign = el("span", { class: "card-sign" });
  const play = el(
    "button",
    { class: "card-play", type: "button", on: { click: openIt } },
    el("span", {}, icon("play")),
  );
  const picture = el("div", { class: "card-picture" }, sign, image, says, length, bar, play);
  const buttons = el("div", { class: "card-buttons" });
  const warned = el("span", { class: "card-warned", role: "img" }, icon("warning"));
  const head = el("div", { class: "card-head" }, el("h2", {}, name), warned);
  const facts = el("div", { class: "card-facts" }, badge, when);
  const body = el("div", { class: "card-body" }, head, shape, facts, buttons);
  const element = el("li", { class: "history-card", data: { id } }, picture, body);

  let isSettled = false;
  let offered = null;

  image.addEventListener("load", () => (image.hidden = false));
  image.addEventListener("error", () => (image.hidden = true));

  function openIt() {
    const told = context.exports.get(id);
    if (told?.download_url) openPlayer(told);
  }

  function offer(told) {
    const kind = [told.status, Boolean(told.download_url), told.name].join();
    if (kind === offered) return;
    offered = kind;
    const hadFocus = buttons.contains(document.activeElement);
    buttons.replaceChildren(...buttonsFor(context, actions, told));
    if (hadFocus) buttons.querySelector("button, a")?.focus();
  }

  function show() {
    const told = context.exports.get(id);
    if (!told) return;
    const isDone = told.status === "completed";
    const isExpired = words.isExpired(told);
    element.dataset.status = told.status;
    say(name, told.name);
    attribute(name, "title", told.name);
    badge.dataset.status = isExpired ? "expired" : told.status;
    say(badge, isExpired ? "Expired" : words.statusOf(told));
    say(shape, [words.shapeOf(told), size(told.file_size)].filter(Boolean).join(" · "));
    say(when, told.created_at ? ago(told.created_at) : "");
    attribute(when, "datetime", told.created_at);
    attribute(when, "title", told.created_at ? moment(told.created_at) : null);
    say(length, isDone && told.duration_seconds ? clock(told.duration_seconds) : "");
    showProgress(told);
    showPicture(told);
    const warnings = told.warnings?.length ? told.warnings.join(" ") : null;
    warned.hidden = !warnings;
    attribute(warned, "aria-label", warnings && `Warning: ${warnings}`);
    attribute(warned, "title", warnings);
    play.hidden = !told.download_url;
    attribute(play, "aria-label", `Play ${told.name}`);
    offer(told);
  }

  function showProgress(told) {
    const isOpen = !ENDED.has(told.status);
    bar.hidden = !isOpen;
    attribute(bar, "aria-label", `Progress of ${told.name}`);
    attribute(bar, "aria-valuenow", Math.floor(told.progress * 100));
    fill.style.setProperty("--share", told.progress.toFixed(4));
    if (told.status === "failed") say(says, told.error_message ?? "It failed.");
    else if (words.isExpired(told)) say(says, "The video was kept for its time and then deleted.");
    else if (!isOpen) say(says, "");
    else if (told.status === "queued") say(says, words.stageOf(told));
    else say(says, [percent(told.progress), words.leftOf(told)].filter(Boolean).join(" · "));
  }

  function showPicture(told) {
    const kind = words.signOf(told);
    if (sign.dataset.kind !== kind) {
      sign.dataset.kind = kind;
      sign.replaceChildren(icon(kind));
    }
    const wanted = told.poster_url ? told.poster_url + POSTER : null;
    if (!wanted) image.hidden = true;
    if (!isSettled || image.getAttribute("src") === wanted) return;
    attribute(image, "src", wanted);
  }

  show();
  return {
    element,
    show,
    settle() {
      if (isSettled) return;
      isSettled = true;
      const told = context.exports.get(id);
      if (told) showPicture(told);
    },
    remove() {
      image.removeAttribute("src"); // one that is still loading is not loaded any more
      element.remove();
    },
  };
}

function buttonsFor(context, actions, told) {
  const others = possible(told);
  const shown = [];
  if (told.download_url) {
    shown.push(downloadLink(told, "button small"));
    const copy = others.findIndex((each) => each.name === "copyLink");
    others.splice(copy, 1);
    shown.push(
      actionButton(told, "Copy link", "link", () => actions.copyLink(told), { isBare: true }),
    );
  } else {
    const { name, label, sign } = others.shift();
    shown.push(actionButton(told, label, sign, () => actions[name](told)));
  }
  const details = { label: "Details", sign: "logs", run: () => context.go("history", told.id) };
  const items = others.map((each) => ({ ...each, run: () => actions[each.name](told) }));
  shown.push(menuButton(`More for ${told.name}`, () => [details, ...items]));
  return shown;
}

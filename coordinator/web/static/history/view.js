import { complain } from "../announce.js";
import { get, Problem } from "../api.js";
import { el, say } from "../elements.js";
import { icon } from "../icons.js";
import { templatesOf } from "../templates.js";
import { actionsOf } from "../exports_list/actions.js";
import { historyCard } from "./card.js";
import { openDetails } from "./details.js";
import { historyFilters } from "./filters.js";
import { cardGrid } from "./grid.js";
import { Results } from "./results.js";

const AT_TOP_PX = 200;
const STILL = matchMedia("(prefers-reduced-motion: reduce)");

/** The view History: all of one's exports, newest first. `#/history/ID` opens one, or a batch. */
export function historyView(context) {
  const { exports } = context;
  const actions = actionsOf(context);
  const results = new Results(exports);
  const filters = historyFilters(ask);
  const grid = cardGrid({
    make: (id) => historyCard(context, actions, id),
    onNearEnd: () => !hasFailed && results.more(),
  });
  const fresh = []; // new ones that would push away what somebody looks at
  const redraw = new Set();
  let frame = 0;
  let hasFailed = false;
  let isShown = false;
  let isMeeting = false;
  let scrolledTo = 0;
  let opened = null;

  const news = el("button", {
    class: "primary small history-news",
    type: "button",
    hidden: true,
    on: { click: showNews },
  });
  const more = el(
    "button",
    { type: "button", hidden: true, on: { click: askForMore } },
    "Load more",
  );
  const clear = el("button", {
    type: "button",
    text: "Show all",
    on: { click: () => filters.clear() },
  });
  const nothing = el("p");
  const empty = el("div", { class: "empty stack", hidden: true }, icon("film"), nothing, clear);
  const foot = el("div", { class: "history-foot" }, more);
  const element = el(
    "section",
    { class: "history stack" },
    el("h1", { text: "History" }),
    filters.element,
    news,
    grid.element,
    empty,
    foot,
  );

  function ask() {
    fresh.length = 0;
    hasFailed = false;
    showFresh();
    grid.element.setAttribute("aria-busy", "true");
    if (scrollY > element.offsetTop) scrollTo(0, 0);
    results.ask(filters.query);
  }

  function askForMore() {
    hasFailed = false;
    results.more();
    drawFoot();
  }

  function drawFoot() {
    more.hidden = !results.hasMore;
    more.disabled = results.isLoading;
    say(more, results.isLoading ? "Loading…" : "Load more");
    empty.hidden = results.ids.length > 0 || results.hasMore;
    clear.hidden = filters.isEmpty;
    say(
      nothing,
      filters.isEmpty ? "What you export is kept here." : "No export fits these filters.",
    );
  }

  function hear(told) {
    if (grid.card(told.id)) {
      redraw.add(told.id);
      frame ||= requestAnimationFrame(redrawCards);
    }
    if (isShown && !told.created_at) meet(told.id);
    if (!isNew(told)) return;
    fresh.unshift(told.id);
    if (isShown && scrollY < AT_TOP_PX) showNews();
    else showFresh();
  }

  /** An export that was begun elsewhere: events do not tell when, and so not whether it is new. */
  async function meet(id) {
    if (isMeeting) return; // of many at a time, the others are met with their next event
    isMeeting = true;
    await exports.whole(id).catch(() => {});
    isMeeting = false;
  }

  const isNew = (told) => !fresh.includes(told.id) && results.isNews(told);

  function redrawCards() {
    frame = 0;
    for (const id of redraw) {
      const card = grid.card(id);
      card?.show();
      if (card && !exports.isWhole(id)) exports.whole(id).catch(() => {});
    }
    redraw.clear();
  }

  function showFresh() {
    news.hidden = !fresh.length;
    say(news, fresh.length === 1 ? "Show 1 new export" : `Show ${fresh.length} new exports`);
  }

  function showNews() {
    results.putFirst(fresh.splice(0));
    showFresh();
    if (scrollY > AT_TOP_PX) scrollTo({ top: 0, behavior: STILL.matches ? "instant" : "smooth" });
  }

  async function openIt(id) {
    if (opened?.id === id) return;
    close();
    const opening = (opened = { id, dialog: null });
    try {
      // Its template is told by its name; where that cannot be had, its id does.
      const known = templatesOf(context).load().catch(() => {});
      const [told] = await Promise.all([exports.whole(id), known]);
      if (opened !== opening) return; // gone elsewhere meanwhile
      const onClose = () => {
        if (opened !== opening) return;
        opened = null;
        // Whoever has gone elsewhere meanwhile stays there.
        if (location.hash === `#/history/${id}`) context.go("history");
      };
      opening.dialog = openDetails(context, actions, told, { onClose, onSong: filters.setSong });
    } catch (problem) {
      opened = null;
      const detail = "There is no such export, or it was deleted.";
      complain(problem.status === 404 ? new Problem(404, { detail }) : problem);
      context.go("history");
    }
  }

  async function openBatch(id) {
    const batch = await get(`/batches/${id}`).catch((problem) => (complain(problem), null));
    context.go("history");
    if (batch) filters.setBatch(batch);
  }

  function close() {
    const closing = opened;
    opened = null;
    closing?.dialog?.close();
  }

  results.addEventListener("changed", () => {
    grid.set(results.ids);
    grid.element.removeAttribute("aria-busy");
    drawFoot();
  });
  results.addEventListener("failed", ({ detail }) => {
    hasFailed = true; // not again by itself: somebody presses the button
    complain(detail);
    drawFoot();
  });
  exports.addEventListener("changed", ({ detail }) => hear(detail));
  exports.addEventListener("gone", ({ detail }) => results.drop(detail));
  ask();

  return {
    element,
    show([id]) {
      if (!isShown) {
        isShown = true;
        grid.show();
        filters.refresh().catch(() => {});
        scrollTo({ top: scrolledTo, behavior: "instant" });
        if (fresh.length && scrolledTo < AT_TOP_PX) showNews();
      }
      if (!id) close();
      else if (id.startsWith("bat_")) openBatch(id);
      else openIt(id);
    },
    hide() {
      scrolledTo = scrollY;
      isShown = false;
      grid.hide();
      close();
    },
  };
}

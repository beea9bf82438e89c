// Which exports of the history are shown: by how they stand, song, name and time.

import { get } from "../api.js";
import { attribute, el } from "../elements.js";
import { icon } from "../icons.js";

const TYPING_MS = 250;
const SONGS = 200; // the last changed ones; older ones are found by name
const PAGE = 50;
const DAY_MS = 86_400_000;

const STATUSES = [
  { label: "All", status: [] },
  { label: "Done", status: ["completed"] },
  { label: "Under way", status: ["queued", "rendering", "uploading"] },
  { label: "Failed", status: ["failed"] },
  { label: "Cancelled", status: ["cancelled"] },
];

const TIMES = [
  { name: "", label: "Any time" },
  { name: "day", label: "Today", days: 0 },
  { name: "week", label: "Last 7 days", days: 7 },
  { name: "month", label: "Last 30 days", days: 30 },
  { name: "year", label: "Last 12 months", days: 365 },
  { name: "dates", label: "Between two days…" },
];

/**
 * The filters.
 *
 * @param {() => void} onChange
 * @returns {object} `element`; `query` as the API takes it; `isEmpty`; `clear()`; `refresh()` asks
 *     which songs there are; `setSong({id, name})` and `setBatch({id, name})` from outside.
 */
export function historyFilters(onChange) {
  let status = [];
  let batch = null;
  let typing = 0;
  const songs = new Map();

  const chips = STATUSES.map((choice, index) =>
    el(
      "label",
      { class: "chip" },
      el("input", {
        type: "radio",
        name: "history-status",
        checked: index === 0,
        on: { change: () => choose(choice) },
      }),
      el("span", { text: choice.label }),
    ),
  );
  const chipRow = el(
    "fieldset",
    { class: "chips" },
    el("legend", { class: "unseen", text: "Show" }),
    chips,
  );
  const search = el("input", {
    type: "search",
    placeholder: "Search by name",
    "aria-label": "Search by name",
    maxLength: 100,
    spellcheck: false,
    on: { input: type, search: () => onChange() },
  });
  const song = el(
    "select",
    { "aria-label": "Song", on: { change: () => onChange() } },
    el("option", { value: "", text: "All songs" }),
  );
  const time = el(
    "select",
    { "aria-label": "When", on: { change: chooseTime } },
    TIMES.map(({ name, label }) => el("option", { value: name, text: label })),
  );
  const since = el("input", {
    type: "date",
    "aria-label": "From",
    on: { change: () => onChange() },
  });
  const until = el("input", { type: "date", "aria-label": "To", on: { change: () => onChange() } });
  const dates = el(
    "div",
    { class: "filter-dates", hidden: true },
    since,
    el("span", { text: "to" }),
    until,
  );
  const batchChip = el(
    "button",
    { class: "small", type: "button", hidden: true, on: { click: leaveBatch } },
    el("span"),
    icon("cancel"),
  );
  const element = el(
    "form",
    { class: "history-filters", role: "search", on: { submit: (event) => event.preventDefault() } },
    chipRow,
    el("div", { class: "filter-search" }, search),
    song,
    time,
    dates,
    batchChip,
  );

  function choose(choice) {
    status = choice.status;
    onChange();
  }

  function type() {
    clearTimeout(typing);
    typing = setTimeout(onChange, TYPING_MS);
  }

  function chooseTime() {
    dates.hidden = time.value !== "dates";
    if (dates.hidden || since.value || until.value) onChange();
    else since.focus();
  }

  function times() {
    if (time.value === "dates") {
      const from = since.value && startOf(since.value);
      const to = until.value && new Date(startOf(until.value).getTime() + DAY_MS);
      return { since: from ? from.toISOString() : "", until: to ? to.toISOString() : "" };
    }
    const { days } = TIMES.find((each) => each.name === time.value);
    if (days === undefined) return {};
    const midnight = new Date();
    midnight.setHours(0, 0, 0, 0);
    return { since: new Date(midnight.getTime() - days * DAY_MS).toISOString() };
  }

  function setBatch(found) {
    batch = found;
    batchChip.hidden = !batch;
    batchChip.firstChild.textContent = batch ? `Batch: ${batch.name}` : "";
    attribute(batchChip, "aria-label", batch && `Show more than the batch ${batch.name}`);
    onChange();
  }

  function leaveBatch() {
    setBatch(null);
    search.focus();
  }

  function addSong({ id, name }) {
    if (songs.has(id)) return;
    songs.set(id, name);
    song.append(el("option", { value: id, text: name }));
  }

  return {
    element,
    get query() {
      return {
        status,
        name: search.value.trim(),
        composition_id: song.value,
        batch_id: batch?.id,
        ...times(),
      };
    },
    get isEmpty() {
      return !status.length && !search.value.trim() && !song.value && !batch && !time.value;
    },
    clear() {
      status = [];
      batch = null;
      chips[0].firstChild.checked = true;
      search.value = song.value = time.value = since.value = until.value = "";
      dates.hidden = batchChip.hidden = true;
      search.focus({ preventScroll: true });
      onChange();
    },
    async refresh() {
      for (let offset = 0; offset < SONGS; offset += PAGE) {
        const page = await get("/compositions", { limit: PAGE, offset });
        page.compositions.forEach(addSong);
        if (!page.has_more) return;
      }
    },
    setSong(found) {
      addSong(found);
      song.value = found.id;
      onChange();
    },
    setBatch,
  };
}

/** Midnight of a day as a field for dates says it, where the musician is. */
const startOf = (day) => new Date(`${day}T00:00:00`);

// The song: its files, what it is called, and what belongs to it in every style.

import { attribute, el, say } from "../elements.js";
import { clock, count } from "../formatting.js";
import { icon } from "../icons.js";
import { get } from "../api.js";
import { dropOn, fileButton } from "./drop.js";
import { PARTS } from "./kinds.js";

const NO_BACKGROUND = { background: null, background_video: null };

/** Places for files: what lies in them, and how they are emptied (null: they cannot be). */
const SLOTS = [
  { part: "midi", label: "MIDI file", noun: "MIDI file", idOf: ({ midi }) => midi?.id, empty: null },
  {
    part: "audio",
    label: "Recording",
    noun: "recording",
    none: "None: the video will be silent",
    idOf: ({ audio }) => audio?.id,
    empty: { audio: null, audioOffsetS: 0 },
  },
  {
    part: "cover",
    label: "Cover",
    noun: "cover",
    none: "None",
    idOf: ({ dressing }) => dressing.cover,
    empty: { dressing: { cover: null } },
  },
  {
    part: "background",
    label: "Background",
    noun: "background",
    none: "The style’s own",
    idOf: ({ dressing }) => dressing.background ?? dressing.background_video,
    empty: { dressing: NO_BACKGROUND },
  },
  {
    part: "lyrics",
    label: "Lyrics",
    noun: "lyrics",
    none: "Those in the MIDI, if it has any",
    idOf: ({ dressing }) => dressing.lyrics,
    empty: { dressing: { lyrics: "" } },
  },
];

const TEXTS = [
  { field: "title", label: "Title in the video", hint: "The MIDI’s own" },
  { field: "artist", label: "Artist in the video", hint: "None" },
];

/**
 * A card with all that makes up the song.
 *
 * @param {{take: Function}} incoming Where chosen files go.
 */
export function songFields(draft, incoming) {
  const [midi, audio, ...rest] = SLOTS.map((each) => slot(each, draft, incoming));
  const name = textField("Name", { value: ({ name }) => name }, (text) => ({ name: text }), draft);
  const texts = TEXTS.map(({ field, label, hint }) =>
    textField(
      label,
      { value: ({ dressing }) => dressing[field], placeholder: hint },
      (text) => ({ dressing: { [field]: text } }),
      draft,
    ),
  );
  const more = el(
    "details",
    { class: "more" },
    el("summary", { text: "Title, cover, background, lyrics, timing" }),
    el("div", { class: "fields" }, texts, rest, offsetField(draft)),
  );
  // Whoever has come with a cover or lyrics finds them.
  draft.addEventListener("changed", ({ detail }) => {
    if (detail.has("dressing") && Object.values(draft.dressing).some(Boolean)) more.open = true;
  });
  return el(
    "section",
    { class: "card song", "aria-labelledby": "song" },
    el("h2", { id: "song", text: "Song" }),
    el("div", { class: "fields" }, name, midi, audio),
    more,
  );
}

function slot({ part, label, noun, none = "", idOf, empty }, draft, incoming) {
  const file = el("span", { class: "cut" });
  const facts = el("span", { class: "hint figures" });
  const verb = el("span");
  const take = (files) => incoming.take(files, part);
  const choose = fileButton({ class: "small", accept: PARTS[part].accept }, take, verb);
  const takeAway = el(
    "button",
    {
      class: "ghost small",
      type: "button",
      "aria-label": `Remove the ${noun}`,
      on: {
        click: () => {
          draft.change(empty);
          choose.firstChild.focus();
        },
      },
    },
    icon("cancel"),
  );
  const element = el(
    "div",
    { class: "slot" },
    icon(PARTS[part].icon),
    el("div", { class: "slot-text" }, el("span", { class: "label", text: label }), facts, file),
    choose,
    takeAway,
  );
  let shown;

  async function refresh() {
    const id = idOf(draft) || null;
    const isEmpty = id === null;
    say(verb, isEmpty ? "Choose" : "Replace");
    attribute(choose.firstChild, "aria-label", `${verb.textContent} the ${noun}`);
    takeAway.hidden = isEmpty || empty === null;
    file.classList.toggle("quiet", isEmpty);
    shown = id;
    const told = isEmpty ? { name: none } : await contents(part, id, draft);
    if (shown !== id) return; // another one has come meanwhile
    say(file, told.name);
    file.title = isEmpty ? "" : told.name;
    say(facts, told.facts ?? "");
    facts.classList.toggle("wrong", Boolean(told.isWrong));
  }

  dropOn(element, take);
  draft.addEventListener("changed", ({ detail }) => {
    if (detail.has(part) || detail.has("dressing")) refresh();
  });
  refresh();
  return element;
}

/** What is told of what lies in a slot. */
async function contents(part, id, draft) {
  if (part === "lyrics") {
    const lines = id.split("\n").filter((line) => line.trim()).length;
    return { name: `${count(lines)} ${lines === 1 ? "line" : "lines"}` };
  }
  const known = { midi: draft.midi, audio: draft.audio }[part];
  const asset = known ?? (await get(`/assets/${id}`).catch(() => ({ name: "A file" })));
  if (asset.status === "rejected") return { name: asset.name, facts: asset.reason, isWrong: true };
  return { name: asset.name, facts: factsOf(asset) };
}

function factsOf({ kind, facts }) {
  if (!facts) return "";
  if (kind === "midi") return `${count(facts.notes)} notes · ${clock(facts.end_s)}`;
  if (kind === "image") return `${facts.width} × ${facts.height}`;
  return clock(facts.duration_s);
}

function textField(label, { value, placeholder = "" }, changeOf, draft) {
  const input = el("input", { type: "text", maxLength: 200, placeholder, autocomplete: "off" });
  const refresh = () => {
    if (document.activeElement !== input) input.value = value(draft);
  };
  input.addEventListener("input", () => draft.change(changeOf(input.value)));
  input.addEventListener("blur", refresh);
  draft.addEventListener("changed", refresh);
  refresh();
  return el("label", { class: "field" }, el("span", { text: label }), input);
}

function offsetField(draft) {
  const input = el("input", {
    id: "audio-offset",
    type: "number",
    step: 0.05,
    min: -86400,
    max: 86400,
    "aria-describedby": "audio-offset-hint",
  });
  const element = el(
    "div",
    { class: "field" },
    el("label", { for: "audio-offset", text: "The recording begins at (seconds)" }),
    input,
    el("p", {
      id: "audio-offset-hint",
      class: "hint",
      text: "0 if both begin together. More if the sound comes before the notes, less if after.",
    }),
  );
  const refresh = () => {
    element.hidden = draft.audio === null;
    if (document.activeElement !== input) input.value = draft.audioOffsetS;
  };
  input.addEventListener("input", () => {
    const { badInput, rangeOverflow, rangeUnderflow } = input.validity;
    const isWrong = badInput || rangeOverflow || rangeUnderflow;
    attribute(input, "aria-invalid", isWrong ? "true" : null);
    if (!isWrong) draft.change({ audioOffsetS: Number(input.value) });
  });
  input.addEventListener("blur", refresh);
  draft.addEventListener("changed", ({ detail }) => {
    if (detail.has("audio") || detail.has("audioOffsetS")) refresh();
  });
  refresh();
  return element;
}

// Places for the files of a song.

import { get } from "../api.js";
import { attribute, el, say } from "../elements.js";
import { clock, count } from "../formatting.js";
import { icon } from "../icons.js";
import { dropOn, fileButton } from "./drop.js";
import { PARTS } from "./kinds.js";

const NO_BACKGROUND = { background: null, background_video: null };

/** Places for files: what lies in them, and how they are emptied (null: they cannot be). */
export const SLOTS = [
  {
    part: "midi",
    label: "MIDI file",
    noun: "MIDI file",
    idOf: ({ midi }) => midi?.id,
    empty: null,
  },
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

/**
 * A place for a file: what lies in it, with buttons to choose another one and to take it away.
 *
 * @param {object} place One of SLOTS.
 * @param {{take: Function}} incoming Where chosen files go.
 */
export function slot({ part, label, noun, none = "", idOf, empty }, draft, incoming) {
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
    const isOther = (idOf(draft) || null) !== shown;
    if (detail.has(part) || (detail.has("dressing") && isOther)) refresh();
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

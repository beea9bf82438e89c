// The song: its files, what it is called, and what belongs to it in every style.

import { attribute, el } from "../elements.js";
import { SLOTS, slot } from "./slot.js";

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
    el("summary", { text: "Title, cover, background, lyrics" }),
    el("div", { class: "fields" }, texts, rest),
  );
  // Whoever has come with a cover or lyrics finds them.
  draft.addEventListener("changed", ({ detail }) => {
    if (detail.has("dressing") && Object.values(draft.dressing).some(Boolean)) more.open = true;
  });
  return el(
    "section",
    { class: "card song", "aria-labelledby": "song" },
    el("h2", { id: "song", text: "Song" }),
    el("div", { class: "fields" }, midi, audio, name, offsetField(draft)),
    more,
  );
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

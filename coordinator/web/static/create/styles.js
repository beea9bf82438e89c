// The choice of a style, by pictures.

import { el, say } from "../elements.js";

const OWN = "This song has layers of its own. A style replaces them.";
const THUMBNAIL = "thumbnail?width=240&format=webp";

/** A card with a picture of every style; the chosen one is the draft's. */
export function stylePicker(context, draft) {
  const description = el("p", { class: "hint" });
  const inputs = new Map();
  const options = context.styles.map((style) => {
    const input = el("input", {
      type: "radio",
      name: "style",
      class: "unseen",
      on: { change: () => draft.change({ style: style.name }) },
    });
    inputs.set(style.name, input);
    const picture = el("img", {
      src: `/v1/styles/${encodeURIComponent(style.name)}/${THUMBNAIL}`,
      alt: "",
      loading: "lazy",
      decoding: "async",
      width: 240,
      height: 135,
    });
    return el(
      "label",
      {
        class: "style",
        title: style.description,
        on: {
          pointerenter: () => say(description, style.description),
          pointerleave: refresh,
        },
      },
      input,
      picture,
      el("span", { text: style.name }),
    );
  });

  function refresh() {
    const chosen = context.styles.find((style) => style.name === draft.style);
    say(description, chosen?.description ?? OWN);
    for (const [name, input] of inputs) input.checked = name === draft.style;
  }

  draft.addEventListener("changed", ({ detail }) => {
    if (detail.has("style")) refresh();
  });
  refresh();
  return el(
    "fieldset",
    { class: "card styles" },
    el("legend", { class: "unseen", text: "Style" }),
    el("h2", { text: "Style", "aria-hidden": "true" }),
    el("div", { class: "style-grid" }, options),
    description,
  );
}

// Choosing a branding template, and seeing what it looks like.

import { complain, toast } from "../announce.js";
import { confirm } from "../dialog.js";
import { el, say } from "../elements.js";
import { capital } from "../formatting.js";
import { icon } from "../icons.js";
import { templatesOf } from "../templates.js";
import { openTemplate } from "./branding_editor.js";
import { brandingLooks } from "./branding_looks.js";

/** What of a draft is seen in a frame. */
const SEEN = ["midi", "audio", "style", "dressing", "audioOffsetS", "template", "branding"];
const NO_SONG = "With a song, you see it here.";

/**
 * The card.
 *
 * @param {object} context
 * @param {Draft} draft Its template is chosen here; the card follows it.
 */
export function branding(context, draft) {
  const templates = templatesOf(context);
  const looks = brandingLooks(draft);
  const list = el("div", { class: "templates" });
  const rows = new Map(); // by the ids of templates; null for none
  let version = 0;
  const make = el(
    "button",
    { class: "small", type: "button", on: { click: () => edit(null) } },
    icon("add"),
    "New template",
  );
  const element = el(
    "section",
    { class: "card stack branding", "aria-labelledby": "branding-title" },
    el("div", { class: "spread" }, el("h2", { id: "branding-title", text: "Branding" }), make),
    el(
      "div",
      { class: "branding-body" },
      el("fieldset", {}, el("legend", { class: "unseen", text: "Branding template" }), list),
      looks.element,
    ),
  );

  function choose(id) {
    draft.change({ template: id });
  }

  function showList() {
    const known = new Map([[null, NONE], ...templates.all.map((each) => [each.id, each])]);
    for (const [id, row] of rows) {
      if (known.has(id)) continue;
      row.element.remove();
      rows.delete(id);
    }
    let place = list.firstElementChild;
    for (const [id, template] of known) {
      if (!rows.has(id)) rows.set(id, rowOf(id));
      const row = rows.get(id);
      row.show(template);
      if (row.element === place) place = place.nextElementSibling;
      else list.insertBefore(row.element, place);
    }
    showChosen();
  }

  function rowOf(id) {
    const change = () => choose(id);
    const input = el("input", { type: "radio", name: "template", on: { change } });
    const name = el("span", { class: "cut" });
    const hint = el("span", { class: "hint cut" });
    const label = el("label", { class: "template" }, input, el("span", {}, name, hint));
    const element = el("div", { class: "template-row" }, label);
    const acts = { edit: act("edit", () => edit(id)), delete: act("delete", () => erase(id)) };
    const show = (template) => {
      say(name, template.name);
      say(hint, inWords(template));
      if (id === null) return;
      const own = !template.built_in;
      element.append(acts.edit, ...(own ? [acts.delete] : []));
      const what = own ? `Edit ${template.name}` : `Make a template like ${template.name}`;
      acts.edit.title = what;
      acts.edit.setAttribute("aria-label", what);
      acts.delete.title = `Delete ${template.name}`;
      acts.delete.setAttribute("aria-label", `Delete ${template.name}`);
    };
    return { element, input, show };
  }

  /** Mark the template that is chosen, and show it. */
  function showChosen() {
    for (const [id, { input }] of rows) input.checked = id === draft.template;
    const chosen = templates.get(draft.template);
    looks.element.hidden = draft.template === null && draft.branding === null;
    if (looks.element.hidden) return;
    const { template, branding: own } = draft;
    const asked = { template: template ?? undefined, branding: own ?? undefined };
    const card = templates.cardLength(draft) > 0;
    looks.show(draft.isReady ? asked : NO_SONG, card, `${version} ${chosen?.version}`);
  }

  function edit(id) {
    const template = id === null ? null : templates.get(id);
    openTemplate(context, draft, template, (kept) => choose(kept.id));
  }

  async function erase(id) {
    const { name } = templates.get(id);
    const text = "Videos that were made with it stay as they are.";
    if (!(await confirm(`Delete ${name}?`, text, "Delete"))) return;
    const wasChosen = draft.template === id;
    if (wasChosen) choose(null); // nothing may ask for it while it goes
    try {
      await templates.delete(id);
      toast(`${name} is deleted`);
    } catch (problem) {
      if (wasChosen) choose(id);
      complain(problem);
    }
  }

  /** A template that was deleted elsewhere would fail every export. */
  function forgetUnknown() {
    if (draft.template !== null && !templates.get(draft.template)) choose(null);
  }

  draft.addEventListener("changed", ({ detail }) => {
    if (!SEEN.some((name) => detail.has(name))) return;
    version += 1;
    showChosen();
  });
  templates.addEventListener("changed", showList);
  showList();
  templates.load().then(forgetUnknown, complain);
  return element;
}

const NONE = { name: "None", branding: {} };

function act(sign, onPress) {
  return el("button", { class: "ghost small", type: "button", on: { click: onPress } }, icon(sign));
}

/** What a template puts on a video: watermark bottom right, end card of 3 s. */
function inWords({ branding }) {
  const { watermark, endCard } = branding;
  const mark = watermark && `watermark ${watermark.position.replace("-", " ")}`;
  const card = endCard && `end card of ${endCard.duration} s`;
  const text = [mark, card].filter(Boolean).join(", ");
  return text ? capital(text) : "The video alone";
}

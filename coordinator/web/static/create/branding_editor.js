// The dialog that makes a template of one's own, or changes one.

import { toast } from "../announce.js";
import { openDialog } from "../dialog.js";
import { attribute, el, say } from "../elements.js";
import { templatesOf } from "../templates.js";
import { endCardFields, watermarkFields } from "./branding_fields.js";
import { brandingLooks } from "./branding_looks.js";
import { firstInvalid, switchField, textField } from "./custom_fields.js";

const USUAL = {
  watermark: { imageUrl: null, position: "bottom-right", opacity: 0.5, scale: 0.12 },
  endCard: {
    duration: 3,
    backgroundColor: "#1a1a1a",
    logoUrl: null,
    text: "",
    socialMedia: { handles: {}, order: [], showQrCode: false, qrUrl: null },
    font: null,
  },
};

/**
 * Open the dialog.
 *
 * @param {object} context
 * @param {Draft} draft Whose frames show what it looks like.
 * @param {object|null} template What is changed; a built-in one is copied; null for a new one.
 * @param {(template: object) => void} onKept
 */
export function openTemplate(context, draft, template, onKept) {
  const templates = templatesOf(context);
  const id = template && !template.built_in ? template.id : null;
  const { logos } = templates;
  const begun = structuredClone(template?.branding ?? {});
  const parts = {
    watermark: begun.watermark ?? { ...USUAL.watermark, imageUrl: logos[0] ?? null },
    endCard: { ...structuredClone(USUAL.endCard), ...begun.endCard },
  };
  parts.endCard.socialMedia ??= structuredClone(USUAL.endCard.socialMedia);
  const isOn = {
    watermark: template === null || Boolean(begun.watermark),
    endCard: Boolean(begun.endCard),
  };
  const described = {
    name: id === null && template ? `My ${template.name}` : (template?.name ?? ""),
    description: id === null ? "" : template.description,
  };

  const looks = brandingLooks(draft);
  const name = textField("Name", (value) => (described.name = value), {
    placeholder: "My channel",
  });
  const wrong = el("p", { class: "wrong", role: "alert" });
  const keep = el("button", { class: "primary", type: "submit", text: "Save template" });
  const fields = new Map([["name", name]]);
  const mark = watermarkFields(logos, (part) => {
    Object.assign(parts.watermark, part);
    show();
  });
  const card = endCardFields(logos, ({ socialMedia, ...part }) => {
    Object.assign(parts.endCard, part);
    Object.assign(parts.endCard.socialMedia, socialMedia);
    show();
  });
  const form = el(
    "form",
    { class: "custom", noValidate: true, on: { submit } },
    el(
      "div",
      { class: "stack" },
      name.element,
      section("watermark", "Watermark", mark),
      section("endCard", "End card", card),
    ),
    el(
      "div",
      { class: "custom-side" },
      looks.element,
      wrong,
      el("div", { class: "actions" }, keep),
    ),
  );

  function section(part, title, inside) {
    const body = el("div", { class: "fields" }, Object.values(inside).map((each) => each.element));
    const choice = switchField(title, (value) => {
      isOn[part] = value;
      body.hidden = !value;
      show();
    });
    choice.show(isOn[part]);
    body.hidden = !isOn[part];
    for (const [place, field] of Object.entries(inside)) {
      fields.set(`branding.${part}.${place}`, field);
      field.show(valueAt(parts[part], place));
    }
    return el("section", { class: "part" }, choice.element, body);
  }

  function whole() {
    return {
      ...begun,
      template: null,
      watermark: isOn.watermark ? parts.watermark : null,
      endCard: isOn.endCard ? parts.endCard : null,
    };
  }

  function show() {
    const branding = whole();
    looks.show(whyNotSeen(draft, branding) ?? { branding }, isOn.endCard);
  }

  async function submit(event) {
    event.preventDefault();
    fail([]);
    const invalid = firstInvalid(form);
    if (invalid !== null) return invalid.focus();
    if (described.name.trim() === "") {
      return fail([{ field: "name", message: "Give it a name, by which you choose it." }]);
    }
    if (form.querySelector(".file [aria-busy]") !== null) {
      return fail([{ field: "", message: "Wait until the upload has finished." }]);
    }
    attribute(keep, "aria-busy", "true");
    keep.disabled = true;
    try {
      const kept = await templates.save({ ...described, branding: whole() }, id);
      dialog.close();
      toast(`${kept.name} is saved`);
      onKept(kept);
    } catch (problem) {
      fail(problem.errors?.length ? problem.errors : [{ field: "", message: problem.message }]);
    } finally {
      attribute(keep, "aria-busy", null);
      keep.disabled = false;
    }
  }

  function fail(errors) {
    for (const field of fields.values()) field.fail("");
    const rest = [];
    for (const { field: place, message } of errors) {
      const found = [...fields].find(([known]) => place === known || place.startsWith(`${known}.`));
      if (found === undefined) rest.push(message);
      else found[1].fail(message);
      found?.[1].control.focus();
    }
    say(wrong, rest.join(" "));
  }

  name.control.autofocus = true;
  name.show(described.name);
  const title = id === null ? "New template" : `Edit ${template.name}`;
  const dialog = openDialog(title, form, { class: "wide" });
  show();
}

function whyNotSeen(draft, { watermark }) {
  if (!draft.isReady) return "With a song, you see it here.";
  return watermark?.imageUrl === null ? "Choose the image of the watermark." : null;
}

function valueAt(part, place) {
  // The handles and their order are one field.
  if (place === "socialMedia.handles") return part.socialMedia;
  return place.split(".").reduce((value, name) => value?.[name], part) ?? null;
}

// The fields of a watermark and of an end card.

import { el } from "../elements.js";
import { fileField } from "./branding_file.js";
import { handlesField } from "./branding_handles.js";
import { positionField } from "./branding_position.js";
import { numberField, switchField, textField } from "./custom_fields.js";

const IMAGES = "image/png,image/jpeg,image/webp,image/gif,image/tiff,image/bmp";
const FONTS = ".ttf,.otf,.ttc,.woff,.woff2";
const LONGEST_TEXT = 300;
const LONGEST_ADDRESS = 500;

/**
 * The fields of a watermark, by their places in branding.
 *
 * @param {string[]} logos Names of images that are built in.
 * @param {(part: object) => void} onChange Called with what has changed of the watermark.
 */
export function watermarkFields(logos, onChange) {
  return {
    imageUrl: fileField("Image", (imageUrl) => onChange({ imageUrl }), {
      kind: "image",
      accept: IMAGES,
      builtIn: logos,
    }),
    position: positionField((position) => onChange({ position })),
    opacity: shareField("Opacity", (opacity) => onChange({ opacity }), 0),
    scale: shareField("Width", (scale) => onChange({ scale }), 1),
  };
}

/** The same of an end card; what is within `socialMedia` is told as a part of that. */
export function endCardFields(logos, onChange) {
  const links = (part) => onChange({ socialMedia: part });
  return {
    duration: numberField("Shown for", (duration) => onChange({ duration }), {
      unit: "s",
      least: 0.1,
      most: 60,
    }),
    backgroundColor: colourField("Background", (colour) => onChange({ backgroundColor: colour })),
    logoUrl: fileField("Logo", (logoUrl) => onChange({ logoUrl }), {
      kind: "image",
      accept: IMAGES,
      builtIn: logos,
      none: "No logo",
    }),
    text: textField("Text", (text) => onChange({ text }), {
      longest: LONGEST_TEXT,
      placeholder: "New music every Friday",
      isWide: true,
    }),
    font: fileField("Font", (font) => onChange({ font }), {
      kind: "font",
      accept: FONTS,
      none: "The usual one",
    }),
    "socialMedia.handles": handlesField(links),
    "socialMedia.showQrCode": switchField("QR code", (showQrCode) => links({ showQrCode }), {
      hint: "It leads to the first of them, or to another address.",
    }),
    "socialMedia.qrUrl": textField("Address in the QR code", (text) => links(asQrUrl(text)), {
      longest: LONGEST_ADDRESS,
      placeholder: "https://…",
    }),
  };
}

const asQrUrl = (text) => ({ qrUrl: text.trim() || null });

/** A share of 1, as per cent on a slider. */
function shareField(label, onChange, least) {
  const input = el("input", { type: "range", min: least, max: 100, step: 1 });
  const said = el("output", { class: "figures" });
  const tell = () => {
    said.textContent = `${input.value} %`;
  };
  const text = el("span", { text: label });
  const element = el(
    "label",
    { class: "field" },
    text,
    el("span", { class: "share" }, input, said),
  );
  input.addEventListener("input", () => {
    tell();
    onChange(input.valueAsNumber / 100);
  });
  const show = (value) => {
    input.value = Math.round(value * 100);
    tell();
  };
  return { element, control: input, show, fail() {} };
}

function colourField(label, onChange) {
  const input = el("input", { type: "color" });
  const element = el("label", { class: "field" }, el("span", { text: label }), input);
  input.addEventListener("input", () => onChange(input.value));
  // The browser's chooser knows no opacity; an end card has none either.
  const show = (value) => (input.value = value.slice(0, 7));
  return { element, control: input, show, fail() {} };
}

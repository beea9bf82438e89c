// Choosing one of one's files, or uploading another.

import { get, upload } from "../api.js";
import { attribute, el, say } from "../elements.js";
import { icon } from "../icons.js";
import { percent } from "../formatting.js";
import { listField } from "./custom_fields.js";
import { settled } from "./settled.js";

const PAGE = 50;

/**
 * @param {string} label
 * @param {(name: string|null) => void} onChange Called with an asset's id, or a name of `builtIn`.
 * @param {object} options `kind` of asset, `accept` of the file chooser, `builtIn` names, `none`
 *     (what no file is called, where there need be none).
 */
export function fileField(label, onChange, { kind, accept, builtIn = [], none }) {
  const list = listField(label, take, { none });
  const input = el("input", { type: "file", accept, hidden: true, on: { change: send } });
  const words = el("span", { text: "Upload" });
  const button = el(
    "button",
    {
      type: "button",
      "aria-label": `Upload: ${label.toLowerCase()}`,
      on: { click: () => input.click() },
    },
    icon("upload"),
    words,
  );
  const element = el("div", { class: "file field-wide" }, list.element, button, input);
  const titles = new Map(builtIn.map((name) => [name, titleOf(name)]));
  let value = null;

  function tell() {
    if (value !== null && !titles.has(value)) titles.set(value, value);
    const choices = [...titles].map(([name, title]) => ({ value: name, title, reason: null }));
    list.show(value, { choices });
  }

  async function send() {
    const [file] = input.files;
    input.value = "";
    if (!file) return;
    list.fail("");
    attribute(button, "aria-busy", "true");
    try {
      const onProgress = (share) => say(words, percent(share));
      const asset = await upload(file, { kind, onProgress });
      titles.set(asset.id, asset.name);
      take(asset.id);
      judge(asset);
    } catch (problem) {
      list.fail(problem.message);
    } finally {
      say(words, "Upload");
      attribute(button, "aria-busy", null);
    }
  }

  /** A file can be used at once; whether it is what it should be, a worker finds out. */
  async function judge(asset) {
    const found = await settled(`/assets/${asset.id}`, asset).catch(() => asset);
    if (found.status !== "rejected") return;
    titles.delete(asset.id);
    if (value === asset.id) take(none || builtIn.length === 0 ? null : builtIn[0]);
    list.fail(found.reason);
  }

  function take(name) {
    value = name;
    tell();
    onChange(value);
  }

  async function fetchNames() {
    const page = await get("/assets", { kind, limit: PAGE });
    for (const asset of page.assets) {
      if (asset.status !== "rejected") titles.set(asset.id, asset.name);
    }
    tell();
  }

  const show = (name) => {
    value = name ?? null;
    tell();
  };
  // Without the list one can still upload.
  fetchNames().catch((problem) => list.fail(problem.message));
  return { element, control: list.control, show, fail: list.fail };
}

/** builtin:minimal-logo is midifarm's minimal logo. */
function titleOf(name) {
  return `midifarm's ${name.replace("builtin:", "").replaceAll("-", " ")}`;
}

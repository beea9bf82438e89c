// The settings of an export as a form: shows a configuration, changes it, says what is wrong.

import { el } from "../elements.js";
import { limitsOf, platformChoices } from "./custom_platform.js";
import { rateFields } from "./custom_rate.js";
import { GROUPS, SETTINGS } from "./custom_settings.js";
import { sizeFields } from "./custom_size.js";
import { PLATFORM_TITLES } from "./outputs_platforms.js";

/**
 * @param {object} fit The rules, see fitting.js.
 * @param {object[]} presets
 * @param {(config: object) => void} onChange Called with the configuration as somebody wants it,
 *     which may not go together.
 * @param {Array} others Fields that are no part of a configuration, as `[group, place, field]`;
 *     they come first in their groups.
 */
export function settingsForm(fit, presets, onChange, others) {
  let shown = null;
  const fields = new Map(); // by their place in the request: `config.quality.bitrate`
  const groups = new Map(GROUPS.map((group) => [group.name, groupOf(group)]));
  const elements = (isMore) =>
    GROUPS.filter((each) => Boolean(each.more) === isMore).map(({ name }) => groups.get(name));
  const more = el(
    "details",
    { class: "more" },
    el("summary", { text: "More settings" }),
    el("div", { class: "stack" }, elements(true)),
  );

  /** Put a field into a group. */
  function add(group, place, field) {
    fields.set(place, { field });
    groups.get(group).lastChild.append(field.element);
  }

  function addSetting(setting) {
    const { path, group, kind, label, options } = setting;
    const field = kind(label, (value) => onChange(changed(setting, value)), options);
    add(group, `config.${path}`, field);
    fields.get(`config.${path}`).setting = setting;
  }

  function addSize() {
    const size = sizeFields((wanted) => onChange(written(shown, "quality.resolution", wanted)));
    add("picture", "config.quality.resolution", size);
    fields.get("config.quality.resolution").show = (config) => size.show(config.quality.resolution);
    fields.set("config.quality.resolution.width", { field: size.width });
    fields.set("config.quality.resolution.height", { field: size.height });
  }

  function addRate() {
    const rate = rateFields((wanted) =>
      onChange(written(shown, "quality", { ...shown.quality, ...wanted })),
    );
    add("picture", "config.quality", rate);
    fields.get("config.quality").show = rate.show;
    fields.set("config.quality.crf", { field: rate.crf });
    fields.set("config.quality.bitrate", { field: rate.bitrate });
  }

  function changed({ path, unit }, value) {
    if (path === "transparent") return fit.withTransparency(shown, value);
    if (path === "socialMedia.platform") {
      return { ...shown, socialMedia: limitsOf(presets, value, shown) };
    }
    return written(shown, path, unit && value !== null ? unit.write(value) : value);
  }

  function show(config) {
    shown = config;
    const facts = fit.facts(config);
    const choices = fit.choices(config);
    choices["socialMedia.platform"] = platformChoices(presets, PLATFORM_TITLES);
    const locks = fit.locks(config);
    for (const { field, setting, show: showField } of fields.values()) {
      showField?.(config, facts);
      if (!setting) continue;
      const { path, when, told } = setting;
      field.element.hidden = when ? !when(facts, config) : false;
      if (field.element.hidden) continue;
      const said = { ...told?.(facts, config), lock: locks[path] };
      if (path in choices) said.choices = choices[path];
      field.show(valueOf(setting, config, facts), said);
    }
    for (const name of ["picture", "encoding"]) groups.get(name).hidden = facts.picture === null;
    groups.get("audio").hidden = !facts.hasSound;
  }

  /**
   * Show what is wrong where it is wrong, and go to the first of it.
   *
   * @param {{field: string, message: string}[]} errors As the API tells them.
   * @returns {string} What is wrong with nothing that is in sight.
   */
  function fail(errors) {
    for (const { field } of fields.values()) field.fail("");
    const rest = [];
    let first = null;
    for (const { field: place, message } of errors.map(placed)) {
      const found = fieldAt(place);
      if (found === null || found.element?.hidden) rest.push(message);
      else found.fail(message);
      first ??= found;
    }
    if (first !== null) reveal(first.control);
    return rest.join(" ");
  }

  function fieldAt(place) {
    for (let path = place; path !== ""; path = path.split(".").slice(0, -1).join(".")) {
      if (fields.has(path)) return fields.get(path).field;
    }
    return null;
  }

  /** Bring a control into sight. */
  function reveal(control) {
    if (more.contains(control)) more.open = true;
    control.focus();
  }

  for (const [group, place, field] of others) add(group, place, field);
  addSize();
  for (const setting of SETTINGS) addSetting(setting);
  addRate();
  return { elements: [elements(false), more], show, fail, reveal };
}

function groupOf({ name, title }) {
  const fields = el("div", { class: "fields" });
  return el("section", { data: { group: name } }, title && el("h3", { text: title }), fields);
}

/** What is shown of a setting: where nothing is said, what follows from the others. */
function valueOf({ path, unit }, config, facts) {
  const follows = {
    transparent: facts.isTransparent,
    "format.videoCodec": facts.picture?.name,
    "format.audioCodec": facts.sound?.name,
    "quality.pixelFormat": facts.pixels?.name,
    "audio.enabled": facts.hasSound,
  };
  if (path in follows) return follows[path];
  const value = path.split(".").reduce((part, name) => part?.[name], config) ?? null;
  return unit && value !== null ? unit.read(value) : value;
}

/** A configuration with one setting changed. */
function written(config, path, value) {
  const [name, ...rest] = path.split(".");
  if (rest.length === 0) return { ...config, [name]: value };
  return { ...config, [name]: written(config[name], rest.join("."), value) };
}

/** A finding about the whole configuration begins with the field that it is about. */
function placed({ field, message }) {
  const named = /^([a-z][A-Za-z.]+): (.+)$/.exec(message);
  if (field.startsWith("config") && named !== null) {
    return { field: `config.${named[1]}`, message: named[2] };
  }
  return { field, message };
}

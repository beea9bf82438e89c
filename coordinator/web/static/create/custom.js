// The dialog with every setting of an export.

import { announce, toast } from "../announce.js";
import { post } from "../api.js";
import { openDialog } from "../dialog.js";
import { attribute, el, say } from "../elements.js";
import { firstInvalid, listField, numberField, textField } from "./custom_fields.js";
import { settingsForm } from "./custom_form.js";
import { poolField } from "./custom_pool.js";
import { rangeFields } from "./custom_range.js";
import { lengthOf, overlong, summary } from "./custom_summary.js";
import { fitting } from "./fitting.js";
import { still } from "./outputs_still.js";

const STILL_WIDTH = 480;
/** A place in the song where there is something to see. */
const STILL_SHARE = 0.35;
const BEGUN_FROM = "custom";

/**
 * Open the dialog.
 *
 * @param {object} context
 * @param {object} start What it begins with:
 *     `title` of the dialog;
 *     `compositionId`, which gives a promise of the id, and its `revision` (the newest without it);
 *     `config` to begin with (the preset `custom` without it), whatever else it has is kept;
 *     `start_s`, `end_s`, `priority`, `pool`, `durationS` of the song (null where it is not known);
 *     `name` of the export (the song's and the settings' without it);
 *     `template` and `branding` of the request, and `cardS`, the length of their end card (that of
 *     the `config` without it).
 * @returns {HTMLDialogElement}
 */
export function openCustom(context, start) {
  const fit = fitting(context.formats);
  const song_s = start.durationS ?? null;
  const state = {
    config: structuredClone(start.config ?? presetOf(context, BEGUN_FROM)),
    start_s: start.start_s ?? 0,
    end_s: start.end_s ?? null,
    name: start.name ?? "",
    priority: start.priority ?? 0,
    pool: start.pool,
  };
  let beforeGif = null; // the size and the rate that becoming a GIF took away

  const settings = settingsForm(fit, context.presets, change, ownFields());
  const moved = el("div", { class: "moved", role: "status" });
  const line = el("p", { class: "summary figures" });
  const tooLong = el("p", { class: "overlong" });
  const wrong = el("p", { class: "wrong", role: "alert" });
  const frame = still("A frame of the video");
  const queue = el("button", {
    class: "primary",
    type: "submit",
    text: "Export",
    // It keeps its place while it is pressed, whatever was typed last; submit() takes that in.
    on: { mousedown: (event) => event.preventDefault() },
  });
  const form = el(
    "form",
    { class: "custom", noValidate: true, on: { submit } },
    el("div", { class: "stack" }, settings.elements),
    el(
      "div",
      { class: "custom-side" },
      el("div", { class: "custom-still" }, frame.element),
      line,
      tooLong,
      moved,
      wrong,
      el("div", { class: "actions" }, queue),
    ),
  );

  /** What is no part of the configuration: its name, which part of the song it shows. */
  function ownFields() {
    const source = listField("Start from", (name) => {
      const chosen = name === null ? start.config : presetOf(context, name);
      // The branding is no part of what a preset says.
      change({ ...structuredClone(chosen), branding: state.config.branding }, { isWhole: true });
    });
    const name = textField("Name", (value) => (state.name = value), {
      placeholder: "The song and these settings",
    });
    const part = rangeFields((range) => {
      Object.assign(state, range);
      showResult();
    }, song_s);
    const priority = numberField("Priority", (value) => (state.priority = value), {
      least: -100,
      most: 100,
      step: 1,
      hint: "Higher comes earlier among your exports.",
    });
    const pool = poolField(start.pool ?? "default", (value) => (state.pool = value));
    const asItWas = start.config ? [{ value: null, title: "As it was", reason: null }] : [];
    const choices = context.presets.map(({ name: value, config }) => ({
      value,
      title: config.name,
      reason: null,
    }));
    source.control.autofocus = true;
    source.show(start.config ? null : BEGUN_FROM, { choices: [...asItWas, ...choices] });
    name.show(state.name);
    part.show(state);
    priority.show(state.priority);
    return [
      ["begin", "source", source],
      ["begin", "name", name],
      ["song", "start_s", part.start],
      ["song", "end_s", part.end],
      ["queue", "priority", priority],
      ["queue", "pool", pool],
    ];
  }

  function change(wanted, { isWhole = false } = {}) {
    const wasGif = state.config.format.container === "gif";
    const isGif = wanted.format.container === "gif";
    const { resolution, framerate } = state.config.quality;
    const settled = fit.settle(state.config, wanted);
    if (isGif && !wasGif) beforeGif = { resolution, framerate };
    if (wasGif && !isGif && !isWhole) Object.assign(settled.config.quality, beforeGif);
    state.config = isWhole ? wanted : settled.config;
    moved.replaceChildren(...(isWhole ? [] : settled.moved).map((text) => el("p", { text })));
    settings.show(state.config);
    showResult();
  }

  function showResult() {
    const facts = fit.facts(state.config);
    const card_s = start.cardS ?? state.config.branding?.endCard?.duration ?? 0;
    const video_s = lengthOf(state, song_s, facts.picture ? card_s : 0);
    say(line, summary(state.config, facts, video_s));
    say(tooLong, overlong(state.config, video_s));
    tooLong.hidden = tooLong.textContent === "";
    const body = facts.picture ? previewOf(video_s) : "Sound alone: there is nothing to see.";
    frame.show(state.config.quality.resolution, body, start.compositionId);
  }

  function previewOf(video_s) {
    const { format, quality, branding, socialMedia } = state.config;
    const { resolution, framerate, pixelFormat } = quality;
    return {
      revision: start.revision,
      // Only what is seen: another bitrate must not have the same frame drawn again.
      config: {
        name: "Still",
        format: { container: format.container, videoCodec: format.videoCodec },
        quality: { resolution, framerate, pixelFormat },
        branding,
        socialMedia: socialMedia && { ...socialMedia, tooLong: "cut" },
      },
      template: start.template ?? undefined,
      branding: start.branding ?? undefined,
      start_s: state.start_s,
      end_s: state.end_s,
      at_s: (video_s ?? 0) * STILL_SHARE,
      width: STILL_WIDTH,
    };
  }

  async function submit(event) {
    event.preventDefault();
    queue.focus();
    say(wrong, settings.fail([]));
    const invalid = firstInvalid(form);
    if (invalid !== null) {
      settings.reveal(invalid);
      return;
    }
    attribute(queue, "aria-busy", "true");
    queue.disabled = true;
    try {
      const answer = await post("/exports", await requested());
      for (const each of answer.exports) context.exports.merge(each);
      dialog.close();
      toast(`${answer.exports[0].name} is in the queue`);
    } catch (problem) {
      const rest = problem.errors?.length ? settings.fail(problem.errors) : problem.message;
      say(wrong, rest);
      if (rest) announce(rest);
    } finally {
      attribute(queue, "aria-busy", null);
      queue.disabled = false;
    }
  }

  async function requested() {
    const hasPicture = fit.facts(state.config).picture !== null;
    return {
      composition_id: await start.compositionId(),
      revision: start.revision,
      // Of sound alone there is nothing to brand.
      config: hasPicture ? state.config : { ...state.config, branding: null },
      template: (hasPicture && start.template) || undefined,
      branding: (hasPicture && start.branding) || undefined,
      start_s: state.start_s,
      end_s: state.end_s,
      name: state.name.trim() || undefined,
      priority: state.priority,
      pool: state.pool,
    };
  }

  settings.show(state.config);
  const dialog = openDialog(start.title ?? "Custom export", form, { class: "wide" });
  showResult();
  return dialog;
}

function presetOf(context, name) {
  return context.presets.find((each) => each.name === name).config;
}

// All that is known of one export, in a dialog.

import { get, remove } from "../api.js";
import { complain, toast } from "../announce.js";
import { openDialog } from "../dialog.js";
import { el } from "../elements.js";
import { clock, count, moment, size, span } from "../formatting.js";
import { icon } from "../icons.js";
import { possible } from "../exports_list/actions.js";
import { actionButton } from "../exports_list/buttons.js";
import { chunkStrip } from "../exports_list/chunk_strip.js";
import { downloadLink, openPlayer } from "../exports_list/player.js";
import * as words from "../exports_list/words.js";
import { attemptsTable } from "./attempts.js";

const CHUNKS_MS = 2000;

/**
 * Open the details of an export; they follow it while they are open.
 *
 * @param {object} context
 * @param {object} actions What `actionsOf()` gives.
 * @param {object} told The export, whole.
 * @param {object} hears `onClose`, and `onSong({id, name})`: all exports of its song are wanted.
 * @returns {HTMLDialogElement}
 */
export function openDetails(context, actions, told, { onClose, onSong }) {
  const { exports } = context;
  const body = el("div", { class: "details" });
  const strip = chunkStrip();
  const pieces = el("section", {}, el("h3", { text: "Pieces" }), strip.element, legend());
  const attempts = el(
    "details",
    { class: "details-attempts" },
    el("summary", { text: "Attempts" }),
  );
  const links = el("section", { hidden: true });
  let askedAt = 0;
  let dialog = null;
  let drawn = null;

  const draw = (now) => {
    const mark = [now.status, now.download_url, now.completed_at, now.priority, now.chunks].join();
    if (mark === drawn) return; // who is at one of its buttons stays there
    drawn = mark;
    body.replaceChildren(
      el(
        "div",
        { class: "row" },
        buttonsFor(actions, now, onSong, () => dialog.close()),
      ),
      ...problems(now),
      el("div", { class: "details-facts" }, factsOf(context, now).map(group)),
      ...(now.chunks ? [pieces] : []),
      links,
      attempts,
    );
  };

  const askForChunks = async () => {
    askedAt = performance.now();
    const { chunks } = await get(`/exports/${told.id}/chunks`).catch(() => ({ chunks: [] }));
    if (chunks.length) strip.show(chunks);
  };

  const hear = async ({ detail }) => {
    if (detail.id !== told.id) return;
    told = exports.isWhole(told.id) ? detail : await exports.whole(told.id).catch(() => detail);
    draw(told);
    if (performance.now() - askedAt > CHUNKS_MS) askForChunks();
  };
  const leave = ({ detail }) => detail === told.id && dialog.close();

  attempts.addEventListener("toggle", async () => {
    if (!attempts.open) return;
    try {
      const found = await get(`/exports/${told.id}/attempts`, { limit: 100 });
      attempts.replaceChildren(attempts.firstChild, attemptsTable(found.attempts));
    } catch (problem) {
      complain(problem);
    }
  });
  exports.addEventListener("changed", hear);
  exports.addEventListener("gone", leave);
  draw(told);
  dialog = openDialog(told.name, body, {
    class: "wide",
    onClose() {
      exports.removeEventListener("changed", hear);
      exports.removeEventListener("gone", leave);
      onClose();
    },
  });
  askForChunks();
  if (told.download_url) showLinks(told, links);
  return dialog;
}

function buttonsFor(actions, told, onSong, close) {
  const buttons = possible(told).map(({ name, label, sign, isDanger }) =>
    actionButton(told, label, sign, () => actions[name](told), { class: isDanger ? "danger" : "" }),
  );
  if (told.download_url) {
    const play = actionButton(told, "Play", "play", () => openPlayer(told), { class: "primary" });
    buttons.unshift(play, downloadLink(told, "button small"));
  }
  const seeAll = () => {
    close();
    onSong({ id: told.composition_id, name: told.name });
  };
  return [...buttons, actionButton(told, "All of this song", "music", seeAll, { class: "ghost" })];
}

function problems(told) {
  const found = [];
  if (told.error_message)
    found.push(el("pre", { class: "notice details-error", text: told.error_message }));
  for (const text of told.warnings ?? []) found.push(el("p", { class: "notice", text }));
  if (words.isExpired(told)) {
    found.push(
      el("p", {
        class: "notice",
        text: "The video was kept for its time and then deleted. Re-export it to have it again.",
      }),
    );
  }
  return found;
}

/** What is told, in groups of pairs; those without a value are left out. */
function factsOf(context, told) {
  const { quality = {}, audio = {} } = told.config ?? {};
  const { width, height } = quality.resolution ?? {};
  const codecs = codecsOf(context, told);
  const hasPictures = Boolean(codecs.picture);
  const took = (Date.parse(told.completed_at) - Date.parse(told.started_at)) / 1000;
  const loudness = told.audio_lufs == null ? "" : `${told.audio_lufs.toFixed(1)} LUFS`;
  const peak = told.audio_peak == null ? "" : `${told.audio_peak.toFixed(1)} dBTP`;
  return [
    {
      title: "The file",
      facts: [
        ["Length", told.duration_seconds == null ? "" : clock(told.duration_seconds)],
        ["Size", size(told.file_size)],
        ["Format", formatOf(context, told, codecs)],
        ["Picture", hasPictures && width ? `${width} × ${height}` : ""],
        ["Frames per second", hasPictures ? quality.framerate : ""],
        ["Video rate", quality.bitrate && hasPictures ? `${count(quality.bitrate)} kbit/s` : ""],
        ["Quality (CRF)", hasPictures ? quality.crf : ""],
        [
          "Rendered",
          told.renderings > 1 ? `${told.renderings} times, until it had the size asked for` : "",
        ],
        ["SHA-256", told.sha256],
      ],
    },
    {
      title: "Sound and song",
      facts: [
        ["Loudness", [loudness, peak && `peak ${peak}`].filter(Boolean).join(", ")],
        ["Sound rate", codecs.sound && audio.bitrate ? `${audio.bitrate} kbit/s` : ""],
        ["Part of the song", partOf(told)],
        ["Revision of the song", told.composition_revision],
        ["Settings", told.config?.name],
        ["Template", told.config?.branding?.template],
      ],
    },
    {
      title: "How it went",
      facts: [
        ["Status", words.statusOf(told)],
        ["Asked for", told.created_at && moment(told.created_at)],
        ["Begun", told.started_at && moment(told.started_at)],
        ["Ended", told.completed_at && moment(told.completed_at)],
        ["Took", Number.isFinite(took) ? span(took) : ""],
        ["Kept until", told.download_url && told.expires_at ? moment(told.expires_at) : ""],
        ["Priority", told.priority || ""],
        ["Pieces that stood already", told.chunks_cached || ""],
        ["Export id", told.id],
      ],
    },
  ];
}

/** The codecs of an export; one that nobody named is the usual one of the file format. */
function codecsOf({ formats }, told) {
  const { container, videoCodec, audioCodec } = told.config?.format ?? {};
  const usual = formats.containers.find((each) => each.name === container);
  const sound = audioCodec ?? usual?.audio_codecs[0];
  return {
    picture: videoCodec ?? usual?.video_codecs[0],
    sound: told.config?.audio?.enabled === false ? undefined : sound,
  };
}

function formatOf({ formats }, told, { picture, sound }) {
  const title = (codecs, name) => codecs?.find((each) => each.name === name)?.title ?? name;
  const codecs = [title(formats.video_codecs, picture), title(formats.audio_codecs, sound)];
  return [...new Set([words.containerOf(told.config?.format?.container), ...codecs])]
    .filter(Boolean)
    .join(" · ");
}

function partOf(told) {
  if (!told.start_s && told.end_s == null) return "All of it";
  return `${clock(told.start_s)} to ${told.end_s == null ? "the end" : clock(told.end_s)}`;
}

function group({ title, facts }) {
  const pairs = facts.filter(([, value]) => value != null && value !== "");
  return el(
    "section",
    {},
    el("h3", { text: title }),
    el(
      "dl",
      {},
      pairs.map(([name, value]) =>
        el("div", {}, el("dt", { text: name }), el("dd", { text: value })),
      ),
    ),
  );
}

function legend() {
  const kinds = {
    ready: "waiting",
    running: "being made",
    done: "done",
    cached: "stood already",
    failed: "failed",
  };
  return el(
    "ul",
    { class: "strip-legend hint" },
    Object.entries(kinds).map(([kind, text]) => {
      const sample = chunkStrip();
      const [status, cached] = kind === "cached" ? ["done", true] : [kind, false];
      sample.show([{ status, cached, start_frame: 0, stop_frame: 2, frames_done: 1 }]);
      sample.element.setAttribute("aria-hidden", "true");
      return el("li", {}, sample.element, text);
    }),
  );
}

/** Links to the video that still work, each of which can be ended. */
async function showLinks(told, place) {
  const { links } = await get(`/exports/${told.id}/links`).catch(() => ({ links: [] }));
  const working = links.filter((link) => Date.parse(link.expires_at) > Date.now());
  const items = working.map((link) => {
    const item = el(
      "li",
      { class: "row" },
      `Made ${moment(link.created_at)}, works until ${moment(link.expires_at)}`,
    );
    const end = async () => {
      try {
        await remove(`/exports/${told.id}/links/${link.id}`);
        item.remove();
        toast("The link leads nowhere now");
      } catch (problem) {
        complain(problem);
      }
    };
    const label = `End the link made ${moment(link.created_at)}`;
    item.append(
      el(
        "button",
        { class: "small", type: "button", "aria-label": label, on: { click: end } },
        icon("delete"),
        "End it",
      ),
    );
    return item;
  });
  place.hidden = !items.length;
  place.replaceChildren(
    el("h3", { text: "Links that anybody can open" }),
    el("ul", { class: "stack" }, items),
  );
}

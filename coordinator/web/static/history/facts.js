// What is told of an export, fact by fact.

import { USUAL_POOL } from "../api.js";
import { clock, count, moment, size, span } from "../formatting.js";
import { templatesOf } from "../templates.js";
import * as words from "../exports_list/words.js";

/**
 * What is told of an export, in groups: `{ title, facts }`, where facts are pairs of a name and a
 * value; null, undefined and "" are no value.
 */
export function factsOf(context, told) {
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
        ["Template", templateOf(context, told)],
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
        ["Pool", told.pool === USUAL_POOL ? "" : told.pool],
        ["Pieces that stood already", told.chunks_cached || ""],
        ["Export id", told.id],
      ],
    },
  ];
}

/** The codecs of an export; one that nobody named is the usual one of the file format. */
function codecsOf({ formats }, { config }) {
  const { container, videoCodec, audioCodec } = config?.format ?? {};
  const usual = formats.containers.find((each) => each.name === container);
  const isSilent = config?.audio?.enabled === false;
  return {
    picture: videoCodec ?? usual?.video_codecs[0],
    sound: isSilent ? undefined : (audioCodec ?? usual?.audio_codecs[0]),
  };
}

function formatOf({ formats }, { config }, { picture, sound }) {
  const title = (codecs, name) => codecs.find((each) => each.name === name)?.title ?? name;
  const codecs = [title(formats.video_codecs, picture), title(formats.audio_codecs, sound)];
  const container = words.containerOf(config?.format?.container);
  return [...new Set([container, ...codecs])].filter(Boolean).join(" · ");
}

/** The name of its template; exports keep the id and the version: tpl_…@2. */
function templateOf(context, { config }) {
  const kept = config?.branding?.template;
  return templatesOf(context).get(kept?.split("@")[0])?.name ?? kept;
}

function partOf(told) {
  if (!told.start_s && told.end_s == null) return "All of it";
  return `${clock(told.start_s)} to ${told.end_s == null ? "the end" : clock(told.end_s)}`;
}

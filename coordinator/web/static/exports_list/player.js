// Playing a finished export in place: a video, a sound, or a picture that moves.

import { openDialog } from "../dialog.js";
import { el } from "../elements.js";
import { icon } from "../icons.js";
import { fileOf, isSound, shapeOf } from "./words.js";

// As canPlayType() asks for them (RFC 6381); what is missing here plays in no browser.
const CODECS = {
  h264: "avc1.640028",
  h265: "hvc1.1.6.L120.90",
  vp9: "vp09.00.40.08",
  av1: "av01.0.08M.08",
  aac: "mp4a.40.2",
  mp3: "mp3",
  opus: "opus",
};

const FORMATS = { prores_4444: "ProRes video", png: "A ZIP file with pictures" };

/** Whether this browser can play what an export has made. */
function canPlay(told) {
  const { videoCodec, audioCodec } = told.config?.format ?? {};
  if (told.container === "gif") return true;
  const names = isSound(told) ? [audioCodec] : [videoCodec, audioCodec];
  const codecs = names.filter(Boolean).map((name) => CODECS[name]);
  if (codecs.includes(undefined)) return false;
  const probe = document.createElement(isSound(told) ? "audio" : "video");
  // Files of MOV are played as MP4, where they are at all.
  const type = told.container === "mov" ? "video/mp4" : told.media_type;
  // A codec that nobody named is the usual one of the file format, and plays where that does.
  return probe.canPlayType(codecs.length ? `${type}; codecs="${codecs.join(", ")}"` : type) !== "";
}

/** A link that downloads an export's file. */
export function downloadLink(told, className = "button") {
  return el(
    "a",
    {
      class: className,
      href: told.download_url,
      download: "",
      "aria-label": `Download ${told.name}`,
    },
    icon("download"),
    el("span", { text: "Download" }),
  );
}

/** Open a dialog that plays an export; `told` has a `download_url`. */
export function openPlayer(told) {
  const stage = el("div", { class: "player" });
  const unable = (text) => stage.replaceChildren(el("p", { class: "notice", text }));
  const media = canPlay(told) ? mediaOf(told) : null;
  if (media === null) {
    const what = FORMATS[told.config?.format?.videoCodec] ?? "This format";
    unable(`${what} cannot be played in this browser. Download it to open it elsewhere.`);
  } else {
    stage.append(media);
    media.addEventListener("error", () =>
      unable("This file could not be played here. Download it to open it elsewhere."),
    );
  }
  const facts = el("p", { class: "quiet", text: [shapeOf(told), fileOf(told)].join(" · ") });
  const foot = el("div", { class: "spread" }, facts, downloadLink(told, "button primary"));
  const onClose = () => {
    media?.removeAttribute("src"); // ends its download
    media?.load?.();
  };
  openDialog(told.name, [stage, foot], { class: "wide", onClose });
  media?.focus();
  // Where a browser does not begin by itself, there is its button.
  media?.play?.().catch(() => {});
}

function mediaOf(told) {
  const src = told.download_url;
  if (told.container === "gif") return el("img", { src, alt: told.name });
  const label = { "aria-label": told.name, src, controls: true, preload: "metadata" };
  if (isSound(told)) return el("audio", label);
  return el("video", { ...label, playsInline: true, poster: told.poster_url ?? "", tabIndex: 0 });
}

// How branding looks: a frame with the watermark, and one of the end card.

import { el } from "../elements.js";
import { still } from "./outputs_still.js";

const WIDTH = 360;
const WHERE = 0.35; // a place in the song where there is something to see
/** Later than any video ends: the API then shows the last frame, which is the end card's. */
const END_S = 86_400;

/**
 * @param {Draft} draft Whose frames are shown.
 * @returns {{element: HTMLElement, show: Function}} `show(asked, card, version)`: `asked` is the
 *     branding as `POST /v1/previews` takes it (`template`, `branding`), or why there is nothing to
 *     see; `card` whether there is an end card; another `version` asks again for the same.
 */
export function brandingLooks(draft) {
  const song = still("The video with the watermark");
  const end = still("The end card");
  const cardFigure = figure(end, "After the song");
  const element = el("div", { class: "looks" }, figure(song, "During the song"), cardFigure);

  function show(asked, card, version = 0) {
    cardFigure.hidden = !card;
    const shape = { width: 16, height: 9 };
    const id = () => draft.compositionId();
    const at = (at_s) =>
      typeof asked === "string"
        ? asked
        : { preset: "youtube_1080p", width: WIDTH, ...asked, at_s };
    song.show(shape, at((draft.durationS ?? 0) * WHERE), id, version);
    if (card) end.show(shape, at(END_S), id, version);
  }

  return { element, show };
}

function figure({ element }, caption) {
  return el("figure", {}, element, el("figcaption", { class: "hint", text: caption }));
}

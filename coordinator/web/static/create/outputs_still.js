// A real frame of the video, as the farm's own renderer draws it.

import { picture, request } from "../api.js";
import { attribute, el, say } from "../elements.js";
import { showPicture } from "../pictures.js";

const PATIENCE_MS = 350;

/**
 * A frame that follows what is asked of it: the last thing asked for is drawn once nobody has
 * asked for another for a moment, and only while it is in sight.
 *
 * @param {string} label What the picture shows.
 * @returns {{element: HTMLElement, show: Function}}
 */
export function still(label) {
  const image = el("img", { alt: label, hidden: true, decoding: "async" });
  const told = el("p", { class: "hint" });
  const element = el("div", { class: "still" }, image, told);
  let wanted = null; // what is asked for, and not begun
  let begun = null; // what is being drawn
  let latest = null; // what was asked for last
  let asking = null;
  let timer = 0;
  let isSeen = false;

  const sight = new IntersectionObserver(([entry]) => {
    isSeen = entry.isIntersecting;
    if (isSeen) return begin();
    clearTimeout(timer);
    asking?.abort();
    wanted ??= begun; // once it is seen again, if ever
  });
  sight.observe(element);

  function begin() {
    clearTimeout(timer);
    if (wanted !== null && isSeen) timer = setTimeout(draw, PATIENCE_MS);
  }

  async function draw() {
    const { compositionId, body } = wanted;
    begun = wanted;
    wanted = null;
    asking?.abort();
    asking = new AbortController();
    const { signal } = asking;
    element.setAttribute("aria-busy", "true");
    try {
      const composition_id = await compositionId();
      const asked = { composition_id, image_format: "webp", ...body };
      const { id } = await request("POST", "/previews", { body: asked, signal });
      const blob = await picture(`/previews/${id}/image`, {}, signal);
      if (!signal.aborted) reveal(blob);
    } catch (problem) {
      if (problem.name === "AbortError") return;
      latest = null;
      image.hidden = true;
      say(told, problem.message);
    }
    if (signal.aborted) return;
    begun = null;
    attribute(element, "aria-busy", null);
  }

  function reveal(blob) {
    showPicture(image, blob);
    image.hidden = false;
    say(told, "");
  }

  /**
   * @param {{width: number, height: number}} shape Of the frame.
   * @param {object|string} body What to ask `POST /v1/previews` for, or why there is nothing.
   * @param {() => Promise<string>} compositionId
   * @param {number} [version] Another one asks again for the same.
   */
  function show(shape, body, compositionId, version = 0) {
    element.style.setProperty("--shape", `${shape.width} / ${shape.height}`);
    element.style.setProperty("--ratio", shape.width / shape.height);
    const text = `${version} ${JSON.stringify(body)}`;
    if (text === latest) return;
    latest = text;
    if (typeof body === "string") {
      wanted = begun = null;
      clearTimeout(timer);
      asking?.abort();
      attribute(element, "aria-busy", null);
      image.hidden = true;
      say(told, body);
      return;
    }
    wanted = { body, compositionId };
    begin();
  }

  return { element, show };
}

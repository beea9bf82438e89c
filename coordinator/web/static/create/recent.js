// Songs that were made before, to go on with.

import { get, picture } from "../api.js";
import { el, say } from "../elements.js";
import { ago, moment } from "../formatting.js";
import { icon } from "../icons.js";
import { showPicture } from "../pictures.js";

const PAGE = 12;
const LOOK = { at_s: 10, width: 320, format: "webp" };

/**
 * The last songs, as a list; `load()` asks for them anew, `stop()` lets the pictures be.
 *
 * @param {(composition: object) => void} onChoose
 */
export function recentSongs(onChoose) {
  const list = el("ul", { class: "recent-list" });
  const more = el("button", { type: "button", text: "Show more", hidden: true });
  const wrong = el("p", { class: "wrong" });
  const element = el(
    "section",
    { class: "stack recent", hidden: true, "aria-labelledby": "recent" },
    el("h2", { id: "recent", text: "Go on with" }),
    list,
    wrong,
    more,
  );
  const watcher = new IntersectionObserver(see, { rootMargin: "200px" });
  const waiting = [];
  let controller = new AbortController();
  let isDrawing = false;
  let songs = 0;

  function see(entries) {
    for (const { isIntersecting, target } of entries) {
      if (!isIntersecting) continue;
      watcher.unobserve(target);
      waiting.push(target);
    }
    draw();
  }

  /** One after the other: other people's stills come before ours. */
  async function draw() {
    if (isDrawing) return;
    isDrawing = true;
    while (waiting.length > 0) {
      const image = waiting.shift();
      const path = `/compositions/${image.dataset.id}/preview`;
      const blob = await picture(path, LOOK, controller.signal).catch(() => null);
      if (blob === null) continue;
      await showPicture(image, blob);
    }
    isDrawing = false;
  }

  async function page() {
    try {
      const told = await get("/compositions", { limit: PAGE, offset: songs });
      songs += told.compositions.length;
      list.append(...told.compositions.map((each) => card(each, onChoose, watcher)));
      more.hidden = !told.has_more;
      element.hidden = songs === 0;
      say(wrong, "");
    } catch (problem) {
      element.hidden = false;
      say(wrong, problem.message);
    }
  }

  function stop() {
    waiting.length = 0;
    watcher.disconnect();
    controller.abort();
  }

  more.addEventListener("click", page);
  return {
    element,
    load() {
      stop();
      controller = new AbortController();
      songs = 0;
      list.replaceChildren();
      return page();
    },
    stop,
  };
}

function card(composition, onChoose, watcher) {
  const image = el("img", { alt: "", data: { id: composition.id } });
  const button = el(
    "button",
    { class: "recent-song", type: "button", on: { click: () => onChoose(composition) } },
    el("span", { class: "recent-picture" }, icon("music"), image),
    el("span", { class: "cut", text: composition.name }),
    el("span", {
      class: "hint",
      text: ago(composition.updated_at),
      title: moment(composition.updated_at),
    }),
  );
  watcher.observe(image);
  return el("li", {}, button);
}

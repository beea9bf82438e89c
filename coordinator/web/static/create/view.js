// The view Create: from the files of a song to its videos.

import { complain } from "../announce.js";
import { el, say } from "../elements.js";
import { activeList } from "../exports_list/active.js";
import { icon } from "../icons.js";
import { Draft } from "./draft.js";
import { windowDrop } from "./drop.js";
import { start } from "./start.js";
import { studio } from "./studio.js";
import { uploads } from "./uploads.js";

const EMPTY = "Make a music video";

/** The view Create; `go("", "cmp_…")` goes on with a composition. */
export function createView(context) {
  const draft = new Draft(context.me.user_id);
  const incoming = uploads(draft);
  const dropping = windowDrop(incoming.take, () =>
    draft.midi === null
      ? "Drop to begin"
      : "A MIDI file begins another song; a recording, a cover or lyrics go to this one",
  );
  const parts = {
    start: start((files) => incoming.take(files), goOn),
    studio: studio(context, draft, incoming),
  };
  const heading = el("h1", { class: "cut", tabIndex: -1 });
  const another = el(
    "button",
    { type: "button", on: { click: begin } },
    icon("add"),
    "Another song",
  );
  const place = el("div");
  const underWay = activeList(context);
  const element = el(
    "section",
    { class: "create" },
    el("div", { class: "spread create-head" }, heading, another),
    incoming.element,
    place,
  );
  let shown = null; // the part that is seen
  let isShown = false;
  let isResumed = false;

  function refresh() {
    const hadFocus = place.contains(document.activeElement) || document.activeElement === another;
    const part = draft.midi === null ? parts.start : parts.studio;
    say(heading, draft.midi === null ? EMPTY : draft.name.trim() || "Untitled");
    heading.title = draft.name;
    another.hidden = draft.midi === null;
    if (part === shown) return;
    shown?.hide();
    shown = part;
    part.hold(underWay);
    place.replaceChildren(part.element);
    if (isShown) part.show();
    if (hadFocus) heading.focus();
  }

  function begin() {
    incoming.stop();
    draft.clear();
  }

  async function goOn(composition) {
    incoming.stop();
    await draft.load(composition).catch(complain);
  }

  /** A song that the address names, or else the one that this tab was at. */
  async function open(id) {
    const isFirst = !isResumed;
    isResumed = true;
    if (id) {
      history.replaceState(null, "", "#/"); // from here on it may become another one
      await goOn({ id });
    } else if (isFirst) {
      await draft.resume().catch((problem) => problem.status === 404 || complain(problem));
    }
  }

  draft.addEventListener("changed", refresh);
  return {
    element,
    async show([id] = []) {
      const wasShown = isShown;
      if (!wasShown) dropping.start();
      isShown = true;
      if (id || !isResumed) await open(id);
      if (shown === null) refresh();
      else if (!wasShown && isShown) shown.show();
    },
    hide() {
      isShown = false;
      dropping.stop();
      shown?.hide();
    },
  };
}

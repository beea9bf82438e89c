// How the farm stands, in one line that can be read from afar.

import { complain, toast } from "../announce.js";
import { post } from "../api.js";
import { openDialog } from "../dialog.js";
import { attribute, el, say } from "../elements.js";
import { count, moment } from "../formatting.js";
import { icon } from "../icons.js";
import { freshness } from "./freshness.js";
import { openKeys } from "./keys.js";
import { pace } from "./pace.js";
import { hour, plural, takesSlot } from "./words.js";

/** A dispatcher that gave no sign of life for so long is taken for gone, as by the server. */
const SILENT_S = 15;

/**
 * The state of the farm, with Pause and Resume.
 *
 * @param {object} me Who looks.
 * @param {() => void} onChange Told that the farm was paused or resumed.
 * @returns {{element: Element, tell: (farm: object) => void, failed: (problem: Error) => void,
 *     stop: () => void}}
 */
export function stateLine(me, onChange) {
  const state = el("strong", { class: "state", text: "Asking …" });
  const why = el("p", { class: "why hint" });
  const fresh = freshness({ role: "status" });
  const figures = {
    slots: figure("slots busy", 4),
    queued: figure("exports queued", 6),
    rendering: figure("exports rendering", 4),
    pace: figure("frames/s now", 6),
  };
  const meter = el("div", { class: "bar meter" }, el("span"));
  const grafana = el(
    "a",
    { class: "button ghost", target: "_blank", rel: "noreferrer", hidden: true },
    icon("wave"),
    "Dashboards",
  );
  const keys = el(
    "button",
    { class: "ghost", type: "button", on: { click: () => openKeys(me) } },
    icon("key"),
    "Keys",
  );
  const act = el("button", { type: "button", disabled: true }, icon("pause"), el("span"));
  const element = el(
    "section",
    { class: "card state-line", "aria-label": "State of the farm" },
    el(
      "div",
      { class: "how" },
      el("span", { class: "lamp" }),
      el("div", {}, state, why, fresh.element),
    ),
    el("dl", {}, Object.values(figures).map((each) => each.element)),
    el("div", { class: "row" }, grafana, keys, act),
    meter,
  );
  const paceOf = pace();
  let farm = null;

  act.addEventListener("click", async () => {
    if (!farm.paused) return askToPause(onChange);
    try {
      await post("/farm/resume");
      toast("The farm goes on.");
      onChange();
    } catch (problem) {
      complain(problem);
    }
  });

  const tell = (told) => {
    farm = told;
    fresh.heard();
    const { name, words } = standing(told);
    attribute(element, "data-state", name);
    say(state, words.title);
    say(why, words.detail);
    attribute(why, "title", told.paused ? moment(told.paused.since) : null);
    tellFigures(figures, meter, told, paceOf(told.running, performance.now()));
    act.disabled = false;
    say(act.lastElementChild, told.paused ? "Resume" : "Pause");
    attribute(act, "aria-label", told.paused ? "Resume the farm" : "Pause the farm");
    attribute(act, "class", told.paused ? "primary" : "");
    act.firstElementChild.replaceChildren(...icon(told.paused ? "play" : "pause").children);
    grafana.hidden = !told.grafana_url;
    if (told.grafana_url) {
      attribute(grafana, "href", `${told.grafana_url.replace(/\/+$/, "")}/dashboards`);
    }
  };

  return { element, tell, failed: fresh.failed, stop: fresh.stop };
}

function standing(farm) {
  if (farm.leader === null || !(farm.silent_s <= SILENT_S)) {
    const detail = "Nothing begins until one is started: midifarm dispatch.";
    return { name: "silent", words: { title: "No dispatcher leads", detail } };
  }
  if (farm.paused) {
    const { by, since, reason } = farm.paused;
    const start = by ? `By ${by}, since ${hour(since)}` : `Since ${hour(since)}`;
    const detail = reason ? `${start}: ${reason}` : start;
    return { name: "paused", words: { title: "Paused", detail } };
  }
  return { name: "running", words: { title: "Running", detail: `${farm.leader} leads` } };
}

function tellFigures(figures, meter, farm, framesPerSecond) {
  const closed = farm.nodes.filter((each) => each.draining_at || each.is_leaving);
  const draining = new Set(closed.map((each) => each.id));
  const takes = (each) => each.node !== null && takesSlot(each) && !draining.has(each.node);
  const busy = farm.running.filter(takes).length;
  const sum = (name) => farm.queue.reduce((total, user) => total + user[name], 0);
  figures.slots.tell(count(busy), `of ${plural(farm.slots, "slot")} busy`);
  figures.queued.tell(count(sum("exports_queued")));
  figures.rendering.tell(count(sum("exports_rendering")));
  figures.pace.tell(framesPerSecond === null ? "–" : count(Math.round(framesPerSecond)));
  meter.style.setProperty("--share", farm.slots ? Math.min(1, busy / farm.slots) : 0);
}

function figure(label, digits) {
  const value = el("span", { class: "value", style: { "--digits": digits } });
  const words = el("dt", { text: label });
  const element = el("div", {}, words, el("dd", {}, value));
  const tell = (text, more = label) => {
    say(value, text);
    say(words, more);
  };
  return { element, tell };
}

function askToPause(onChange) {
  const reason = el("input", { id: "pause-reason", maxLength: 200, autofocus: true });
  const wrong = el("p", { class: "wrong", role: "alert" });
  const submit = async (event) => {
    event.preventDefault();
    try {
      await post("/farm/pause", { reason: reason.value.trim() || null });
      toast("The farm is paused; what runs is finished.");
      dialog.close();
      onChange();
    } catch (problem) {
      say(wrong, problem.message);
    }
  };
  const form = el(
    "form",
    { class: "stack", on: { submit } },
    el("p", { text: "Nothing more begins until it is resumed. What is under way is finished." }),
    el(
      "div",
      { class: "field" },
      el("label", { for: "pause-reason", text: "Reason, told to everybody who waits (optional)" }),
      reason,
    ),
    wrong,
    el(
      "div",
      { class: "actions" },
      el("button", { type: "button", text: "Let it run", on: { click: () => dialog.close() } }),
      el("button", { class: "primary", type: "submit", text: "Pause the farm" }),
    ),
  );
  const dialog = openDialog("Pause the farm", form, { class: "narrow" });
}

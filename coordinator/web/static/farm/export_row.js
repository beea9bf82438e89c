// One export of anybody's, with what an operator may do to it.

import { announce, complain, toast } from "../announce.js";
import { patch, post, request } from "../api.js";
import { confirm } from "../dialog.js";
import { attribute, el, say } from "../elements.js";
import { ago, count, moment, percent, span } from "../formatting.js";
import { openAttempts } from "./attempts.js";

/**
 * The cells of an export.
 *
 * @param {object} first
 * @param {() => void} onChange Told that something was done to it.
 * @returns {{cells: Element[], tell: (told: object) => void}}
 */
export function exportRow(first, onChange) {
  const path = `/farm/exports/${first.id}`;
  const called = `${first.name}, of ${first.user_id}`;
  let told = first;

  const act = async (doing, words) => {
    try {
      tell(await doing());
      why.close(); // it was true before that
      toast(words);
      onChange();
    } catch (problem) {
      complain(problem);
    }
  };

  const why = whyParts(path, called);
  const name = el(
    "div",
    {},
    el("span", { class: "cut name", text: first.name, title: `${first.name}\n${first.id}` }),
    el("span", {
      class: "hint cut",
      text: `${first.user_id} · ${ago(first.created_at)}`,
      title: `Accepted ${moment(first.created_at)}`,
    }),
    why.answer,
  );
  const badge = el("span", { class: "badge" });
  const progress = progressParts(called);
  const priority = priorityParts(called, (value) =>
    act(() => patch(path, { priority: value }), `${first.name} has the priority ${value}.`),
  );
  const hold = button("Pause", () => {
    if (told.paused_at) return act(() => post(`${path}/resume`), `${first.name} goes on.`);
    return act(() => post(`${path}/pause`), `${first.name} is paused; what runs is finished.`);
  });
  const attempts = button("Attempts", () => openAttempts(told));
  const cancel = button("Cancel", async () => {
    const title = `Cancel ${first.name}?`;
    const text = `What runs of it is stopped. ${first.user_id} is told that an operator did it.`;
    if (await confirm(title, text, "Cancel the export")) {
      await act(() => post(`${path}/cancel`), `${first.name} is cancelled.`);
    }
  });
  attribute(attempts, "aria-label", `Attempts of ${called}`);
  attribute(cancel, "aria-label", `Cancel ${called}`);
  const actions = el("div", { class: "row" }, hold, why.button, attempts, cancel);

  const tell = (now) => {
    told = now;
    const isPaused = now.paused_at !== null;
    say(badge, isPaused ? `${now.status}, paused` : now.status);
    attribute(badge, "data-status", isPaused ? "paused" : now.status);
    attribute(badge, "title", now.reason);
    progress.tell(now);
    priority.tell(now.priority);
    say(hold, isPaused ? "Resume" : "Pause");
    attribute(hold, "aria-label", `${isPaused ? "Resume" : "Pause"} ${called}`);
  };

  return { cells: [name, badge, progress.element, priority.element, actions], tell };
}

function button(text, click) {
  return el("button", { class: "ghost small", type: "button", text, on: { click } });
}

function progressParts(called) {
  const label = `Progress of ${called}`;
  const bar = el("div", { class: "bar", role: "progressbar", "aria-label": label }, el("span"));
  const words = el("span", { class: "figures hint" });
  const element = el("div", { class: "progress" }, bar, words);
  const tell = ({ progress, frames_done, frames, eta_s }) => {
    bar.firstElementChild.style.setProperty("--share", progress);
    attribute(bar, "aria-valuenow", Math.floor(100 * progress));
    const parts = [percent(progress)];
    if (frames) parts.push(`${count(frames_done)} / ${count(frames)}`);
    if (eta_s !== null) parts.push(`${span(eta_s)} left`);
    say(words, parts.join(" · "));
  };
  return { element, tell };
}

function priorityParts(called, apply) {
  const input = el("input", {
    type: "number",
    min: "-100",
    max: "100",
    step: "1",
    required: true,
    "aria-label": `Priority of ${called}, -100 to 100`,
  });
  const button = el("button", {
    class: "small",
    type: "submit",
    text: "Apply",
    "aria-label": `Apply the priority of ${called}`,
  });
  let known = null;
  // A number that somebody is typing is his until he applies it or puts back the old one.
  const isTouched = () => input.value !== String(known);
  const showButton = () => attribute(button, "data-idle", isTouched() ? null : "");
  const submit = async (event) => {
    event.preventDefault();
    const wanted = input.valueAsNumber;
    if (wanted !== known) await apply(wanted);
    showButton();
  };
  const element = el("form", { class: "priority", on: { submit } }, input, button);
  input.addEventListener("input", showButton);
  input.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    input.value = String(known);
    showButton();
  });
  const tell = (priority) => {
    const wasTouched = known !== null && isTouched() && input.value !== String(priority);
    known = priority;
    if (!wasTouched) input.value = String(priority);
    showButton();
  };
  return { element, tell };
}

/** The question why an export waits, and the answer, which is shown where the name is. */
function whyParts(path, called) {
  const answer = el("p", { class: "why", hidden: true });
  const open = (isOpen) => {
    answer.hidden = !isOpen;
    attribute(ask, "aria-expanded", isOpen);
  };
  const ask = button("Why?", async () => {
    open(answer.hidden);
    if (answer.hidden) return;
    say(answer, "Asking …");
    try {
      const { message } = await request("GET", `${path}/why-waiting`);
      say(answer, message);
    } catch (problem) {
      say(answer, problem.message);
    }
    announce(answer.textContent);
  });
  attribute(ask, "aria-label", `Why does ${called} wait?`);
  open(false);
  return { button: ask, answer, close: () => open(false) };
}

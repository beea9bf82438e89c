// What is said to whoever looks, and to whoever listens.

import { el } from "./elements.js";
import { icon } from "./icons.js";

const SHOWN_MS = 6000;
const MOST_SHOWN = 3;

/**
 * From where it is said: beside an open dialog nothing can be heard or pressed, so what is said
 * moves into it.
 */
export function speakIn(place) {
  place.append(...["toasts", "polite", "urgent"].map((id) => document.getElementById(id)));
}

/** Say something that can wait; screen readers say it when they have finished. */
export function announce(text) {
  const place = document.getElementById("polite");
  place.textContent = "";
  // Only a change is read out.
  requestAnimationFrame(() => (place.textContent = text));
}

/**
 * Show and say something for some seconds.
 *
 * @param {string} text
 * @param {"done"|"failed"} [kind]
 * @param {{label: string, run: () => void}} [action] What can be done about it, on a button.
 */
export function toast(text, kind = "done", action = null) {
  announce(text);
  show(text, kind, action);
}

/** Tell of what did not work; stays longer. */
export function complain(problem) {
  if (problem.name === "AbortError" || problem.status === 401) return;
  const text = problem.message;
  const place = document.getElementById("urgent");
  place.textContent = "";
  requestAnimationFrame(() => (place.textContent = text));
  show(text, "failed");
  if (problem.name !== "Problem") console.error(problem);
}

function show(text, kind, action = null) {
  const act = () => {
    box.remove();
    action.run();
  };
  const offer =
    action &&
    el("button", { class: "small", type: "button", text: action.label, on: { click: act } });
  const close = el(
    "button",
    {
      class: "ghost small",
      type: "button",
      "aria-label": "Dismiss",
      on: { click: () => box.remove() },
    },
    icon("cancel"),
  );
  const sign = icon(kind === "failed" ? "warning" : "check");
  const box = el("div", { class: "toast", data: { kind } }, sign, el("p", { text }), offer, close);
  const place = document.getElementById("toasts");
  place.append(box);
  while (place.childElementCount > MOST_SHOWN) place.firstElementChild.remove();
  removeLater(box, kind === "failed" || action ? 2 * SHOWN_MS : SHOWN_MS);
}

/** Take away what is shown once its time is over, but not from under a hand that reaches for it. */
function removeLater(box, ms) {
  setTimeout(() => {
    if (box.matches(":hover, :focus-within")) removeLater(box, SHOWN_MS);
    else box.remove();
  }, ms);
}

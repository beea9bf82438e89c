// Dialogs: the browser's own, which keeps the focus inside and gives it back afterwards.

import { speakIn } from "./announce.js";
import { el } from "./elements.js";
import { icon } from "./icons.js";

let numbers = 0;
const open = []; // the last one is on top

/**
 * Open a dialog.
 *
 * @param {string} title
 * @param {Node|Node[]} content
 * @param {object} [options] `class`, `onClose`.
 * @returns {HTMLDialogElement} Close it with `close()`; it is gone then.
 */
export function openDialog(title, content, { class: className = "", onClose } = {}) {
  numbers += 1;
  const id = `dialog-${numbers}`;
  const close = el(
    "button",
    { class: "ghost", type: "button", "aria-label": "Close", on: { click: () => dialog.close() } },
    icon("cancel"),
  );
  const head = el("header", {}, el("h2", { id, text: title }), close);
  const dialog = el("dialog", { class: className, "aria-labelledby": id }, head, content);
  dialog.addEventListener("close", () => {
    open.splice(open.indexOf(dialog), 1);
    speakIn(open.at(-1) ?? document.body);
    dialog.remove();
    onClose?.();
  });
  // A click beside it closes it, as Escape does, unless somebody may have written something.
  dialog.addEventListener("pointerdown", (event) => {
    if (isBeside(dialog, event) && !dialog.querySelector("form")) dialog.close();
  });
  document.body.append(dialog);
  dialog.showModal();
  open.push(dialog);
  speakIn(dialog);
  return dialog;
}

function isBeside(dialog, { clientX: x, clientY: y }) {
  const { left, right, top, bottom } = dialog.getBoundingClientRect();
  return x < left || x > right || y < top || y > bottom;
}

/**
 * Ask before something that cannot be taken back.
 *
 * @returns {Promise<boolean>}
 */
export function confirm(title, text, action) {
  return new Promise((resolve) => {
    let answer = false;
    const yes = el("button", { class: "danger", type: "button", text: action });
    // Whoever presses Enter without having read it has done no harm.
    const no = el("button", { type: "button", text: "Keep it", autofocus: true });
    const body = [el("p", { text }), el("div", { class: "actions" }, no, yes)];
    const dialog = openDialog(title, body, { class: "narrow", onClose: () => resolve(answer) });
    no.addEventListener("click", () => dialog.close());
    yes.addEventListener("click", () => {
      answer = true;
      dialog.close();
    });
  });
}

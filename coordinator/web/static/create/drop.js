// The whole window takes files that are dropped on it.

import { el } from "../elements.js";
import { icon } from "../icons.js";

/**
 * Lets files be dropped anywhere. A place that takes them by itself calls `preventDefault()` on
 * the `drop`.
 *
 * @param {(files: FileList) => void} onFiles
 * @param {() => string} hint What will become of them, shown while they hover.
 * @returns {{start: () => void, stop: () => void}}
 */
export function windowDrop(onFiles, hint) {
  const text = el("p");
  const veil = el("div", { class: "veil", hidden: true }, icon("upload"), text);
  const over = (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault(); // or else the browser opens the file instead of the page
    if (isAway()) return;
    text.textContent = hint();
    veil.hidden = false;
  };
  const leave = (event) => {
    if (event.relatedTarget === null) veil.hidden = true;
  };
  const drop = (event) => {
    veil.hidden = true;
    if (!hasFiles(event)) return;
    const isTaken = event.defaultPrevented;
    event.preventDefault();
    if (!isTaken && !isAway()) onFiles(event.dataTransfer.files);
  };
  const listeners = { dragover: over, dragleave: leave, drop };
  return {
    start() {
      document.body.append(veil);
      for (const [name, each] of Object.entries(listeners)) window.addEventListener(name, each);
    },
    stop() {
      veil.remove();
      for (const [name, each] of Object.entries(listeners)) window.removeEventListener(name, each);
    },
  };
}

/**
 * Lets files be dropped on an element, which is marked with `data-over` meanwhile.
 *
 * @param {(files: FileList) => void} onFiles
 */
export function dropOn(element, onFiles) {
  element.addEventListener("dragover", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    element.dataset.over = "";
  });
  element.addEventListener("dragleave", (event) => {
    if (!element.contains(event.relatedTarget)) delete element.dataset.over;
  });
  element.addEventListener("drop", (event) => {
    delete element.dataset.over;
    if (!hasFiles(event)) return;
    event.preventDefault();
    onFiles(event.dataTransfer.files);
  });
}

/**
 * A button that opens the browser's dialog for files.
 *
 * @param {object} settings Those of the button, and `accept`, `multiple`.
 * @param {(files: FileList) => void} onFiles
 */
export function fileButton({ accept, multiple = false, ...settings }, onFiles, ...children) {
  const input = el("input", { type: "file", accept, multiple, hidden: true });
  input.addEventListener("change", () => {
    if (input.files.length) onFiles(input.files);
    input.value = ""; // so that the same file can be chosen again
  });
  const open = () => input.click();
  const button = el("button", { type: "button", ...settings, on: { click: open } }, children);
  return el("span", { class: "file-button" }, button, input);
}

function hasFiles(event) {
  return event.dataTransfer?.types.includes("Files") ?? false;
}

function isAway() {
  return document.querySelector("dialog[open]") !== null;
}

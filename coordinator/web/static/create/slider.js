// Makes an element a slider over time: for fingers, mice, keyboards and screen readers.

import { attribute } from "../elements.js";

const STEP_S = 1;
const FINE_S = 0.1;
const PAGE_S = 10;
const SETTLED_MS = 250;

/**
 * Make an element a slider.
 *
 * @param {HTMLElement} handle What takes the focus.
 * @param {object} options
 * @param {string} options.label
 * @param {HTMLElement} options.axis Its width is the time from 0 to `length()`.
 * @param {HTMLElement} [options.surface] Where a press moves the handle; itself without it.
 * @param {() => number} options.length
 * @param {() => [number, number]} options.bounds Between which it moves.
 * @param {() => number} options.value
 * @param {(value: number) => string} options.text How a value is said.
 * @param {(value: number, isMoving: boolean) => void} options.onMove
 * @returns {() => void} Say anew how it stands.
 */
export function slider(handle, options) {
  const { label, axis, surface = handle, length, bounds, value, text, onMove } = options;
  handle.tabIndex = 0;
  attribute(handle, "role", "slider");
  attribute(handle, "aria-label", label);
  let settling = 0;

  const tell = () => {
    const [least, most] = bounds();
    attribute(handle, "aria-valuemin", least.toFixed(1));
    attribute(handle, "aria-valuemax", most.toFixed(1));
    attribute(handle, "aria-valuenow", value().toFixed(1));
    attribute(handle, "aria-valuetext", text(value()));
  };
  const move = (wanted, isMoving) => {
    const [least, most] = bounds();
    onMove(Math.min(most, Math.max(least, wanted)), isMoving);
    tell();
  };

  handle.addEventListener("keydown", (event) => {
    const wanted = keyed(event, value(), bounds());
    if (wanted === null) return;
    event.preventDefault();
    move(wanted, true);
    clearTimeout(settling);
    settling = setTimeout(() => move(value(), false), SETTLED_MS);
  });

  const timeAt = (event) => {
    const { left, width } = axis.getBoundingClientRect();
    return ((event.clientX - left) / width) * length();
  };
  surface.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    event.preventDefault();
    handle.focus({ preventScroll: true, focusVisible: false });
    surface.setPointerCapture(event.pointerId);
    move(timeAt(event), true);
  });
  surface.addEventListener("pointermove", (event) => {
    if (surface.hasPointerCapture(event.pointerId)) move(timeAt(event), true);
  });
  surface.addEventListener("lostpointercapture", () => move(value(), false));
  return tell;
}

function keyed(event, value, [least, most]) {
  if (event.ctrlKey || event.metaKey || event.altKey) return null;
  const step = event.shiftKey ? FINE_S : STEP_S;
  const found = {
    ArrowLeft: value - step,
    ArrowDown: value - step,
    ArrowRight: value + step,
    ArrowUp: value + step,
    PageDown: value - PAGE_S,
    PageUp: value + PAGE_S,
    Home: least,
    End: most,
  };
  return found[event.key] ?? null;
}

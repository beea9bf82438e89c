// A grid of any number of cards, of which only those near the screen are in the document.

import { attribute, el } from "../elements.js";
import { between, heightOf, layoutOf, placeOf } from "./layout.js";

const AHEAD = 1; // screens above and below
const NEAR_END = 2; // screens before the end when more is wanted
const SETTLED_MS = 120; // pictures are fetched for what is not just flown over

/**
 * A grid.
 *
 * @param {object} hears
 * @param {(id: string) => {element: HTMLElement, settle: () => void, remove: () => void}}
 *     hears.make Makes a card.
 * @param {() => void} hears.onNearEnd The end is near.
 */
export function cardGrid({ make, onNearEnd }) {
  const element = el("ul", { class: "card-grid" });
  const cards = new Map();
  let ids = [];
  let indexes = new Map();
  let before = indexes; // as they were when it was drawn last
  let layout = layoutOf(1000);
  let isShown = false;
  let frame = 0;
  let settling = 0;

  const schedule = () => {
    frame ||= requestAnimationFrame(draw);
  };

  function draw() {
    frame = 0;
    if (!isShown || !element.isConnected) return;
    const { top, height: own } = element.getBoundingClientRect();
    const screen = innerHeight;
    const [first, stop] = between(
      layout,
      ids.length,
      -top - AHEAD * screen,
      -top + (1 + AHEAD) * screen,
    );
    const wanted = new Set(ids.slice(first, stop));
    // Who has moved on with the keyboard or reads a card keeps it.
    const focused = document.activeElement?.closest?.(".card-grid > li")?.dataset.id;
    if (focused && indexes.has(focused)) wanted.add(focused);
    const isGone = Boolean(focused) && !indexes.has(focused);
    for (const [id, card] of cards) {
      if (wanted.has(id)) continue;
      card.remove();
      cards.delete(id);
    }
    let place = element.firstElementChild;
    for (const id of [...wanted].sort((one, other) => indexes.get(one) - indexes.get(other))) {
      const card = cards.get(id) ?? add(id);
      if (card.element === place) place = place.nextElementSibling;
      else element.insertBefore(card.element, place);
      lay(card, indexes.get(id));
    }
    if (isGone) goOnFrom(before.get(focused));
    before = indexes;
    clearTimeout(settling);
    settling = setTimeout(() => cards.forEach((card) => card.settle()), SETTLED_MS);
    if (top + own - screen < NEAR_END * screen) onNearEnd();
  }

  /** Whoever has deleted a card goes on from the one that has taken its place. */
  function goOnFrom(index) {
    const card = cards.get(ids[Math.min(index, ids.length - 1)]);
    (card?.element.querySelector("a") ?? document.getElementById("main")).focus();
  }

  function add(id) {
    const card = make(id);
    cards.set(id, card);
    return card;
  }

  function lay(card, index) {
    const { x, y } = placeOf(layout, index);
    const place = `translate(${x}px, ${y}px)`;
    if (card.place !== place) card.element.style.transform = card.place = place;
    attribute(card.element, "aria-posinset", index + 1);
    attribute(card.element, "aria-setsize", (card.total = ids.length));
  }

  function measure() {
    layout = layoutOf(element.clientWidth || 1000);
    element.classList.toggle("as-rows", layout.isRows);
    element.style.setProperty("--card-width", `${layout.width}px`);
    element.style.setProperty("--card-height", `${layout.height}px`);
    element.style.height = `${heightOf(layout, ids.length)}px`;
    schedule();
  }

  let width = 0;
  new ResizeObserver(() => {
    if (element.clientWidth === width || !element.isConnected) return;
    width = element.clientWidth;
    measure();
  }).observe(element);

  return {
    element,
    /** Show these exports, in this order. */
    set(now) {
      ids = now;
      indexes = new Map(ids.map((id, index) => [id, index]));
      element.style.height = `${heightOf(layout, ids.length)}px`;
      schedule();
    },
    /** The card of an export, if it is near the screen. */
    card: (id) => cards.get(id),
    show() {
      isShown = true;
      addEventListener("scroll", schedule, { passive: true });
      addEventListener("resize", schedule, { passive: true });
      schedule();
    },
    hide() {
      isShown = false;
      removeEventListener("scroll", schedule);
      removeEventListener("resize", schedule);
    },
  };
}

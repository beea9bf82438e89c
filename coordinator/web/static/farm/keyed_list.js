// Lists that are told anew every second, and change only where something has changed.

/**
 * Keep the children of an element in step with a list.
 *
 * What is known keeps its element, and so its focus, its selection and its scroll. While somebody
 * points at the list or is in it with the keyboard, nothing in it changes places.
 *
 * @param {Element} parent
 * @param {(item: object) => any} keyOf
 * @param {(item: object) => {element: Element, tell: (item: object) => void}} make
 * @returns {(items: object[]) => void}
 */
export function keyedList(parent, keyOf, make) {
  const parts = new Map();

  return (items) => {
    drop(parent, parts, new Set(items.map(keyOf)));
    const mayMove = !parent.matches(":hover") && !parent.contains(document.activeElement);
    let place = parent.firstElementChild;
    for (const item of items) {
      const key = keyOf(item);
      let part = parts.get(key);
      if (part === undefined) {
        part = make(item);
        parts.set(key, part);
        parent.insertBefore(part.element, place);
      } else if (part.element === place) {
        place = place.nextElementSibling;
      } else if (mayMove) {
        parent.insertBefore(part.element, place);
      }
      part.tell(item);
    }
  };
}

function drop(parent, parts, wanted) {
  for (const [key, { element }] of parts) {
    if (wanted.has(key)) continue;
    const hadFocus = element.contains(document.activeElement);
    element.remove();
    parts.delete(key);
    // Whoever was in it goes on from the list, not from the top of the page.
    if (hadFocus) parent.closest("[tabindex]")?.focus({ preventScroll: true });
  }
}

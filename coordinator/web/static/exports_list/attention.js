// What somebody looks at: only that is drawn at once, and asked for.

const TICK_MS = 1000;
const MARGIN = "160px";

/**
 * Knows which of some elements are on the screen.
 *
 * @param {object} hears
 * @param {(element: Element, isSeen: boolean) => void} [hears.onSeen] One comes, or goes.
 * @param {(element: Element) => void} [hears.onTick] Once a second for each that is in sight; never
 *     while the page is not.
 * @returns {{watch: (element: Element) => void, forget: (element: Element) => void,
 *     sees: (element: Element) => boolean}}
 */
export function attention({ onSeen, onTick }) {
  const seen = new Set();
  let timer = 0;

  const tick = () => {
    for (const element of seen) onTick?.(element);
  };
  const wind = () => {
    const isWanted = Boolean(onTick) && seen.size > 0 && !document.hidden;
    if (isWanted && !timer) timer = setInterval(tick, TICK_MS);
    if (!isWanted && timer) timer = clearInterval(timer) ?? 0;
  };
  const observer = new IntersectionObserver(
    (entries) => {
      for (const { target, isIntersecting } of entries) {
        if (isIntersecting === seen.has(target)) continue;
        if (isIntersecting) seen.add(target);
        else seen.delete(target);
        onSeen?.(target, isIntersecting);
      }
      wind();
    },
    { rootMargin: MARGIN },
  );
  document.addEventListener("visibilitychange", wind);

  return {
    watch: (element) => observer.observe(element),
    forget(element) {
      observer.unobserve(element);
      seen.delete(element);
      wind();
    },
    sees: (element) => seen.has(element),
  };
}

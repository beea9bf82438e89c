// How many frames the farm makes in a second now, from what its attempts tell.

const WINDOW_MS = 10_000;

/**
 * Takes what runs, again and again, and tells the frames a second of the last ten seconds.
 *
 * @returns {(running: object[], nowMs: number) => number|null} Null until it was told twice.
 */
export function pace() {
  let before = null;
  let steps = [];

  return (running, nowMs) => {
    const frames = new Map(running.map((each) => [each.attempt_id, each.frames]));
    if (before !== null) {
      let made = 0;
      for (const [id, done] of frames) made += Math.max(0, done - (before.frames.get(id) ?? 0));
      steps.push({ made, fromMs: before.nowMs, toMs: nowMs });
    }
    before = { frames, nowMs };
    steps = steps.filter((step) => step.toMs > nowMs - WINDOW_MS);
    if (steps.length === 0) return null;
    const total = steps.reduce((sum, step) => sum + step.made, 0);
    return (1000 * total) / (nowMs - steps[0].fromMs);
  };
}

// Asking the API again and again, one request at a time, while somebody looks.

const PATIENCE_MS = 15_000;
/** After a failure, also what is asked for seldom is tried again soon. */
const AGAIN_MS = 3000;

/**
 * Something that is asked for regularly; not while the page is hidden.
 *
 * @param {(signal: AbortSignal) => Promise<any>} ask
 * @param {number} everyMs How long to wait between an answer and the next request.
 * @param {object} told `heard(answer)` and `failed(problem)`.
 * @returns {{start: () => void, stop: () => void, now: () => void}} `now` asks at once; what is
 *     under way is forgotten, since it may be older than what was just done.
 */
export function poll(ask, everyMs, { heard, failed }) {
  let isOn = false;
  let timer = 0;
  let current = null;

  const run = async () => {
    cancel();
    if (!isOn || document.hidden) return;
    const mine = new AbortController();
    current = mine;
    let answer = null;
    let problem = null;
    try {
      answer = await ask(AbortSignal.any([mine.signal, AbortSignal.timeout(PATIENCE_MS)]));
    } catch (error) {
      problem = error;
    }
    if (current !== mine) return;
    current = null;
    timer = setTimeout(run, problem ? Math.min(everyMs, AGAIN_MS) : everyMs);
    if (problem) failed(problem);
    else heard(answer);
  };

  const cancel = () => {
    clearTimeout(timer);
    current?.abort();
    current = null;
  };

  const start = () => {
    if (isOn) return;
    isOn = true;
    document.addEventListener("visibilitychange", run);
    run();
  };

  const stop = () => {
    isOn = false;
    document.removeEventListener("visibilitychange", run);
    cancel();
  };

  return { start, stop, now: run };
}

// A few requests at a time, for whatever many rows and cards want to have.

/**
 * Runs tasks in order, so many at a time at most.
 *
 * @param {number} most
 * @returns {(task: () => Promise<any>, signal?: AbortSignal) => Promise<any>} Runs one when it is
 *     its turn; one that was aborted before is not begun.
 */
export function turns(most) {
  const waiting = [];
  let running = 0;
  const next = async () => {
    if (running >= most || !waiting.length) return;
    const { task, signal, resolve, reject } = waiting.shift();
    if (signal?.aborted) {
      reject(signal.reason);
      return next();
    }
    running += 1;
    try {
      resolve(await task());
    } catch (problem) {
      reject(problem);
    } finally {
      running -= 1;
      next();
    }
  };
  return (task, signal) =>
    new Promise((resolve, reject) => {
      waiting.push({ task, signal, resolve, reject });
      next();
    });
}

/** The turns of what is asked while somebody looks at it. */
export const politely = turns(3);

/** Those of pictures, which may take long: a worker makes them. */
export const patiently = turns(2);

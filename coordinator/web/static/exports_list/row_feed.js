// What a row asks the API for while it is looked at: pieces, the last frame, why it waits.

import { get, picture } from "../api.js";
import { isSound } from "./words.js";
import { patiently, politely } from "./turns.js";

const CHUNKS_MS = 1000;
const CHUNK_MS = 5; // for each piece: what is large is asked for more rarely
const LATEST_MS = 3000;
const QUEUED_MS = 4000;
const WHY_MS = 15_000;
const LATEST = { width: 320, format: "webp" };

/**
 * What is due for an export now.
 *
 * @param {object} told The export.
 * @param {object} got When it was asked last, and what for: `chunksAt`, `chunksOf` (how far it
 *     was), `latestAt`, `latestOf` (how many pieces were done), `whyAt`, `queuedAt`.
 * @param {number} now In milliseconds, as those times.
 * @returns {{chunks: boolean, latest: boolean, why: boolean}}
 */
function due(told, got, now) {
  const pause = CHUNKS_MS + CHUNK_MS * (told.chunks ?? 0);
  const isQueued = told.status === "queued";
  return {
    chunks:
      Boolean(told.chunks) && stateOf(told) !== got.chunksOf && now - got.chunksAt >= pause - 50,
    latest:
      told.status === "rendering" &&
      !isSound(told) &&
      told.chunks_done > got.latestOf &&
      now - got.latestAt >= LATEST_MS - 50,
    why: isQueued && now - got.queuedAt >= QUEUED_MS && now - got.whyAt >= WHY_MS,
  };
}

const stateOf = (told) => `${told.status} ${told.chunks_done} ${told.frames_done}`;

/**
 * Fetches for one row.
 *
 * @param {string} id
 * @param {object} hears `onChunks`, `onLatest` (a Blob), `onWhy` (a sentence).
 */
export function rowFeed(id, { onChunks, onLatest, onWhy }) {
  const never = -Infinity;
  const got = {
    chunksAt: never,
    chunksOf: "",
    latestAt: never,
    latestOf: 0,
    whyAt: never,
    queuedAt: Infinity,
  };
  const busy = new Set();
  let stopped = new AbortController();

  const ask = async (name, request, hear, turn = politely) => {
    if (busy.has(name)) return;
    busy.add(name);
    const { signal } = stopped;
    try {
      const answer = await turn(() => request(signal), signal);
      if (!signal.aborted) hear(answer);
    } catch {
      // Nothing finished, no connection, gone: the next try tells.
    } finally {
      busy.delete(name);
    }
  };

  return {
    /** Ask for what is due. */
    attend(told, now = performance.now()) {
      if (told.status !== "queued") got.queuedAt = Infinity;
      else if (got.queuedAt === Infinity) got.queuedAt = now;
      const wanted = due(told, got, now);
      if (wanted.chunks) {
        Object.assign(got, { chunksAt: now, chunksOf: stateOf(told) });
        ask(
          "chunks",
          () => get(`/exports/${id}/chunks`),
          ({ chunks }) => onChunks(chunks),
        );
      }
      if (wanted.latest) {
        Object.assign(got, { latestAt: now, latestOf: told.chunks_done });
        const latest = (signal) => picture(`/exports/${id}/latest`, LATEST, signal);
        ask("latest", latest, onLatest, patiently);
      }
      if (wanted.why) {
        got.whyAt = now;
        ask(
          "why",
          () => get(`/exports/${id}/why-waiting`),
          ({ message }) => onWhy(message),
        );
      }
    },
    /** Nobody looks any more. */
    stop() {
      stopped.abort();
      stopped = new AbortController();
    },
  };
}

// The exports that the page knows, kept up to date by the live stream.

import { get, request } from "./api.js";

export const ENDED = new Set(["completed", "failed", "cancelled"]);
export const UNDER_WAY = ["queued", "rendering", "uploading"];

const PAGE = 50;
const MOST_LISTED = 500;

/**
 * Exports by their ids. Dispatches `changed` with the export as its `detail`, and `gone` with the
 * id of one that was deleted.
 *
 * What an event does not tell (settings, sizes, addresses) is there once the export was fetched
 * or came in a list: `whole()` sees to that.
 */
export class Exports extends EventTarget {
  #known = new Map();
  #open = new Set();
  #outdated = new Set(); // those of whose last change only an event has told
  #asking = new Map();

  constructor(live) {
    super();
    live.addEventListener("export", (event) => this.merge(event.detail));
    // Before there was a stream, or while it was away, something may have ended unheard.
    live.addEventListener("ready", () => this.refresh().catch(() => {}));
  }

  get(id) {
    return this.#known.get(id);
  }

  /** Those that have not ended, in the order in which they were heard of. */
  get underWay() {
    return [...this.#open].map((id) => this.#known.get(id));
  }

  /** How many have not ended. */
  get countUnderWay() {
    return this.#open.size;
  }

  /** Take in what is told of an export, whole or in part. */
  merge(told) {
    const before = this.#known.get(told.id);
    const isLate = before && Date.parse(before.updated_at) > Date.parse(told.updated_at);
    if (isLate && (before.config || !told.config)) return before;
    // An answer that an event has overtaken still tells what events do not.
    const now = isLate ? { ...told, ...before } : { ...before, ...told };
    if (told.config && !isLate) this.#outdated.delete(told.id);
    else if (before?.status !== told.status) this.#outdated.add(told.id);
    this.#known.set(told.id, now);
    if (ENDED.has(now.status)) this.#open.delete(told.id);
    else this.#open.add(told.id);
    this.dispatchEvent(new CustomEvent("changed", { detail: now }));
    return now;
  }

  /** A page of one's exports, newest first: `{exports, has_more, next_cursor}`. */
  async list(query, signal) {
    const page = await request("GET", "/exports", { query, signal });
    return { ...page, exports: page.exports.map((told) => this.merge(told)) };
  }

  /** Whether everything is known of an export that the API tells of it. */
  isWhole(id) {
    return Boolean(this.#known.get(id)?.config) && !this.#outdated.has(id);
  }

  /** An export with everything that the API tells of it; fetched where events told less. */
  async whole(id) {
    if (this.isWhole(id)) return this.#known.get(id);
    if (!this.#asking.has(id)) {
      const asking = get(`/exports/${id}`)
        .then((told) => this.merge(told))
        .catch((problem) => {
          if (problem.status === 404) this.forget(id);
          throw problem;
        })
        .finally(() => this.#asking.delete(id));
      this.#asking.set(id, asking);
    }
    return this.#asking.get(id);
  }

  forget(id) {
    this.#open.delete(id);
    this.#outdated.delete(id);
    if (this.#known.delete(id)) this.dispatchEvent(new CustomEvent("gone", { detail: id }));
  }

  /** Ask again for what was under way when it was last heard of. */
  async refresh() {
    const unheard = new Set(this.#open);
    // What is being made first: of a long queue, a list of the newest would not reach it.
    for (const status of [UNDER_WAY.slice(1), UNDER_WAY.slice(0, 1)]) {
      let cursor = null;
      let listed = 0;
      do {
        const page = await this.list({ status, limit: PAGE, cursor });
        for (const told of page.exports) unheard.delete(told.id);
        cursor = page.next_cursor;
        listed += page.exports.length;
      } while (cursor && listed < MOST_LISTED);
    }
    if (unheard.size > PAGE) return; // a long queue that the stream tells of
    for (const id of unheard) {
      await get(`/exports/${id}`).then(
        (told) => this.merge(told),
        (problem) => problem.status === 404 && this.forget(id),
      );
    }
  }
}

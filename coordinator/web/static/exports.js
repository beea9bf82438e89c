// The exports that the page knows, kept up to date by the live stream.

import { get } from "./api.js";

export const ENDED = new Set(["completed", "failed", "cancelled"]);
export const UNDER_WAY = ["queued", "rendering", "uploading"];

const PAGE = 50;

/**
 * Exports by their ids. Dispatches `changed` with the export as its `detail`, and `gone` with the
 * id of one that was deleted.
 *
 * What an event does not tell (settings, sizes, addresses) is there once the export was fetched
 * or came in a list: `whole()` sees to that.
 */
export class Exports extends EventTarget {
  #known = new Map();
  #asking = new Map();

  constructor(live) {
    super();
    live.addEventListener("export", (event) => this.merge(event.detail));
    // Before there was a stream, or while it was away, something may have ended unheard.
    live.addEventListener("ready", () => this.refresh());
  }

  get(id) {
    return this.#known.get(id);
  }

  /** Those that have not ended, oldest first: the order in which they are made. */
  get underWay() {
    return [...this.#known.values()].filter((each) => !ENDED.has(each.status));
  }

  /** Take in what is told of an export, whole or in part. */
  merge(told) {
    const before = this.#known.get(told.id);
    if (before && before.updated_at > told.updated_at) return before;
    const now = { ...before, ...told };
    this.#known.set(told.id, now);
    this.dispatchEvent(new CustomEvent("changed", { detail: now }));
    return now;
  }

  /** An export with everything that the API tells of it, fetched once after it has ended. */
  async whole(id) {
    const known = this.#known.get(id);
    if (known?.config && (!ENDED.has(known.status) || known.completed_at)) return known;
    if (!this.#asking.has(id)) {
      const asking = get(`/exports/${id}`)
        .then((told) => this.merge(told))
        .finally(() => this.#asking.delete(id));
      this.#asking.set(id, asking);
    }
    return this.#asking.get(id);
  }

  forget(id) {
    if (this.#known.delete(id)) this.dispatchEvent(new CustomEvent("gone", { detail: id }));
  }

  /** Ask again for what was under way when it was last heard of. */
  async refresh() {
    const open = new Set(this.underWay.map((each) => each.id));
    for (const told of await this.#listUnderWay()) {
      open.delete(told.id);
      this.merge(told);
    }
    for (const id of open) {
      await get(`/exports/${id}`).then(
        (told) => this.merge(told),
        (problem) => problem.status === 404 && this.forget(id),
      );
    }
  }

  async #listUnderWay() {
    const found = [];
    let cursor = null;
    do {
      const page = await get("/exports", { status: UNDER_WAY, limit: PAGE, cursor });
      found.unshift(...page.exports.reverse());
      cursor = page.next_cursor;
    } while (cursor && found.length < 500);
    return found;
  }
}

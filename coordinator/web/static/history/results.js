// What was found in the history: pages of it, one after the other.

const PAGE = 50;

/**
 * The exports that a filter lets through, newest first. Dispatches `changed` when more of them, or
 * others, are there, and `failed` with the problem as its `detail`.
 */
export class Results extends EventTarget {
  #exports;
  #query = {};
  #cursor; // undefined before the first page
  #loading = null;
  #has = new Set();
  ids = [];
  hasMore = true;

  constructor(exports) {
    super();
    this.#exports = exports;
  }

  get isLoading() {
    return this.#loading !== null;
  }

  /** Begin anew with other filters, as the API takes them. */
  ask(query) {
    this.#loading?.abort();
    this.#loading = null;
    this.#query = query;
    this.#cursor = undefined;
    this.#has.clear();
    this.ids = [];
    this.hasMore = true;
    return this.more();
  }

  /** Fetch the next page, if there is one and none is on its way. */
  async more() {
    if (this.#loading || !this.hasMore) return;
    const loading = new AbortController();
    this.#loading = loading;
    try {
      const query = { ...this.#query, limit: PAGE, cursor: this.#cursor };
      const page = await this.#exports.list(query, loading.signal);
      if (loading !== this.#loading) return;
      this.#cursor = page.next_cursor;
      this.hasMore = page.has_more && page.next_cursor !== null;
      this.#add(page.exports.map((told) => told.id));
      this.#loading = null;
      this.dispatchEvent(new Event("changed"));
    } catch (problem) {
      if (loading !== this.#loading) return;
      this.#loading = null;
      this.dispatchEvent(new CustomEvent("failed", { detail: problem }));
    }
  }

  /** Whether an export would be found, and is newer than what was. */
  isNews(told) {
    if (this.#has.has(told.id) || !told.created_at || this.#cursor === undefined) return false;
    const newest = this.#exports.get(this.ids[0]);
    return !(newest && told.created_at <= newest.created_at) && fits(told, this.#query);
  }

  /** Put new exports on top. */
  putFirst(ids) {
    const fresh = ids.filter((id) => !this.#has.has(id));
    for (const id of fresh) this.#has.add(id);
    this.ids = [...fresh, ...this.ids];
    this.dispatchEvent(new Event("changed"));
  }

  /** Leave out one that was deleted. */
  drop(id) {
    if (!this.#has.delete(id)) return;
    this.ids = this.ids.filter((each) => each !== id);
    this.dispatchEvent(new Event("changed"));
  }

  #add(ids) {
    for (const id of ids) {
      if (this.#has.has(id)) continue;
      this.#has.add(id);
      this.ids.push(id);
    }
  }
}

/** Whether an export is one of those that a query asks for; as the API decides it. */
export function fits(told, query) {
  if (query.status?.length && !query.status.includes(told.status)) return false;
  if (query.composition_id && told.composition_id !== query.composition_id) return false;
  if (query.batch_id && told.batch_id !== query.batch_id) return false;
  if (query.name && !told.name.toLowerCase().includes(query.name.toLowerCase())) return false;
  const made = Date.parse(told.created_at);
  if (query.since && made < Date.parse(query.since)) return false;
  return !(query.until && made >= Date.parse(query.until));
}

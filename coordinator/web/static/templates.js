// The branding templates that there are: built in, and one's own.

import { get, post, put, remove } from "./api.js";

const PAGE = 50;
const MOST = 1000;
const stores = new WeakMap();

/** The templates of whoever is signed in; the same for all views. */
export function templatesOf(context) {
  if (!stores.has(context)) stores.set(context, new Templates());
  return stores.get(context);
}

/** Templates, those that are built in first. Dispatches `changed`. */
class Templates extends EventTarget {
  #all = [];
  #loading = null;

  get all() {
    return this.#all;
  }

  /** The template of that id; undefined where there is none, or it is not known yet. */
  get(id) {
    return this.#all.find((each) => each.id === id);
  }

  /** How long the end card of a draft's template is shown, in seconds; 0 without one. */
  cardLength({ template, branding }) {
    const own = this.get(template)?.branding.endCard;
    const said = branding?.endCard;
    return (said === undefined ? own : said && { ...own, ...said })?.duration ?? 0;
  }

  /** Names of the logos that midifarm brings, as branding names them. */
  get logos() {
    const names = this.#all
      .filter((each) => each.built_in)
      .flatMap(({ branding }) => [branding.watermark?.imageUrl, branding.endCard?.logoUrl]);
    return [...new Set(names.filter(Boolean))];
  }

  /** Fetch all of them, once however often it is asked. */
  load() {
    this.#loading ??= this.#fetch().catch((problem) => {
      this.#loading = null;
      throw problem;
    });
    return this.#loading;
  }

  /**
   * Keep a template: a new one, or a new version of the one with that id.
   *
   * @returns {Promise<object>} The template.
   * @throws {Problem}
   */
  async save(document, id = null) {
    const kept =
      id === null ? await post("/templates", document) : await put(`/templates/${id}`, document);
    this.#replace(id, kept);
    return kept;
  }

  async delete(id) {
    await remove(`/templates/${id}`);
    this.#replace(id, null);
  }

  #replace(id, kept) {
    const others = this.#all.filter((each) => each.id !== id);
    const count = others.filter((each) => each.built_in).length;
    this.#all = kept ? others.toSpliced(count, 0, kept) : others;
    this.dispatchEvent(new Event("changed"));
  }

  async #fetch() {
    const own = [];
    let page;
    do {
      page = await get("/templates", { limit: PAGE, offset: own.length });
      own.push(...page.templates);
    } while (page.has_more && own.length < MOST);
    this.#all = [...page.built_in, ...own];
    this.dispatchEvent(new Event("changed"));
  }
}

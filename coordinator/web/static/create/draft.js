// What is being made: a song, how it looks, and what of it comes out.

import { get, post, put } from "../api.js";
import { settled } from "./settled.js";

const PLACE = "midifarm.draft";
const TAIL_S = 1.5; // what follows the last note, as every style has it

const UNDRESSED = Object.freeze({
  title: "",
  artist: "",
  cover: null,
  background: null,
  background_video: null,
  lyrics: "",
});

/** What a draft has, and what it begins with. */
const NOTHING = Object.freeze({
  midi: null,
  audio: null,
  name: "",
  style: "aurora",
  dressing: UNDRESSED,
  audioOffsetS: 0,
  template: null,
  branding: null,
  range: Object.freeze({ start_s: 0, end_s: null }),
});
const KEPT_FOR_THE_NEXT = ["style", "template", "branding"];

/**
 * The song that is being made into videos. Dispatches `changed`; its `detail` is the set of names
 * of what has changed. What is read from a draft is never changed in place: `change()` replaces it.
 *
 * - `midi`, `audio`: assets of the API, or null
 * - `name`: what the song is called; its videos bear it
 * - `style`: the name of a built-in style; null where the composition has layers of its own
 * - `dressing`: title, artist, cover, background, background_video, lyrics, as the API has them
 * - `audioOffsetS`: song time at which the recording begins
 * - `template`: the id of a branding template, or null
 * - `branding`: watermark and end card, or null; outranks the template field by field
 * - `range`: song time, `start_s` and `end_s`, of the part that becomes a video; an `end_s` of null
 *   is the end of the song
 */
export class Draft extends EventTarget {
  #values = { ...NOTHING };
  #owner;
  /** Where it is kept: replaced with every other song, so that a late answer harms none. */
  #kept = nowhere();
  #loading = null;

  static {
    for (const name of Object.keys(NOTHING)) {
      const read = function () {
        return this.#values[name];
      };
      Object.defineProperty(this.prototype, name, { get: read });
    }
  }

  /** @param {string} owner Who makes it: nobody else goes on with it in this tab. */
  constructor(owner) {
    super();
    this.#owner = owner;
  }

  /** Whether stills and exports can be made of it. */
  get isReady() {
    return this.midi !== null && this.fault === null;
  }

  /** Why nothing can be made of its MIDI file; null where something can, or there is none. */
  get fault() {
    if (this.midi?.status === "rejected") return this.midi.reason;
    if (this.midi?.facts?.notes === 0) return `There are no notes in ${this.midi.name}.`;
    return null;
  }

  /** Length of the whole song with its recording; null until a worker has looked at both. */
  get durationS() {
    const notes_s = this.midi?.facts?.end_s;
    const recording_s = this.audio === null ? 0 : this.audio.facts?.duration_s;
    if (notes_s == null || recording_s == null) return null;
    return Math.max(notes_s + TAIL_S, this.audio === null ? 0 : this.audioOffsetS + recording_s);
  }

  /** Length of the video, without an end card; null until it is known. */
  get videoS() {
    if (this.durationS === null) return null;
    return (this.range.end_s ?? this.durationS) - this.range.start_s;
  }

  /**
   * Change some of it: `change({ style: "neon" })`. Parts of the dressing may be given alone:
   * `change({ dressing: { title: "Nocturne" } })`.
   */
  change(values) {
    const names = new Set();
    for (const [name, value] of Object.entries(values)) {
      const next = name === "dressing" ? { ...this.dressing, ...value } : value;
      if (JSON.stringify(next) === JSON.stringify(this.#values[name])) continue;
      this.#values[name] = next;
      names.add(name);
    }
    if (names.size === 0) return;
    if (this.#isBeyondEnd()) {
      this.#values.range = NOTHING.range;
      names.add("range");
    }
    this.#remember();
    this.dispatchEvent(new CustomEvent("changed", { detail: names }));
  }

  /** Begin with another song, in the same style and with the same branding. */
  clear() {
    this.#kept = nowhere();
    const same = KEPT_FOR_THE_NEXT.map((name) => [name, this[name] ?? NOTHING[name]]);
    this.change({ ...NOTHING, ...Object.fromEntries(same) });
    this.#remember();
  }

  /**
   * Go on with a composition that is kept.
   *
   * @param {object} composition As the API tells of it; its `id` alone suffices.
   * @param {object} [more] `template`, `branding`, `range`.
   */
  async load(composition, more = {}) {
    const before = this.#kept;
    const loading = (this.#loading = {});
    const { id, document } = composition.document
      ? composition
      : await get(`/compositions/${composition.id}`);
    const [midi, audio] = await Promise.all(
      [document.midi, document.audio].map((each) => each && get(`/assets/${each}`)),
    );
    if (loading !== this.#loading || before !== this.#kept) return; // another song has been begun
    const { name, style, soundfont, composition: layers, dressing } = document;
    this.#kept = { ...nowhere(), id, soundfont, layers };
    this.change({
      ...NOTHING,
      midi,
      audio,
      name,
      style: style ?? (layers === null ? NOTHING.style : null),
      dressing,
      audioOffsetS: document.audio_offset_s ?? layers?.audio_offset_s ?? 0,
      ...more,
    });
    this.#kept.text = this.#text();
    this.#remember();
    this.#follow("midi");
    this.#follow("audio");
  }

  /** Go on with what was made in this tab before it was loaded anew, if anything was. */
  async resume() {
    const { owner, id, ...more } = JSON.parse(sessionStorage.getItem(PLACE) ?? "{}");
    if (owner !== this.#owner) sessionStorage.removeItem(PLACE);
    else if (id) await this.load({ id }, more);
  }

  /**
   * Save what has changed since it was last saved, as a new revision.
   *
   * @returns {Promise<string>} The composition's id.
   * @throws {Problem}
   */
  async compositionId() {
    if (!this.isReady) throw new Error("Choose a MIDI file first.");
    const kept = this.#kept;
    while (kept === this.#kept && kept.text !== this.#text()) {
      kept.saving ??= this.#save(kept).finally(() => (kept.saving = null));
      await kept.saving;
    }
    return kept.id;
  }

  async #save(kept) {
    const text = this.#text();
    const document = JSON.parse(text);
    const told =
      (kept.id && (await put(`/compositions/${kept.id}`, document).catch(nullWhereGone))) ??
      (await post("/compositions", document));
    Object.assign(kept, { id: told.id, text });
    this.#remember();
  }

  /** The document as the API takes it. */
  #text() {
    const { midi, audio, name, style, dressing, audioOffsetS } = this.#values;
    return JSON.stringify({
      name: name.trim() || "Untitled",
      midi: midi?.id,
      audio: audio?.id ?? null,
      soundfont: this.#kept.soundfont,
      style,
      composition: style === null ? this.#kept.layers : null,
      dressing,
      audio_offset_s: audioOffsetS,
    });
  }

  /** Whether the part that becomes a video reaches beyond a song that has become shorter. */
  #isBeyondEnd() {
    const { start_s, end_s } = this.range;
    return this.durationS !== null && Math.max(start_s, end_s ?? 0) > this.durationS;
  }

  /** Take in what a worker finds in a file. */
  async #follow(name) {
    const asset = this.#values[name];
    if (asset?.status !== "pending") return;
    const found = await settled(`/assets/${asset.id}`, asset).catch(() => asset);
    if (this.#values[name] === asset) this.change({ [name]: found });
  }

  #remember() {
    const { template, branding, range } = this.#values;
    const kept = { owner: this.#owner, id: this.#kept.id, template, branding, range };
    sessionStorage.setItem(PLACE, JSON.stringify(kept));
  }
}

function nowhere() {
  return { id: null, text: null, saving: null, soundfont: null, layers: null };
}

function nullWhereGone(problem) {
  if (problem.status === 404) return null;
  throw problem;
}

// Stills of a draft: pictures of its video at some time, drawn by a worker.

import { picture, request } from "../api.js";
import { askPreview } from "./previews.js";

/**
 * Has stills made, one at a time: while one is under way, only the newest wish is kept.
 *
 * Dispatches `picture` (`detail`: `{blob, wish}`), `warnings` (`detail`: a list of sentences),
 * `failed` (`detail`: the problem), and `idle` when there is nothing left to wait for.
 */
export class Stills extends EventTarget {
  #draft;
  #wanted = null;
  #controller = null;

  constructor(draft) {
    super();
    this.#draft = draft;
  }

  /** Ask for a still; `wish()` tells what is wanted when its turn comes, see askPreview(). */
  want(wish) {
    this.#wanted = wish;
    if (this.#controller === null) this.#work();
  }

  /** Want nothing any more. */
  stop() {
    this.#wanted = null;
    this.#controller?.abort();
    this.#controller = null;
  }

  async #work() {
    const controller = new AbortController();
    const { signal } = controller;
    this.#controller = controller;
    while (this.#wanted !== null) {
      const wish = this.#wanted;
      this.#wanted = null;
      try {
        await this.#make(wish, signal);
      } catch (problem) {
        if (!signal.aborted) this.#tell("failed", problem);
      }
      if (signal.aborted) return;
    }
    this.#controller = null;
    this.#tell("idle");
  }

  async #make(ask, signal) {
    const { preview, wish } = await askPreview(this.#draft, ask, { image_format: "webp" }, signal);
    const blob = await picture(`/previews/${preview.id}/image`, {}, signal);
    signal.throwIfAborted();
    this.#tell("picture", { blob, wish });
    if (this.#wanted !== null) return; // the playhead moves on
    const { warnings } = await request("GET", `/previews/${preview.id}`, { signal });
    this.#tell("warnings", warnings);
  }

  #tell(name, detail = null) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}

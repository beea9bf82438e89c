// Stills of a draft: pictures of its video at some time, drawn by a worker.

import { picture, request } from "../api.js";

/**
 * Has stills made, one at a time: while one is under way, only the newest wish is kept.
 *
 * Dispatches `picture` (`detail`: `{blob, wish}`), `failed` (`detail`: the problem), and `idle`
 * when there is nothing left to wait for.
 */
export class Stills extends EventTarget {
  #draft;
  #wanted = null;
  #controller = null;

  constructor(draft) {
    super();
    this.#draft = draft;
  }

  /**
   * Ask for a still.
   *
   * @param {() => object} wish Tells, when its turn comes, what is wanted: `preset`, `width`,
   *     `start_s`, `end_s`, `at_s`, and whatever the asker wants to have back.
   */
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
    this.#controller = controller;
    while (this.#wanted !== null && this.#controller === controller) {
      const wish = this.#wanted;
      this.#wanted = null;
      try {
        const made = await this.#make(wish, controller.signal);
        if (this.#controller === controller) this.#tell("picture", made);
      } catch (problem) {
        if (this.#controller === controller) this.#tell("failed", problem);
      }
    }
    if (this.#controller !== controller) return;
    this.#controller = null;
    this.#tell("idle");
  }

  async #make(ask, signal) {
    const composition_id = await this.#draft.compositionId();
    signal.throwIfAborted();
    const wish = ask();
    const { preset, width, start_s, end_s, at_s } = wish;
    const { template, branding } = this.#draft;
    const body = {
      ...{ composition_id, template, branding },
      ...{ preset, width, start_s, end_s, at_s },
      image_format: "webp",
    };
    const { id } = await request("POST", "/previews", { body, signal });
    return { blob: await picture(`/previews/${id}/image`, {}, signal), wish };
  }

  #tell(name, detail = null) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}

// What happens to one's exports, as it happens: one stream of server-sent events for the page.

import { get } from "./api.js";

const PATIENCE_MS = 500;
const LONGEST_MS = 10_000;
const HIDDEN_MS = 60_000;

/**
 * Follows `/v1/events`. Dispatches `export` (its `detail` is how an export stands), `ready` (what
 * follows is live) and `state` (`isLive` has changed).
 *
 * A browser connects again by itself and says what it has seen last; where it gives up, because
 * the server was away or refused, this begins anew after a pause. A page that nobody sees for a
 * minute lets go of its stream: over HTTP/1.1 a browser has six connections for all its tabs.
 */
export class Live extends EventTarget {
  #source = null;
  #timer = 0;
  #isOn = false;
  #wait = PATIENCE_MS;
  #seen = new Map();
  #last = null;
  #sleep = () => this.#onVisibility();
  isLive = false;

  start() {
    this.#isOn = true;
    document.addEventListener("visibilitychange", this.#sleep);
    this.#open();
  }

  stop() {
    this.#isOn = false;
    document.removeEventListener("visibilitychange", this.#sleep);
    this.#close();
  }

  #open() {
    this.#close();
    const resume = this.#last === null ? "" : `?last_event_id=${this.#last}`;
    this.#source = new EventSource(`/v1/events${resume}`);
    this.#source.addEventListener("status", (message) => this.#hear(message));
    this.#source.addEventListener("progress", (message) => this.#hear(message));
    this.#source.addEventListener("ready", () => {
      this.#wait = PATIENCE_MS;
      this.#setLive(true);
      this.dispatchEvent(new Event("ready"));
    });
    this.#source.addEventListener("error", () => this.#fail());
  }

  #close() {
    clearTimeout(this.#timer);
    this.#source?.close();
    this.#source = null;
    this.#setLive(false);
  }

  #hear(message) {
    const told = JSON.parse(message.data);
    const id = Number(message.lastEventId);
    // After a reconnect, what is known may come once more.
    if (id <= (this.#seen.get(told.id) ?? -1)) return;
    this.#seen.set(told.id, id);
    this.#last = message.lastEventId;
    this.dispatchEvent(new CustomEvent("export", { detail: told }));
  }

  async #fail() {
    this.#setLive(false);
    if (this.#source?.readyState !== EventSource.CLOSED) return; // it comes again by itself
    const wait = this.#wait;
    this.#wait = Math.min(LONGEST_MS, 2 * wait);
    this.#timer = setTimeout(async () => {
      try {
        await get("/me"); // tells of a session that is over, which an EventSource cannot
      } catch (problem) {
        if (problem.status === 401) return;
      }
      if (this.#isOn && !document.hidden) this.#open();
    }, wait);
  }

  #onVisibility() {
    if (document.hidden) {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.#close(), HIDDEN_MS);
      return;
    }
    clearTimeout(this.#timer);
    if (this.#source?.readyState !== EventSource.OPEN) this.#open();
  }

  #setLive(isLive) {
    if (this.isLive === isLive) return;
    this.isLive = isLive;
    this.dispatchEvent(new Event("state"));
  }
}

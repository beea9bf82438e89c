// The HTTP API, as the page speaks it: the same that programs use, with the session's cookie.

/** What the API answers where it does not do what was asked (RFC 9457). */
export class Problem extends Error {
  constructor(status, body) {
    super(body.detail || `The server answered ${status}.`);
    this.name = "Problem";
    this.status = status;
    this.code = body.code || "unknown";
    /** @type {{field: string, message: string}[]} */
    this.errors = body.errors || [];
  }
}

/** The nodes that render exports which ask for none. */
export const USUAL_POOL = "default";

/** Hears of it when the session is over. */
export const session = new EventTarget();

const OFFLINE = { code: "offline", detail: "The server does not answer. Is midifarm running?" };
const TRIES = 3;
/** A second is all that the header tells. */
const CLOCK_STEP_MS = 1000;

let aheadMs = 0;

export const get = (path, query) => request("GET", path, { query });
export const post = (path, body) => request("POST", path, { body: body ?? null, once: true });
export const put = (path, body) => request("PUT", path, { body });
export const patch = (path, body) => request("PATCH", path, { body });
export const remove = (path) => request("DELETE", path);

/**
 * Ask the API something.
 *
 * @param {string} method
 * @param {string} path From `/v1` on: `/exports`.
 * @param {object} [options] `query` (lists are repeated, what is null or "" is left out), `body`
 *     (sent as JSON), `once` (created once, however often it must be sent), `signal`.
 * @returns {Promise<object|null>} The answer; null where it is empty.
 * @throws {Problem}
 */
export async function request(method, path, options = {}) {
  const { query, body, once, signal } = options;
  const headers = {};
  if (body != null) headers["Content-Type"] = "application/json";
  if (once) headers["Idempotency-Key"] = crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}`;
  const init = { method, headers, signal, body: body == null ? undefined : JSON.stringify(body) };
  const response = await send(address(path, query), init, once || method !== "POST");
  if (response.status === 204) return null;
  return response.json();
}

/**
 * Something that the API tells as plain text.
 *
 * @returns {Promise<string>}
 * @throws {Problem}
 */
export async function text(path, signal) {
  const response = await send(address(path), { signal }, true);
  return response.text();
}

/** What the server's clock shows, in ms; the one of this machine may be wrong by minutes. */
export const serverNow = () => Date.now() + aheadMs;

/**
 * A picture that the API makes: it answers 202 until the picture is there.
 *
 * @returns {Promise<Blob>}
 * @throws {Problem}
 */
export async function picture(path, query, signal) {
  let response = await send(address(path, query), { signal }, true);
  while (response.status === 202) {
    await pause(Number(response.headers.get("Retry-After") || 1) * 1000, signal);
    response = await send(response.headers.get("Location"), { signal }, true);
  }
  return response.blob();
}

/**
 * Upload a file.
 *
 * @param {Blob} file
 * @param {object} options `kind`, `name`, `onProgress` (told a share of 0 to 1), `signal`.
 * @returns {Promise<object>} The asset.
 * @throws {Problem}
 */
export function upload(file, { kind, name, onProgress, signal } = {}) {
  // fetch() tells nothing of how far an upload is.
  return new Promise((resolve, reject) => {
    const sending = new XMLHttpRequest();
    const fail = (status, body) => reject(told(status, body));
    sending.open("POST", address("/assets", { kind, name: name ?? file.name }));
    sending.responseType = "json";
    sending.setRequestHeader("Content-Type", "application/octet-stream");
    sending.upload.addEventListener("progress", (event) => {
      if (event.lengthComputable) onProgress?.(event.loaded / event.total);
    });
    sending.addEventListener("load", () => {
      if (sending.status < 300) resolve(sending.response);
      else fail(sending.status, sending.response ?? {});
    });
    sending.addEventListener("error", () => fail(0, OFFLINE));
    sending.addEventListener("abort", () => reject(new DOMException("Aborted", "AbortError")));
    signal?.addEventListener("abort", () => sending.abort());
    sending.send(file);
  });
}

/** The address of something below `/v1`. */
export function address(path, query = {}) {
  const wanted = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    for (const each of [value].flat()) {
      if (each != null && each !== "") wanted.append(name, each);
    }
  }
  const tail = wanted.toString();
  return `/v1${path}${tail ? `?${tail}` : ""}`;
}

/** Wait. */
export function pause(ms, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(new DOMException("Aborted", "AbortError"));
    });
  });
}

async function send(url, init, mayRepeat) {
  for (let tries = 1; ; tries += 1) {
    let response;
    try {
      response = await fetch(url, init);
    } catch (error) {
      if (error.name === "AbortError") throw error;
      if (!mayRepeat || tries >= TRIES) throw new Problem(0, OFFLINE);
      await pause(300 * tries, init.signal);
      continue;
    }
    setClock(response.headers.get("Date"));
    if (response.ok) return response;
    const isBusy = response.status === 429 || response.status === 503;
    if (isBusy && mayRepeat && tries < TRIES) {
      await pause(Math.min(5, Number(response.headers.get("Retry-After") || 1)) * 1000, init.signal);
      continue;
    }
    throw told(response.status, await response.json().catch(() => ({})));
  }
}

function setClock(date) {
  const told = Date.parse(date) - Date.now();
  if (Math.abs(told - aheadMs) > CLOCK_STEP_MS) aheadMs = told;
}

function told(status, body) {
  const problem = new Problem(status, body);
  if (status === 401) session.dispatchEvent(new Event("over"));
  return problem;
}

// Signing in: with a token that is typed, or that came in the address behind the #.

import { post } from "./api.js";
import { el, say } from "./elements.js";

const MARK = "#token=";

/** The token in the address, which is taken out of it and out of the browser's history. */
export function tokenFromAddress() {
  if (!location.hash.startsWith(MARK)) return null;
  const token = location.hash.slice(MARK.length);
  history.replaceState(null, "", location.pathname);
  try {
    return decodeURIComponent(token);
  } catch {
    return token; // whatever that is, the server says that it is none
  }
}

/** Have this browser know who it is. */
export function signIn(token) {
  return post("/session", { token });
}

/**
 * The form that asks for a token.
 *
 * @param {{message: string}|null} problem Why it is asked for, if there is more to say.
 * @param {() => Promise<void>} onDone Called once somebody is signed in.
 */
export function signInForm(problem, onDone) {
  const token = el("input", {
    id: "token",
    type: "password",
    required: true,
    autocomplete: "current-password",
    spellcheck: false,
    "aria-describedby": "token-help token-problem",
  });
  const wrong = el("p", { id: "token-problem", class: "wrong", role: "alert" });
  const button = el("button", { class: "primary", type: "submit", text: "Sign in" });
  const submit = async (event) => {
    event.preventDefault();
    button.disabled = true;
    say(wrong, "");
    try {
      await signIn(token.value.trim());
      await onDone();
    } catch (problem) {
      say(wrong, problem.message);
      token.setAttribute("aria-invalid", "true");
      token.focus();
    } finally {
      button.disabled = false;
    }
  };
  say(wrong, problem?.message ?? "");
  return el(
    "form",
    { class: "card sign-in", on: { submit } },
    el("h1", { text: "Sign in" }),
    el("label", { for: "token", text: "Token" }),
    token,
    el("p", {
      id: "token-help",
      class: "hint",
      text: "midifarm serve prints one, and a link that signs you in. A token of your identity provider works, too.",
    }),
    wrong,
    button,
  );
}

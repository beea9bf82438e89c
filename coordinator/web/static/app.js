// Begins here: who is signed in, which view is shown.

import { complain } from "./announce.js";
import { get, remove, session } from "./api.js";
import { createView } from "./create/view.js";
import { attribute, el } from "./elements.js";
import { Exports } from "./exports.js";
import { historyView } from "./history/view.js";
import { icon } from "./icons.js";
import { Live } from "./live.js";
import { signIn, signInForm, tokenFromAddress } from "./sign_in.js";

// A view is made by what `make` is, or what `load` fetches; all may see it, or some scopes.
const VIEWS = [
  { path: "", title: "Create", sign: "music", make: createView },
  { path: "history", title: "History", sign: "film", make: historyView },
  { path: "farm", title: "Farm", sign: "farm", load: farm, scopes: ["operator", "admin"] },
];

const main = document.getElementById("main");
const tabs = document.getElementById("tabs");
const account = document.getElementById("account");

let current = null; // what runs while somebody is signed in

async function begin() {
  let token = null;
  try {
    token = tokenFromAddress();
    if (token !== null) await signIn(token);
    await enter(await get("/me"));
  } catch (problem) {
    if (problem.name !== "Problem") console.error(problem);
    askWho(problem.status === 401 && token === null ? null : problem);
  }
}

/** Musicians need not have what only operators see. */
async function farm() {
  const { farmView } = await import("./farm/view.js");
  return farmView;
}

/** Everything that needs somebody who is signed in. */
async function enter(me) {
  const live = new Live();
  const exports = new Exports(live);
  const allowed = VIEWS.filter((view) => !view.scopes || view.scopes.includes(me.scope));
  const [choices, formats, ...views] = await Promise.all([
    get("/presets"),
    get("/formats"),
    ...allowed.map(async (view) => ({ ...view, make: view.make ?? (await view.load()) })),
  ]);
  /** What every view is made with. */
  const context = { me, live, exports, ...choices, formats, go };
  current = { live, views, context, shown: null, made: new Map() };
  tabs.replaceChildren(...views.map(tabOf));
  account.replaceChildren(liveSign(live), signOutButton(me));
  tabs.hidden = account.hidden = false;
  live.start();
  show();
}

function askWho(problem) {
  const wasIn = current !== null;
  leave();
  // Whoever comes after somebody finds a page that knows nothing of him.
  const onDone = async () => (wasIn ? location.reload() : enter(await get("/me")));
  main.replaceChildren(signInForm(problem, onDone));
  main.querySelector("input").focus();
}

function leave() {
  if (current === null) return;
  const { live, shown } = current;
  current = null; // first: what is closed goes nowhere any more
  live.stop();
  shown?.hide?.();
  tabs.hidden = account.hidden = true;
  for (const dialog of document.querySelectorAll("dialog")) dialog.close();
}

/** Show the view that the address names; views are made when they are first shown, and kept. */
function show() {
  if (current === null) return;
  const [path, ...rest] = whereTo();
  const found = current.views.find((each) => each.path === path);
  const view = found ?? current.views[0];
  if (!current.made.has(view)) current.made.set(view, view.make(current.context));
  const made = current.made.get(view);
  if (current.shown !== made) {
    current.shown?.hide?.();
    main.replaceChildren(made.element);
    window.scrollTo(0, 0);
    current.shown = made;
  }
  made.show?.(found ? rest : []);
  document.title = `${view.title} · midifarm`;
  for (const tab of tabs.children) {
    attribute(tab, "aria-current", tab.dataset.path === view.path ? "page" : null);
  }
}

/** What the address names: the view, and what to open in it. */
function whereTo() {
  try {
    return location.hash.replace(/^#\/?/, "").split("/").map(decodeURIComponent);
  } catch {
    return [""]; // somebody has cut it off in the middle of a character
  }
}

/** Go to a view: `go("history")`, `go("", "cmp_…")`. */
function go(...parts) {
  location.hash = `#/${parts.map(encodeURIComponent).join("/")}`;
}

function tabOf(view) {
  return el(
    "a",
    { href: `#/${view.path}`, data: { path: view.path } },
    icon(view.sign),
    el("span", { text: view.title }),
  );
}

function liveSign(live) {
  const sign = el("span", { class: "live", role: "img" });
  const tell = () => {
    sign.dataset.live = live.isLive;
    sign.setAttribute("aria-label", live.isLive ? "Live" : "Connecting again");
    sign.title = live.isLive ? "Progress is live" : "The connection is gone; trying again";
  };
  live.addEventListener("state", tell);
  tell();
  return sign;
}

function signOutButton(me) {
  const leaveNow = async () => {
    try {
      await remove("/session");
    } catch (problem) {
      if (problem.status !== 401) return complain(problem);
    }
    sessionStorage.clear();
    location.replace(location.pathname); // a page that knows nothing of whoever has left
  };
  return el(
    "button",
    { class: "ghost", type: "button", title: `Signed in as ${me.user_id}`, on: { click: leaveNow } },
    icon("user"),
    el("span", { text: "Sign out" }),
  );
}

session.addEventListener("over", () => {
  if (current !== null) askWho({ message: "Your session is over. Sign in again." });
});
window.addEventListener("hashchange", () => {
  if (location.hash.startsWith("#token=")) location.reload();
  else show();
});
begin();

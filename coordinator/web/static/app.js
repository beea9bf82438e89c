// Begins here: who is signed in, which view is shown.

import { complain } from "./announce.js";
import { get, Problem, remove, session } from "./api.js";
import { createView } from "./create/view.js";
import { attribute, el } from "./elements.js";
import { Exports } from "./exports.js";
import { icon } from "./icons.js";
import { Live } from "./live.js";
import { signIn, signInForm, tokenFromAddress } from "./sign_in.js";

/** What is not shown first is fetched when somebody wants it, or when there is time for it. */
const VIEWS = [
  { path: "create", title: "Create", sign: "music", load: async () => createView },
  {
    path: "history",
    title: "History",
    sign: "film",
    load: async () => (await import("./history/view.js")).historyView,
  },
  {
    path: "farm",
    title: "Farm",
    sign: "farm",
    load: async () => (await import("./farm/view.js")).farmView,
    scopes: ["operator", "admin"],
  },
];
const SPARE_MS = 2000;
const UNFETCHED = { code: "offline", detail: "This view could not be loaded. Load the page again." };

const main = document.getElementById("main");
const tabs = document.getElementById("tabs");
const account = document.getElementById("account");

let current = null; // what runs while somebody is signed in

async function begin() {
  load(viewAt(VIEWS, whereTo()[0])).catch(() => {}); // while it is found out who asks
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

/** Everything that needs somebody who is signed in. */
async function enter(me) {
  const live = new Live();
  const exports = new Exports(live);
  const [choices, formats] = await Promise.all([get("/presets"), get("/formats")]);
  /** What every view is made with. */
  const context = { me, live, exports, ...choices, formats, go };
  const views = VIEWS.filter((view) => !view.scopes || view.scopes.includes(me.scope));
  current = { live, views, context, shown: null, wish: null, made: new Map() };
  tabs.replaceChildren(...views.map(tabOf));
  account.replaceChildren(liveSign(live), signOutButton(me));
  tabs.hidden = account.hidden = false;
  live.start();
  show();
  setTimeout(() => views.forEach((view) => load(view).catch(() => {})), SPARE_MS);
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
async function show() {
  if (current === null) return;
  const [path, ...rest] = whereTo();
  const view = viewAt(current.views, path);
  const wish = (current.wish = { view });
  document.title = `${view.title} · midifarm`;
  for (const tab of tabs.children) {
    attribute(tab, "aria-current", tab.dataset.path === view.path ? "page" : null);
  }
  if (!current.made.has(view)) {
    const make = await load(view).catch(complain);
    if (current?.wish !== wish || !make) return; // something else is wanted by now
    current.made.set(view, make(current.context));
  }
  const made = current.made.get(view);
  if (current.shown !== made) {
    current.shown?.hide?.();
    main.replaceChildren(made.element);
    window.scrollTo(0, 0);
    current.shown = made;
  }
  made.show?.(view.path === path ? rest : []);
}

function load(view) {
  return view.load().catch((error) => {
    console.error(error);
    throw new Problem(0, UNFETCHED);
  });
}

const viewAt = (views, path) => views.find((view) => view.path === path) ?? views[0];

/** What the address names: the view, and what to open in it. */
function whereTo() {
  try {
    return location.hash.replace(/^#\/?/, "").split("/").map(decodeURIComponent);
  } catch {
    return [""]; // somebody has cut it off in the middle of a character
  }
}

/** Go to a view: `go("history")`, `go("create", "cmp_…")`. */
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

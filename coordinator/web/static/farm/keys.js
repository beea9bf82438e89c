// API keys, in a dialog: one's own, and for admins everybody's.

import { announce, complain, toast } from "../announce.js";
import { post, remove, request } from "../api.js";
import { confirm, openDialog } from "../dialog.js";
import { el, say } from "../elements.js";
import { ago, moment } from "../formatting.js";
import { liveTable } from "./table.js";

const PAGE = 50;
const SCOPES = ["user", "operator", "admin"];
const DAY_MS = 86_400_000;
const LIVES = [
  { text: "For ever", days: null },
  { text: "For a day", days: 1 },
  { text: "For 30 days", days: 30 },
  { text: "For a year", days: 365 },
];

/** Show the keys that somebody may see; let him make and revoke some. */
export function openKeys(me) {
  const isAdmin = me.scope === "admin";
  const table = liveTable({
    label: "Keys",
    class: "keys",
    columns: ["Key", "Scope", "Made", "Last used", "Works", ".Revoke"],
    keyOf: (key) => key.id,
    row: (key) => keyRow(key, show),
  });
  const more = el("button", { type: "button", text: "Show more", hidden: true });
  let keys = [];

  async function show({ offset = 0 } = {}) {
    try {
      const query = { everybody: isAdmin || null, limit: PAGE, offset };
      const page = await request("GET", "/keys", { query });
      keys = offset ? [...keys, ...page.keys] : page.keys;
      table.tell(keys);
      more.hidden = !page.has_more;
    } catch (problem) {
      complain(problem);
    }
  }

  more.addEventListener("click", () => show({ offset: keys.length }));
  const body = el("div", { class: "stack" }, makeForm(me, isAdmin, show), table.element, more);
  openDialog(isAdmin ? "Keys of everybody" : "Your keys", body, { class: "wide" });
  show();
}

function makeForm(me, isAdmin, onMade) {
  const name = el("input", { id: "key-name", required: true, maxLength: 200 });
  const user = el("input", { id: "key-user", required: true, maxLength: 200, value: me.user_id });
  const allowed = SCOPES.slice(0, SCOPES.indexOf(me.scope) + 1);
  const scope = el("select", { id: "key-scope" }, allowed.map((text) => el("option", { text })));
  const life = el("select", { id: "key-life" }, LIVES.map(({ text }) => el("option", { text })));
  const wrong = el("p", { class: "wrong", role: "alert" });
  const made = el("div", { class: "notice stack", hidden: true });
  user.disabled = !isAdmin;

  const submit = async (event) => {
    event.preventDefault();
    say(wrong, "");
    const { days } = LIVES[life.selectedIndex];
    const key = {
      name: name.value.trim(),
      user_id: user.value.trim(),
      scope: scope.value,
      expires_at: days && new Date(Date.now() + days * DAY_MS).toISOString(),
    };
    try {
      const { token } = await post("/keys", key);
      made.replaceChildren(...tokenParts(key, token));
      made.hidden = false;
      announce("The key is made; its token is shown once.");
      name.value = "";
      onMade();
    } catch (problem) {
      say(wrong, problem.message);
    }
  };
  const fields = [
    ["What it is for", name],
    ["User", user],
    ["Scope", scope],
    ["Works", life],
  ].map(([text, control]) =>
    el("div", { class: "field" }, el("label", { for: control.id, text }), control),
  );
  const button = el("button", { class: "primary", type: "submit", text: "Make a key" });
  return el("form", { class: "key-form", on: { submit } }, fields, button, wrong, made);
}

function tokenParts({ name, user_id: userId }, token) {
  const shown = el("input", { readOnly: true, value: token, "aria-label": "Token", class: "mono" });
  shown.addEventListener("focus", () => shown.select());
  return [
    el("p", { text: `The token of ${name}, for ${userId}. It is shown this once; copy it now.` }),
    shown,
  ];
}

function keyRow(key, onChange) {
  const name = el(
    "div",
    {},
    el("span", { class: "cut name", text: key.name, title: `${key.name}\n${key.id}` }),
    el("span", { class: "hint cut", text: key.user_id, title: key.user_id }),
  );
  const used = el("span");
  const works = el("span");
  const revoke = el("button", {
    class: "ghost small",
    type: "button",
    text: "Revoke",
    "aria-label": `Revoke ${key.name}, of ${key.user_id}`,
  });
  revoke.addEventListener("click", async () => {
    const text = `Whatever ${key.user_id} does with it stops working within seconds, for ever.`;
    if (!(await confirm(`Revoke ${key.name}?`, text, "Revoke the key"))) return;
    try {
      await remove(`/keys/${key.id}`);
      toast(`${key.name} is revoked.`);
      revoke.closest("[tabindex]").focus(); // the button goes
      onChange();
    } catch (problem) {
      complain(problem);
    }
  });
  const cells = [
    name,
    el("span", { text: key.scope }),
    el("span", { text: ago(key.created_at), title: moment(key.created_at) }),
    used,
    works,
    revoke,
  ];
  const tell = (told) => {
    say(used, told.last_used_at ? ago(told.last_used_at) : "never");
    say(works, validity(told));
    revoke.hidden = told.revoked_at !== null;
  };
  return { cells, tell };
}

function validity({ expires_at: end, revoked_at: revoked }) {
  if (revoked) return `revoked ${ago(revoked)}`;
  if (!end) return "for ever";
  return Date.parse(end) < Date.now() ? `ended ${ago(end)}` : `until ${moment(end)}`;
}

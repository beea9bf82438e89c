// What one user may have at a time, in a dialog.

import { complain, toast } from "../announce.js";
import { get, put, remove } from "../api.js";
import { openDialog } from "../dialog.js";
import { el, say } from "../elements.js";
import { count, size } from "../formatting.js";

const GB = 1e9;
const FIELDS = [
  { name: "running", label: "Work items under way", unit: 1, used: (use) => count(use.running) },
  {
    name: "queued",
    label: "Exports that have not ended",
    unit: 1,
    used: (use) => count(use.exports_queued + use.exports_rendering + use.exports_uploading),
  },
  {
    name: "stored_bytes",
    label: "Uploads and videos in GB",
    unit: GB,
    used: (use) => size(use.asset_bytes + use.video_bytes),
  },
];

/** Show and change the quota of a user. */
export async function openQuota(userId) {
  const path = `/farm/quotas/${encodeURIComponent(userId)}`;
  let use;
  try {
    use = await get(`/farm/users/${encodeURIComponent(userId)}`);
  } catch (problem) {
    return complain(problem);
  }
  const wrong = el("p", { class: "wrong", role: "alert" });
  const inputs = new Map(FIELDS.map((field) => [field, inputOf(field, use)]));

  const act = async (doing, words) => {
    try {
      await doing();
      toast(words);
      dialog.close();
    } catch (problem) {
      say(wrong, problem.message);
    }
  };
  const submit = (event) => {
    event.preventDefault();
    const wanted = {};
    for (const [{ name, unit }, input] of inputs) {
      wanted[name] = input.value === "" ? null : Math.round(Number(input.value) * unit);
    }
    act(() => put(path, wanted), `The quota of ${userId} is set.`);
  };
  const drop = () => act(() => remove(path), `For ${userId} the settings apply.`);

  const rows = [...inputs].map(([field, input]) =>
    el(
      "div",
      { class: "field" },
      el("label", { for: input.id, text: field.label }),
      input,
      el("p", { class: "hint", text: `${field.used(use)} at the moment` }),
    ),
  );
  const own = el("button", {
    type: "button",
    text: "As the settings say",
    hidden: !use.has_own_quota,
    on: { click: drop },
  });
  const form = el(
    "form",
    { class: "stack", on: { submit } },
    el("p", {
      class: "hint",
      text: "What is left empty is as the settings say. What is there stays, even if it is more.",
    }),
    rows,
    wrong,
    el(
      "div",
      { class: "actions" },
      own,
      el("button", { class: "primary", type: "submit", text: "Set the quota" }),
    ),
  );
  const dialog = openDialog(`Quota of ${userId}`, form, { class: "narrow" });
}

function inputOf({ name, unit }, use) {
  const limit = use.quota[name];
  const inForce = limit === null ? "" : String(limit / unit);
  return el("input", {
    id: `quota-${name}`,
    type: "number",
    min: "0",
    step: unit === 1 ? "1" : "any",
    placeholder: use.has_own_quota ? "as the settings say" : inForce || "any number",
    value: use.has_own_quota ? inForce : "",
  });
}

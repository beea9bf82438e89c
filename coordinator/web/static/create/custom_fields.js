// The controls of a form: each has a label, may be locked with a reason, and shows what is wrong.
//
// A field is `{ element, control, show, fail }`: `show(value, told)` sets it, where `told` may have
// `choices` (see fitting.js), `lock` (why it cannot be changed), `least`, `most` and `hint`; `fail`
// shows what is wrong with it, or with "" that nothing is. None of them calls `onChange`.

import { attribute, el, say } from "../elements.js";

let numbers = 0;

const nextId = () => `field-${(numbers += 1)}`;

function framed(label, control, { unit, hint = "", isWide = false } = {}) {
  const id = nextId();
  const told = el("p", { id: `${id}-told`, class: "hint", text: hint });
  const wrong = el("p", { id: `${id}-wrong`, class: "wrong", role: "alert" });
  control.id = id;
  control.setAttribute("aria-describedby", `${told.id} ${wrong.id}`);
  const element = el(
    "div",
    { class: isWide ? "field field-wide" : "field" },
    el("label", { for: id, text: label }),
    unit ? el("span", { class: "field-unit" }, control, el("span", { text: unit })) : control,
    told,
    wrong,
  );
  const fail = (message) => {
    say(wrong, message);
    attribute(control, "aria-invalid", message ? "true" : null);
  };
  const tell = (text) => {
    say(told, text);
    told.hidden = text === "";
  };
  tell(hint);
  control.addEventListener("input", () => fail("")); // it was said of what stood there before
  return { element, control, fail, tell };
}

/** The first control of a form that somebody must mend; null where there is none. */
export function firstInvalid(form) {
  const invalid = [...form.querySelectorAll("input:invalid:enabled")];
  return invalid.find((input) => input.closest("[hidden]") === null) ?? null;
}

/** A line of text. */
export function textField(label, onChange, { hint, longest, placeholder = "", isWide } = {}) {
  const input = el("input", { type: "text", maxLength: longest ?? 200, placeholder });
  const field = framed(label, input, { hint, isWide });
  input.addEventListener("input", () => onChange(input.value));
  const show = (value) => {
    if (input.value !== (value ?? "")) input.value = value ?? "";
  };
  return { ...field, show };
}

/**
 * A number; empty means null where that `mayBeEmpty`.
 *
 * @param {string} label
 * @param {(value: number|null) => void} onChange Called once somebody has finished typing.
 * @param {object} [options] `unit`, `hint`, `least`, `most`, `step`, `mayBeEmpty`, `placeholder`.
 */
export function numberField(label, onChange, options = {}) {
  const { unit, hint = "", mayBeEmpty = false, placeholder = "" } = options;
  const limits = { least: options.least ?? 0, most: options.most ?? 1_000_000 };
  const input = el("input", {
    type: "number",
    inputMode: "decimal",
    step: options.step ?? "any",
    min: limits.least,
    max: limits.most,
    required: !mayBeEmpty,
    placeholder,
  });
  const field = framed(label, input, { unit, hint });
  const judge = (message) => {
    field.fail(message);
    input.setCustomValidity(message);
  };
  input.addEventListener("change", () => {
    if (input.value === "" && mayBeEmpty && !input.validity.badInput) return onChange(null);
    const value = input.valueAsNumber;
    if (Number.isNaN(value) || value < limits.least || value > limits.most) {
      return judge(`Write a number from ${limits.least} to ${limits.most}.`);
    }
    judge("");
    return onChange(value);
  });
  const show = (value, told = {}) => {
    limits.least = told.least ?? limits.least;
    limits.most = told.most ?? limits.most;
    input.min = limits.least;
    input.max = limits.most;
    const text = value == null ? "" : String(value);
    if (input.value !== text) {
      input.value = text;
      judge("");
    }
    input.disabled = Boolean(told.lock);
    field.tell(told.lock ?? told.hint ?? hint);
  };
  return { ...field, show };
}

/**
 * One of several, in a list that opens. What is impossible says why.
 *
 * @param {string} label
 * @param {(value: any) => void} onChange
 * @param {object} [options] `hint`; `none` is what null is called, where it may be chosen.
 */
export function listField(label, onChange, { hint = "", none } = {}) {
  const select = el("select");
  const field = framed(label, select, { hint });
  let values = [];
  let shown = "";
  select.addEventListener("change", () => onChange(values[select.selectedIndex]));
  const show = (value, told = {}) => {
    const first = none ? [{ value: null, title: none, reason: null }] : [];
    const choices = [...first, ...told.choices];
    values = choices.map((each) => each.value);
    const text = JSON.stringify(choices);
    if (text !== shown) {
      shown = text;
      select.replaceChildren(
        ...choices.map(({ title, reason }) =>
          el("option", { text: reason ? `${title} (${reason})` : title, disabled: reason }),
        ),
      );
    }
    select.selectedIndex = values.indexOf(value ?? null);
    select.disabled = Boolean(told.lock);
    field.tell(told.lock ?? told.hint ?? hint);
  };
  return { ...field, show };
}

/** Yes or no. */
export function switchField(label, onChange, { hint = "", isWide = false } = {}) {
  const id = nextId();
  const input = el("input", { id, type: "checkbox", "aria-describedby": `${id}-told` });
  const told = el("p", { id: `${id}-told`, class: "hint", text: hint });
  const wrong = el("p", { class: "wrong", role: "alert" });
  const element = el(
    "div",
    { class: isWide ? "field field-wide" : "field" },
    el("label", { class: "check", for: id }, input, label),
    told,
    wrong,
  );
  input.addEventListener("change", () => onChange(input.checked));
  const show = (value, { lock } = {}) => {
    input.checked = Boolean(value);
    input.disabled = Boolean(lock);
    say(told, lock ?? hint);
    told.hidden = told.textContent === "";
  };
  return { element, control: input, show, fail: (message) => say(wrong, message) };
}

/**
 * One of a few, all in sight. Those that are impossible are dim, and the reasons stand below.
 *
 * @param {string} label
 * @param {(value: any) => void} onChange
 * @param {object} [options] `hint`.
 */
export function chipsField(label, onChange, { hint = "" } = {}) {
  const name = nextId();
  const row = el("div", { class: "chips" });
  const told = el("p", { id: `${name}-told`, class: "hint" });
  const wrong = el("p", { class: "wrong", role: "alert" });
  const element = el(
    "fieldset",
    { class: "field field-wide", "aria-describedby": told.id },
    el("legend", { text: label }),
    row,
    told,
    wrong,
  );
  const inputs = new Map();
  const show = (value, { choices, hint: now = hint, lock }) => {
    for (const [index, { value: each, title }] of choices.entries()) {
      if (inputs.has(each)) continue;
      const input = el("input", { type: "radio", name, value: String(each) });
      input.addEventListener("change", () => onChange(each));
      inputs.set(each, input);
      row.insertBefore(el("label", { class: "chip" }, input, title), row.children[index] ?? null);
    }
    for (const { value: each, reason } of choices) {
      const input = inputs.get(each);
      input.checked = each === value;
      input.disabled = Boolean(reason ?? lock);
    }
    say(told, [now, lock, ...reasons(choices)].filter(Boolean).join(" "));
    told.hidden = told.textContent === "";
  };
  return {
    element,
    get control() {
      return row.querySelector("input:checked") ?? row.querySelector("input");
    },
    show,
    fail: (message) => say(wrong, message),
  };
}

/** Why some are impossible, those with the same reason together. */
function reasons(choices) {
  const titles = new Map();
  for (const { title, reason } of choices) {
    if (reason) titles.set(reason, [...(titles.get(reason) ?? []), title]);
  }
  return [...titles].map(([reason, each]) => `Not ${each.join(", ")}: ${reason}.`);
}

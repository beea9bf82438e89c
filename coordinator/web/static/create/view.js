import { el } from "../elements.js";

/** The view Create. */
export function createView(context) {
  const element = el("section", {}, el("h1", { text: "Create" }));
  return { element, show() {}, hide() {} };
}

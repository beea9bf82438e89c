import { el } from "../elements.js";

/** The view History. */
export function historyView(context) {
  const element = el("section", {}, el("h1", { text: "History" }));
  return { element, show() {}, hide() {} };
}

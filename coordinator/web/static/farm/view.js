import { el } from "../elements.js";

/** The view Farm. */
export function farmView(context) {
  const element = el("section", {}, el("h1", { text: "Farm" }));
  return { element, show() {}, hide() {} };
}

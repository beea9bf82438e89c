import { request } from "../api.js";
import { el } from "../elements.js";
import { auditPanel } from "./audit.js";
import { exportsPanel } from "./exports_panel.js";
import { failuresPanel } from "./failures.js";
import { nodesPanel } from "./nodes.js";
import { poll } from "./poll.js";
import { stateLine } from "./state_line.js";
import { throughputPanel } from "./throughput.js";
import { usersPanel } from "./users.js";

const EVERY_MS = 1500;
/** Pools come and go as nodes do; their queues are figures beside. */
const POOLS_MS = 3000;
const SELDOM_MS = 12_000;

/**
 * The view Farm, for operators: how the farm stands, what every slot does, what waits, what fails.
 * It asks for itself, and only while it is shown.
 */
export function farmView({ me }) {
  const state = stateLine(me, () => farm.now());
  const nodes = nodesPanel(() => farm.now());
  const exports = exportsPanel();
  const users = usersPanel(exports.choose);
  const throughput = throughputPanel();
  const failures = failuresPanel();
  const audit = auditPanel();

  const ask = (path) => (signal) => request("GET", path, { signal });
  const farm = poll(ask("/farm"), EVERY_MS, {
    heard(told) {
      state.tell(told);
      nodes.tell(told);
      users.tell(told);
    },
    failed: state.failed,
  });
  const asked = [
    farm,
    exports,
    poll(ask("/farm/pools"), POOLS_MS, { heard: nodes.tellPools, failed() {} }),
    poll(throughput.ask, SELDOM_MS, {
      heard: throughput.tell,
      failed: throughput.failed,
    }),
    poll(ask("/farm/failures?minutes=60"), SELDOM_MS, {
      heard: failures.tell,
      failed: failures.failed,
    }),
    audit,
  ];

  const element = el(
    "div",
    { class: "farm" },
    el("h1", { class: "unseen", text: "Farm" }),
    state.element,
    throughput.element,
    users.element,
    nodes.element,
    failures.element,
    exports.element,
    audit.element,
  );
  return {
    element,
    show() {
      for (const each of asked) each.start();
    },
    hide() {
      for (const each of [...asked, state, throughput, failures]) each.stop();
    },
  };
}

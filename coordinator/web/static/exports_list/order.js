// Which exports are shown under way, in what order, and what stands together.

const IN_NUMBERS = new Intl.Collator(undefined, { numeric: true });

/**
 * Arrange exports: what is being made comes first, then what waits, in the order in which it is
 * made; a batch stands together, where its first export is.
 *
 * @param {object[]} exports
 * @param {(told: object) => boolean} isWaiting Whether one stands among those that wait.
 * @param {number} most How many are shown.
 * @returns {{batchId: string|null, exports: object[]}[]} Batches, and single exports.
 */
export function arrange(exports, isWaiting, most) {
  const keyed = exports.map((told) => ({
    told,
    waits: isWaiting(told) ? 1 : 0,
    priority: told.priority ?? 0,
    at: told.created_at ?? told.updated_at,
  }));
  keyed.sort(compare);
  const groups = [];
  const batches = new Map();
  for (const { told } of keyed.slice(0, most)) {
    let group = batches.get(told.batch_id);
    if (!group) {
      group = { batchId: told.batch_id ?? null, exports: [] };
      groups.push(group);
      if (told.batch_id) batches.set(told.batch_id, group);
    }
    group.exports.push(told);
  }
  return groups;
}

function compare(one, other) {
  if (one.waits !== other.waits) return one.waits - other.waits;
  if (one.waits && one.priority !== other.priority) return other.priority - one.priority;
  if (one.at !== other.at) return one.at < other.at ? -1 : 1;
  return (
    IN_NUMBERS.compare(one.told.name, other.told.name) || (one.told.id < other.told.id ? -1 : 1)
  );
}

/** Have an element hold these children in this order, moving no more than must be. */
export function place(parent, children) {
  let next = parent.firstElementChild;
  for (const child of children) {
    if (child === next) next = next.nextElementSibling;
    else parent.insertBefore(child, next);
  }
  while (next) {
    const gone = next;
    next = next.nextElementSibling;
    gone.remove();
  }
}

"""What is told of each pool. Operators name them; those beyond the first fifty are one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Final

from prometheus_client import CollectorRegistry, Gauge

from coordinator.database.standing import Standing

WAITING: Final = ("ready", "resting", "limited", "held")
"""Why work items wait."""
MOST_POOLS: Final = 50
OTHERS: Final = "other"
"""What pools beyond these are called together."""


class PoolMetrics:
    """How the queue and the slots of each pool stand."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Nothing is known yet."""
        self._items = Gauge(
            "midifarm_pool_queue_items",
            "Work items that wait, by the pool whose nodes may do them.",
            ("pool", "state"),
            registry=registry,
        )
        self._oldest = Gauge(
            "midifarm_pool_queue_oldest_seconds",
            "For how long the oldest work item of a pool has been ready to begin; 0 where none is.",
            ("pool",),
            registry=registry,
        )
        self._slots = Gauge(
            "midifarm_pool_slots",
            "Room for one work item each on the nodes of a pool; a node that serves several counts "
            "in each.",
            ("pool", "state"),
            registry=registry,
        )
        self._labels: set[str] = set()

    def clear(self) -> None:
        """Somebody else tells of it from now on."""
        for told in (self._items, self._oldest, self._slots):
            told.clear()
        self._labels.clear()

    def note_queue(self, standing: Standing) -> None:
        """What waits in each pool, and for how long."""
        items, oldest_s = Counter[tuple[str, str]](), dict[str, float]()
        for (pool, state), count in standing.pool_items.items():
            items[self._label(pool), state] += count
        for pool, since_s in standing.pool_oldest_s.items():
            label = self._label(pool)
            oldest_s[label] = max(since_s, oldest_s.get(label, 0.0))
        for label in self._labels:
            for state in WAITING:
                self._items.labels(label, state).set(items[label, state])
            self._oldest.labels(label).set(oldest_s.get(label, 0.0))

    def note_slots(self, slots: Mapping[str, int], busy: Mapping[str, int]) -> None:
        """How many slots the nodes of each pool have, and how many of them are taken."""
        room, taken = Counter[str](), Counter[str]()
        for pool, count in slots.items():
            label = self._label(pool)
            room[label] += count
            taken[label] += min(count, busy.get(pool, 0))
        for label in self._labels:
            self._slots.labels(label, "busy").set(taken[label])
            self._slots.labels(label, "free").set(room[label] - taken[label])

    def _label(self, pool: str) -> str:
        """What a pool is called: the first come by their names, as long as this process leads."""
        is_known = pool in self._labels or len(self._labels) < MOST_POOLS
        label = pool if is_known else OTHERS
        self._labels.add(label)
        return label

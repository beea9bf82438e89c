"""Which node does a work item. Pure.

Work goes to the faster nodes first, and between nodes that are about as fast where most is free: so
they share the load, and none of them that fails takes much with it. Only where every slot that
could do it is taken is a node given a little more than it has slots for: then the next item waits
beside the slot that it will have.
"""

from __future__ import annotations

import hashlib
import heapq
import math
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final
from uuid import UUID

from coordinator.ports import Node
from shared.pools import DEFAULT_POOL

ANY: Final = ""
"""The pool of what any node may do: probes and previews."""
DEFAULT: Final = DEFAULT_POOL
"""The pool of nodes and exports of which nothing else was said."""

_Rank = tuple[int, int, int]
"""Items beyond its slots, how slow it is, and its free slots, which count downwards."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """What a work item needs of a node."""

    pool: str = ANY
    """A pool that the node serves."""
    engine: UUID | None = None
    """The engine that its export was planned for, as engine_id() has it; None for any."""


@cache
def engine_id(engine: str) -> UUID:
    """The short name of an engine, which work items carry (``md5(engine)::uuid``)."""
    return UUID(hashlib.md5(engine.encode(), usedforsecurity=False).hexdigest())


class Places:
    """The slots of the nodes that take work, and what they are at."""

    def __init__(
        self,
        nodes: Iterable[Node],
        *,
        busy: Mapping[str, int] | None = None,
        closed: Collection[str] = (),
        margin: int = 0,
        slowness: Mapping[str, float] | None = None,
    ) -> None:
        """Know the nodes.

        Args:
            nodes: As the cluster has them.
            busy: Items that take up slots, or wait for one, by node.
            closed: Ids of nodes that get nothing.
            margin: Items that a node may be given beyond its slots.
            slowness: How much longer than usual chunks take on nodes; 1 where it is not known.
        """
        self._nodes = {node.id: node for node in nodes if takes_work(node, closed)}
        self._engines = {
            node.id: engine_id(node.engine) for node in self._nodes.values() if node.engine
        }
        self._busy = Counter({node: (busy or {}).get(node, 0) for node in self._nodes})
        self._margin = margin
        self._slowness = slowness or {}
        self._able: dict[Need, _Able] = {}

    @property
    def slots(self) -> int:
        """Of all nodes that take work."""
        return sum(node.slots for node in self._nodes.values())

    @property
    def pools(self) -> dict[str, int]:
        """Slots by pool; a node that serves several counts in each."""
        found: Counter[str] = Counter()
        for node in self._nodes.values():
            found.update(dict.fromkeys(node.pools, node.slots))
        return dict(found)

    @property
    def engines(self) -> dict[str, dict[str, int]]:
        """Slots by engine, for each pool."""
        found: defaultdict[str, Counter[str]] = defaultdict(Counter)
        for node in self._nodes.values():
            for pool in node.pools:
                if node.engine is not None:
                    found[pool][node.engine] += node.slots
        return {pool: dict(counts) for pool, counts in found.items()}

    def engine_of(self, pool: str) -> str | None:
        """The engine for new exports of a pool: that of most slots; None where there is none."""
        counts = self.engines.get(pool, {})
        return max(counts, key=lambda engine: (counts[engine], engine), default=None)

    def room(self, pool: str) -> int:
        """How much more can be put on the nodes of a pool."""
        return sum(self._room(node) for node in self._nodes if self._serves(node, pool))

    def engines_with_room(self, pool: str) -> list[UUID]:
        """The engines of those nodes of a pool that something can be put on."""
        return sorted(
            {
                engine
                for node, engine in self._engines.items()
                if self._serves(node, pool) and self._room(node) > 0
            }
        )

    def place(self, need: Need, avoid: Collection[str] = ()) -> str | None:
        """Put an item on a node: its id, or None where none has room.

        Args:
            need: What the item needs.
            avoid: Ids of nodes to keep away from, as long as there are others, be they busy.
        """
        node = self.find(need, avoid)
        if node is not None:
            self._busy[node] += 1
        return node

    def find(self, need: Need, avoid: Collection[str] = ()) -> str | None:
        """The node that place() would put an item on."""
        able = self._able.get(need)
        if able is None:
            able = self._able[need] = _Able(
                {node: self._rank(node, need) for node in self._nodes if self._can(node, need)}
            )
        best = able.best(lambda node: self._rank(node, need), avoid)
        return best if best is not None and self._room(best) > 0 else None

    def beside(self, under_way: Mapping[str, int], avoid: Collection[str] = ()) -> str | None:
        """A node for what takes up no slot: the one with the fewest of these; None without nodes.

        Args:
            under_way: How many of these each node is at.
            avoid: Ids of nodes to keep away from, as long as there are others.
        """
        able = [node for node in self._nodes if node not in avoid] or list(self._nodes)
        return min(
            able, key=lambda node: (under_way.get(node, 0), -self._free(node), node), default=None
        )

    def is_free(self, node: str) -> bool:
        """Whether a node has a free slot."""
        return self._free(node) > 0

    def has_waiting(self, need: Need) -> bool:
        """Whether something waits beside the slots of a node that could do an item."""
        return any(self._free(node) < 0 for node in self._nodes if self._can(node, need))

    def slowness(self, node: str, need: Need) -> float:
        """How much longer than usual an item takes on a node."""
        # Nodes are compared by what one engine draws; other work takes no engine.
        return 1.0 if need.engine is None else self._slowness.get(node, 1.0)

    def _rank(self, node: str, need: Need) -> _Rank:
        """The lowest is given work first; as a node gets work, its rank only rises."""
        free = self._free(node)
        # In steps, since nodes that differ by little do so by chance.
        pace = round(math.log2(self.slowness(node, need)))
        return max(0, 1 - free), pace, -free

    def _free(self, node: str) -> int:
        return self._nodes[node].slots - self._busy[node]

    def _room(self, node: str) -> int:
        return max(0, self._free(node) + self._margin)

    def _serves(self, node: str, pool: str) -> bool:
        return pool == ANY or pool in self._nodes[node].pools

    def _can(self, node: str, need: Need) -> bool:
        return self._serves(node, need.pool) and need.engine in (None, self._engines.get(node))


class _Able:
    """The nodes that could do the same: a heap, for on a large farm there are many of them.

    Their ranks only ever rise. So whoever stands too high is found out when his turn comes.
    """

    def __init__(self, ranks: Mapping[str, _Rank]) -> None:
        self._nodes = ranks.keys()
        self._heap = [(rank, _Last(node)) for node, rank in ranks.items()]
        heapq.heapify(self._heap)

    def best(self, rank_of: Callable[[str], _Rank], avoid: Collection[str]) -> str | None:
        """The node of the lowest rank, the last by its name of those that are alike.

        Args:
            rank_of: The rank of a node by now.
            avoid: Nodes to keep away from, as long as there are others.
        """
        avoided = {node for node in avoid if node in self._nodes}
        if len(avoided) == len(self._nodes):
            avoided = set()
        aside = []
        best = None
        while best is None and self._heap:
            rank, node = self._heap[0]
            if rank != rank_of(node):
                heapq.heapreplace(self._heap, (rank_of(node), node))
            elif node in avoided:
                aside.append(heapq.heappop(self._heap))
            else:
                best = str(node)
        for each in aside:
            heapq.heappush(self._heap, each)
        return best


class _Last(str):
    """A name of which the last comes first."""

    __slots__ = ()

    def __lt__(self, other: str) -> bool:
        return str.__gt__(self, other)


def takes_work(node: Node, closed: Collection[str] = ()) -> bool:
    """Whether a node takes work at all."""
    return (
        node.alive
        and node.slots > 0
        and node.kept_out is None
        and not node.is_leaving
        and node.id not in closed
    )

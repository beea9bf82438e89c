"""Which work item comes next. Pure.

Probes and previews come before everything else, then the higher priority. Between equals the user
comes first who has the fewest items under way, then the one who was served longest ago; a user's
own items come in the order in which they were accepted. Who has as much under way as he may have
waits, whatever his priority; probes and previews, which are short, neither wait for that nor count.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, MutableMapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

from coordinator.placing import ANY, Need

ANY_NUMBER: Final = 2**31 - 1
"""Of who has no quota."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A work item that waits for a slot."""

    id: int
    """Of the item."""
    kind: str
    """What is to be done."""
    user_id: str
    """Whose it is."""
    export_id: str | None
    """What it is part of; None for a probe or a preview."""
    asset_id: str | None
    """What is probed."""
    rank: int
    """0 before everything else, 1."""
    priority: int
    """Higher is earlier."""
    queued_at: datetime
    """When its export was accepted."""
    position: int
    """Its place in its export."""
    chunk_index: int | None
    """Which chunk."""
    content_key: str | None
    """What determines its result."""
    found_key: str | None
    """An object that holds this result already."""
    pool: str = ANY
    """The nodes that may do it."""
    engine: UUID | None = None
    """The engine that it takes, by placing.engine_id(); None for any."""
    preview_id: str | None = None
    """What somebody waits to see."""
    waited_s: float = 0.0
    """For how long it could have begun."""

    @property
    def need(self) -> Need:
        """What it needs of a node."""
        return Need(pool=self.pool, engine=self.engine)


@dataclass(frozen=True, slots=True, kw_only=True)
class Most:
    """How many work items users may have under way at a time."""

    default: int | None = None
    """Of who has no quota of his own; None for any number."""
    own: Mapping[str, int] = field(default_factory=dict)
    """Of who has one."""

    def left(self, user_id: str | None, count: int) -> int:
        """How many more a user may have who has so many; None is who has no quota of his own."""
        most = self.default if user_id is None else self.own.get(user_id, self.default)
        return ANY_NUMBER if most is None else max(0, most - count)


@dataclass(frozen=True, slots=True, kw_only=True)
class Turns:
    """What decides whose turn it is."""

    running: Mapping[str, int] = field(default_factory=dict)
    """Items under way by user."""
    counted: Mapping[str, int] = field(default_factory=dict)
    """Of these, those that count towards what a user may have."""
    served: MutableMapping[str, int] = field(default_factory=dict)
    """By user, a number that is greater the later the user was served; kept up to date."""
    most: Most = field(default_factory=Most)
    """What users may have."""

    @property
    def known(self) -> set[str]:
        """Users of whom there is anything to say."""
        return {*self.running, *self.served, *self.most.own}

    def room_of(self, user_id: str | None) -> int:
        """How much more a user may have under way; None is one who is not known."""
        return self.most.left(user_id, self.counted.get(user_id or "", 0))


_OwnOrder = tuple[int, int, datetime, str, int, int]
_Turn = tuple[int, int, int, int, _OwnOrder, str]
Placed = tuple[Waiting, str]
"""An item, and the node that is to do it."""


def choose(
    waiting: Iterable[Waiting], place: Callable[[Waiting], str | None], turns: Turns
) -> list[Placed]:
    """The items to begin now, in their order, each with its node.

    Args:
        waiting: Of each pool, the first items in the user's own order of at least the first users
            by their first items: as many of both as its nodes have room for.
        place: Puts an item on a node that has room for it; None where none has.
        turns: Whose turn it is.
    """
    queues: dict[str, list[Waiting]] = {}
    for item in waiting:
        queues.setdefault(item.user_id, []).append(item)
    for queue in queues.values():
        queue.sort(key=_own_order, reverse=True)
    busy, taken = Counter(turns.running), Counter(turns.counted)
    last = max(turns.served.values(), default=0)

    def turn(user: str) -> _Turn:
        first = queues[user][-1]
        served = turns.served.get(user, 0)
        return *_urgency(first), busy[user], served, _own_order(first), user

    # Only who had his turn has another one to wait for.
    heap = [turn(user) for user in queues]
    heapq.heapify(heap)
    chosen: list[Placed] = []
    contents: set[str] = set()
    while heap:
        user = heapq.heappop(heap)[-1]
        item = queues[user].pop()
        counts = item.rank > 0
        if counts and not turns.most.left(user, taken[user]):
            continue  # what does not count came before
        # Otherwise the same is being made, and will be found.
        is_new = item.content_key is None or item.content_key not in contents
        # Where none has room, its user's next may need another pool.
        node = place(item) if is_new else None
        if node is not None:
            if item.content_key is not None:
                contents.add(item.content_key)
            chosen.append((item, node))
            busy[user] += 1
            taken[user] += counts
            last += 1
            turns.served.pop(user, None)  # who was served last stands last
            turns.served[user] = last
        if queues[user]:
            heapq.heappush(heap, turn(user))
    return chosen


def _urgency(item: Waiting) -> tuple[int, int]:
    return item.rank, -item.priority


def _own_order(item: Waiting) -> _OwnOrder:
    return *_urgency(item), item.queued_at, item.export_id or "", item.position, item.id

"""Which work item comes next. Pure.

Probes and previews come before everything else, then the higher priority. Between equals the user
comes first who has the fewest items under way, then the one who was served longest ago; a user's
own items come in the order in which they were accepted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, MutableMapping
from dataclasses import dataclass
from datetime import datetime


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
    preview_id: str | None = None
    """What somebody waits to see."""


def choose(
    waiting: Iterable[Waiting],
    room: int,
    *,
    running: Mapping[str, int],
    served: MutableMapping[str, int],
) -> list[Waiting]:
    """The items to begin now, in their order.

    Args:
        waiting: Of each user at least the first ``room`` items in the user's own order.
        room: How many can begin.
        running: Items under way by user.
        served: By user, a number that is greater the later the user was served; kept up to date.
    """
    queues: dict[str, list[Waiting]] = {}
    for item in waiting:
        queues.setdefault(item.user_id, []).append(item)
    for queue in queues.values():
        queue.sort(key=_own_order, reverse=True)
    busy = Counter(running)
    chosen: list[Waiting] = []
    contents: set[str] = set()
    while queues and len(chosen) < room:
        user = min(
            queues,
            key=lambda user: (
                *_urgency(queues[user][-1]),
                busy[user],
                served.get(user, 0),
                _own_order(queues[user][-1]),
            ),
        )
        item = queues[user].pop()
        if not queues[user]:
            del queues[user]
        if item.content_key is not None and item.content_key in contents:
            continue  # the same is being made: it will be found
        if item.content_key is not None:
            contents.add(item.content_key)
        chosen.append(item)
        busy[user] += 1
        served[user] = max(served.values(), default=0) + 1
    return chosen


def _urgency(item: Waiting) -> tuple[int, int]:
    return item.rank, -item.priority


def _own_order(item: Waiting) -> tuple[int, int, datetime, str, int, int]:
    return *_urgency(item), item.queued_at, item.export_id or "", item.position, item.id

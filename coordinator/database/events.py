"""Events: what clients are told of exports. They are written by the schema's tell_export().

The ids of one export's events rise in the order of its changes. Across exports, a transaction that
began earlier may commit later, so that an event turns up below one that has been read already.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final, Literal

from coordinator.database.connection import Connection, Queries, Row
from shared.states import ExportStatus

_QUERIES: Final = Queries("events")
_FIELDS: Final = ("id", "export_id", "user_id", "batch_id", "passing", "data")

CHANNEL: Final = "midifarm_events"
"""PostgreSQL notifies it of every event when that is committed."""


@dataclass(frozen=True, slots=True)
class Topic:
    """What somebody watches: one export, one batch, or everything of one user's."""

    kind: Literal["export", "batch", "user"]
    """Which of them."""
    id: str
    """Its id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that clients are told of an export."""

    id: int
    """Rises in the order of an export's changes."""
    export_id: str
    """Which export."""
    user_id: str
    """Whose it is."""
    batch_id: str | None
    """What it was submitted with."""
    passing: bool
    """Not a change of status or stage: dropped after a while."""
    ended: bool
    """Whether nothing more happens to the export by itself."""
    data: str
    """How the export stands, as JSON."""


async def events_by_ids(connection: Connection, ids: Collection[int]) -> list[Event]:
    """Events in the order of their ids; those that are gone are left out."""
    return [_event(row) for row in await _QUERIES.all(connection, "events_by_ids", ids=list(ids))]


async def export_events_after(
    connection: Connection, export_id: str, after: int, *, limit: int
) -> list[Event]:
    """What was told of an export after the event ``after``, in order."""
    rows = await _QUERIES.all(
        connection, "export_events_after", of=export_id, after=after, limit=limit
    )
    return [_event(row) for row in rows]


async def latest_event(connection: Connection, export_id: str) -> Event | None:
    """What was told of an export last; None where nothing was."""
    row = await _QUERIES.one(connection, "latest_event", of=export_id)
    return None if row is None else _event(row)


async def latest_id(connection: Connection, topic: Topic) -> int:
    """The last event of a batch or a user; 0 where there is none."""
    return await _id(connection, f"{topic.kind}_latest_id", of=topic.id)


async def events_under_way(connection: Connection, topic: Topic, *, limit: int) -> list[Event]:
    """The latest event of each export of a batch or a user that is being made."""
    rows = await _QUERIES.all(connection, f"{topic.kind}_under_way", of=topic.id, limit=limit)
    return [_event(row) for row in rows]


async def settled_id(connection: Connection, topic: Topic, position: int) -> int:
    """Up to which event nothing can have turned up after the event ``position`` was read."""
    return await _id(connection, f"{topic.kind}_settled_id", of=topic.id, position=position)


async def events_after(
    connection: Connection, topic: Topic, after: int, *, position: int, limit: int
) -> list[Event]:
    """What was told of a batch or a user after the event ``after``, in order.

    Up to the event ``position`` only changes of state.
    """
    rows = await _QUERIES.all(
        connection,
        f"{topic.kind}_events_after",
        of=topic.id,
        after=after,
        position=position,
        limit=limit,
    )
    return [_event(row) for row in rows]


async def _id(connection: Connection, query: str, **values: Any) -> int:
    row = await _QUERIES.one(connection, query, **values)
    return 0 if row is None else int(row["id"])


def _event(row: Row) -> Event:
    facts: dict[str, Any] = {name: row[name] for name in _FIELDS}
    return Event(ended=ExportStatus(row["status"]).ended, **facts)

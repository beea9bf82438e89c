"""Events: what clients are told of exports. They are written by the schema's tell_export()."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final

from coordinator.database.connection import Connection, Queries, Row
from shared.states import ExportStatus

_QUERIES: Final = Queries("events")

CHANNEL: Final = "midifarm_events"
"""PostgreSQL notifies it of every event when that is committed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that clients are told of an export."""

    id: int
    """Rises in the order of an export's changes."""
    export_id: str
    """Which export."""
    passing: bool
    """Not a change of status or stage: dropped after a while."""
    ended: bool
    """Whether nothing more happens to the export by itself."""
    data: str
    """How the export stands, as JSON."""


async def events_by_ids(connection: Connection, ids: Collection[int]) -> list[Event]:
    """Events in the order of their ids; those that are gone are left out."""
    return [_event(row) for row in await _QUERIES.all(connection, "events_by_ids", ids=list(ids))]


async def events_after(
    connection: Connection, export_id: str, after: int, *, limit: int
) -> list[Event]:
    """What was told of an export after the event ``after``, in order."""
    rows = await _QUERIES.all(
        connection, "events_after", export_id=export_id, after=after, limit=limit
    )
    return [_event(row) for row in rows]


async def latest_event(connection: Connection, export_id: str) -> Event | None:
    """What was told of an export last; None where nothing was."""
    row = await _QUERIES.one(connection, "latest_event", export_id=export_id)
    return None if row is None else _event(row)


def _event(row: Row) -> Event:
    facts: dict[str, Any] = {name: row[name] for name in ("id", "export_id", "passing", "data")}
    return Event(ended=ExportStatus(row["status"]).ended, **facts)

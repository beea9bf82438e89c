"""Whether a dispatcher is at work."""

from __future__ import annotations

from typing import Final

from coordinator.database.connection import Connection, Queries
from coordinator.waiting import SILENT_S

_QUERIES: Final = Queries("readiness")


async def dispatcher_fault(connection: Connection) -> str | None:
    """What is wrong with the dispatcher, as a sentence; None if it is at work."""
    row = await _QUERIES.one(connection, "dispatcher")
    if row is None or row["silent_s"] is None:
        return "No dispatcher has been started yet; exports wait for one."
    if row["silent_s"] > SILENT_S:
        return (
            f"The dispatcher was last heard of {row['silent_s']:.0f} s ago; exports wait for one."
        )
    return None

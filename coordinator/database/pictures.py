"""Finding pictures: previews that were asked for before, and what is finished of an export."""

from __future__ import annotations

from typing import Final

from coordinator.database import previews
from coordinator.database.connection import Connection, Queries, Row
from shared.preview import PreviewSpec

_QUERIES: Final = Queries("pictures")


async def find_or_create(connection: Connection, user_id: str, spec: PreviewSpec) -> Row:
    """The preview of that content key, which a worker is asked for if nobody has done so.

    Raises:
        ConflictError: The user waits for too many already.
    """
    row = await _QUERIES.one(connection, "find_preview", user_id=user_id, key=spec.key)
    if row is None:
        row = await previews.create_preview(connection, user_id, spec)
    return row


async def latest_segment(connection: Connection, export_id: str) -> str | None:
    """Object key of the segment of an export that was finished last; None before the first."""
    row = await _QUERIES.one(connection, "latest_segment", id=export_id)
    return None if row is None else str(row["key"])

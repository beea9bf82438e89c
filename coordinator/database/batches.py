"""Batches: exports that were submitted together, and how they stand as a whole."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from coordinator.database.connection import Connection, Queries, Row
from coordinator.database.exports import new_id
from shared.errors import NotFoundError
from shared.states import ExportStatus

_QUERIES: Final = Queries("batches")


async def create_batch(connection: Connection, user_id: str, name: str) -> str:
    """Note that exports are submitted together; the batch's id."""
    batch_id = new_id("bat")
    await _QUERIES.execute(connection, "insert_batch", id=batch_id, user_id=user_id, name=name)
    return batch_id


async def batch_state(connection: Connection, user_id: str, batch_id: str) -> Row:
    """How a batch of a user's stands: see batch_states().

    Raises:
        NotFoundError: There is none, or it is somebody else's.
    """
    found = await batch_states(connection, user_id, [batch_id])
    if not found:
        raise NotFoundError(f"There is no batch {batch_id[:60]}.", batch=batch_id[:60])
    return found[0]


async def batch_states(
    connection: Connection, user_id: str, batch_ids: Sequence[str]
) -> Sequence[Row]:
    """How batches of a user's stand, in the given order; those that there are not are left out.

    Returns:
        Each with ``id``, ``name``, ``created_at``, ``total``, ``counts`` (exports by status, every
        status), ``progress`` (0 … 1), ``ended`` (whether nothing more happens by itself) and
        ``updated_at`` (when it stood so).
    """
    rows = await _QUERIES.all(connection, "states", user_id=user_id, ids=list(batch_ids))
    found = {row["id"]: _state(row) for row in rows}
    return [found[each] for each in batch_ids if each in found]


def _state(row: Row) -> Row:
    counts = {str(status): int(row["counts"].get(status, 0)) for status in ExportStatus}
    ended = sum(counts[status] for status in ExportStatus if status.ended)
    return {
        **{name: row[name] for name in ("id", "name", "created_at", "updated_at", "total")},
        "counts": counts,
        "progress": (ended + row["under_way"]) / row["total"] if row["total"] else 1.0,
        "ended": ended == row["total"],
    }


async def list_batches(
    connection: Connection,
    user_id: str,
    *,
    limit: int,
    offset: int = 0,
    before: tuple[datetime, str] | None = None,
) -> Sequence[Row]:
    """A page of a user's batches, newest first: ``id``, ``name`` and ``created_at``."""
    before_at, before_id = before or (None, None)
    return await _QUERIES.all(
        connection,
        "list_batches",
        user_id=user_id,
        before_at=before_at,
        before_id=before_id,
        limit=limit,
        offset=offset,
    )


async def list_results(
    connection: Connection,
    user_id: str,
    batch_id: str,
    *,
    limit: int,
    after: tuple[datetime, str] | None = None,
) -> Sequence[Row]:
    """What came of the exports of a batch, in the order of the request, after one of them."""
    after_at, after_id = after or (None, None)
    return await _QUERIES.all(
        connection,
        "results",
        plan_anew=True,
        user_id=user_id,
        batch_id=batch_id,
        after_at=after_at,
        after_id=after_id,
        limit=limit,
    )

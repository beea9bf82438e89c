"""What came of attempts: what was done lately, what failed, and what workers said of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from coordinator.database.connection import Connection, Queries, Row
from shared.errors import NotFoundError

_QUERIES: Final = Queries("outcomes")


async def list_throughput(connection: Connection, *, minutes: int) -> Sequence[Row]:
    """What was done in each of the last minutes, oldest first, the one that is going on last."""
    return await _QUERIES.all(connection, "list_throughput", minutes=minutes)


async def list_failures(connection: Connection, *, minutes: int, limit: int) -> Sequence[Row]:
    """The attempts that failed or were lost in the last minutes, newest first."""
    return await _QUERIES.all(connection, "list_failures", minutes=minutes, limit=limit)


async def count_by_node(connection: Connection, *, minutes: int) -> Sequence[Row]:
    """How attempts ended in the last minutes on each node, also on nodes that are gone."""
    return await _QUERIES.all(connection, "count_by_node", minutes=minutes)


async def get_log(connection: Connection, attempt_id: int) -> str | None:
    """The last words that the table has of an attempt that failed; None where there are none.

    Raises:
        NotFoundError: There is no such attempt; it may have been forgotten with its work item.
    """
    row = await _QUERIES.one(connection, "get_log", id=attempt_id)
    if row is None:
        raise NotFoundError(f"There is no attempt {attempt_id}; it may have been forgotten.")
    log: str | None = row["log"]
    return log

"""Pools: which there are, and what waits and runs in each. The dispatcher writes them down."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

from coordinator.database.connection import Connection, Queries, Row

_QUERIES: Final = Queries("pools")

_REMEMBERED_S: Final = 7 * 86_400.0
"""A pool that was served so short a while ago is one still: its nodes may come and go."""


async def served_pools(connection: Connection) -> dict[str, int]:
    """Slots of the pools that nodes serve; 0 of those that they have served within a week."""
    rows = await _QUERIES.all(connection, "served_pools", within_s=_REMEMBERED_S)
    return {row["name"]: row["slots"] for row in rows}


async def count_demand(
    connection: Connection, *, quota_running: int | None, most: int
) -> list[tuple[str, int]]:
    """What could run at once: pools, some of them twice, and how many work items each has.

    Args:
        connection: Any.
        quota_running: Items under way at a time of a user who has no quota of his own.
        most: Of what waits in a pool, no more is counted.
    """
    rows = await _QUERIES.all(connection, "demand", quota_running=quota_running, most=most)
    return [(row["pool"], row["count"]) for row in rows]


async def list_pools(
    connection: Connection, *, declared: Collection[str], limit: int
) -> Sequence[Row]:
    """Pools by their names, with their nodes, their slots, and what waits and runs.

    Args:
        connection: Any.
        declared: Those that count although no node may have served them yet.
        limit: How many at most.
    """
    return await _QUERIES.all(
        connection,
        "list_pools",
        within_s=_REMEMBERED_S,
        declared=sorted(declared),
        limit=limit,
    )

"""Work items as the dispatcher sees them: what waits, and what is under way."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final
from uuid import UUID

from coordinator.database.connection import Connection, Queries, Row
from coordinator.dispatcher.choosing import Turns, Waiting

_QUERIES: Final = Queries("work")


async def list_waiting(
    connection: Connection,
    *,
    pool: str,
    engines: Collection[UUID],
    limit: int,
    turns: Turns | None = None,
) -> list[Waiting]:
    """What can begin now in a pool, but for previews, as far as choose() may choose it.

    Args:
        connection: Inside a transaction.
        pool: Which; "" has what any node may do.
        engines: Of its nodes that have room.
        limit: How many can begin: as many items of each of as many users.
        turns: Whose turn it is; everybody's without it.
    """
    turns = turns or Turns()
    users = list(turns.known)
    rows = await _QUERIES.all(
        connection,
        "waiting",
        pool=pool,
        engines=list(engines),
        limit=limit,
        users=users,
        busy=[turns.running.get(user, 0) for user in users],
        served=[turns.served.get(user, 0) for user in users],
        rooms=[turns.room_of(user) for user in users],
        others_room=turns.room_of(None),
    )
    return [Waiting(**row) for row in rows]


async def list_previews(connection: Connection) -> list[Waiting]:
    """Previews that can begin now, those first that are waited for longest."""
    return [Waiting(**row) for row in await _QUERIES.all(connection, "waiting_previews")]


async def get_spec(connection: Connection, item_id: int) -> Any:
    """What the worker of an item is told; None for a chunk, or where it is forgotten."""
    row = await _QUERIES.one(connection, "item_spec", id=item_id)
    return row and row["spec"]


async def get_plan(connection: Connection, export_id: str) -> Row | None:
    """What an export's plan is made from, and the plan if there is one already."""
    return await _QUERIES.one(connection, "export_plan", id=export_id)


async def exports_under_way(connection: Connection, ids: Collection[str]) -> dict[str, Row]:
    """How far exports are, by their ids."""
    rows = await _QUERIES.all(connection, "exports_under_way", ids=list(ids))
    return {row["id"]: row for row in rows}


async def wanted_attempts(connection: Connection, ids: Collection[int]) -> dict[int, bool]:
    """Those of the attempts whose result is still wanted; whether each one's export is paused."""
    rows = await _QUERIES.all(connection, "wanted_attempts", ids=list(ids))
    return {row["id"]: row["held"] for row in rows}

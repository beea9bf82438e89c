"""Work items as the dispatcher sees them: what waits, and what is under way."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final

from coordinator.database.connection import Connection, Queries, Row
from coordinator.dispatcher.choosing import Waiting

_QUERIES: Final = Queries("work")


async def list_waiting(connection: Connection, *, limit: int) -> list[Waiting]:
    """The first ``limit`` items of each user that can begin now, but for previews."""
    rows = await _QUERIES.all(connection, "waiting", limit=limit)
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


async def wanted_attempts(connection: Connection, ids: Collection[int]) -> set[int]:
    """Those of the attempts whose result is still wanted."""
    rows = await _QUERIES.all(connection, "wanted_attempts", ids=list(ids))
    return {row["id"] for row in rows}

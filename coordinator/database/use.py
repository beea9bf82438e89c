"""What the farm's work took: slot-seconds, frames and bytes, by whom and for what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

from coordinator.database.connection import Connection, Queries, Row

_QUERIES: Final = Queries("use")

By = Literal["day", "export", "batch", "user", "pool", "kind"]
"""What use is added up by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Whose use is asked for, and of when."""

    user_id: str | None = None
    """Of a user; None for everybody."""
    export_id: str | None = None
    """For an export alone."""
    batch_id: str | None = None
    """For a batch alone."""
    first_day: date = date.min
    """Of attempts that ended on this day or later, in UTC."""
    last_day: date = date.max
    """Of those that ended on this day or before."""


async def list_use(
    connection: Connection,
    scope: Scope,
    by: By | None,
    prices: Mapping[str, float],
    *,
    limit: int = 1,
    offset: int = 0,
) -> Sequence[Row]:
    """What work took, the one with the most before; days in their order.

    Args:
        connection: Any.
        scope: Whose, and when.
        by: What it is added up by; None for all of it together, in one row if there is any.
        prices: Of an hour of a slot, by pool.
        limit: How many at most.
        offset: How many to leave out from the beginning.
    """
    return await _QUERIES.all(
        connection,
        "list_use",
        plan_anew=True,
        by=by or "all",
        pools=list(prices),
        prices=list(prices.values()),
        user_id=scope.user_id,
        export_id=scope.export_id,
        batch_id=scope.batch_id,
        first_day=scope.first_day,
        last_day=scope.last_day,
        limit=limit,
        offset=offset,
    )


async def add_found(connection: Connection, export_id: str, frames: int) -> None:
    """Note that frames of an export were found and not drawn."""
    await _QUERIES.execute(connection, "add_found", id=export_id, frames=frames)


async def slot_seconds(connection: Connection) -> dict[tuple[date, str], float]:
    """What attempts of today took, and of yesterday just after, by day and what it was spent on."""
    rows = await _QUERIES.all(connection, "slot_seconds")
    return {(row["day"], row["spent_on"]): row["slot_s"] for row in rows}


async def drop_old(connection: Connection, keep_s: float) -> int:
    """Forget what was used long ago; how many rows that were."""
    return await _QUERIES.execute(connection, "drop_old", keep_s=keep_s)

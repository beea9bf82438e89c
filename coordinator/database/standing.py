"""How the farm stands, in numbers: what its leader counts now and then for its metrics."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from coordinator.database.connection import Connection, Queries, Row
from shared.pools import DEFAULT_POOL

_QUERIES: Final = Queries("standing")

_SETTLE_S: Final = 5.0
"""What has ended is counted after so long, when whoever ended it has told."""
_UNDER_WAY: Final = ("queued", "rendering", "uploading")


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How exports and the queue stand at a moment."""

    exports: Mapping[str, int]
    """Those that have not ended, by status."""
    items: Mapping[tuple[str, str], int]
    """Work items that wait, by kind and by why they do."""
    oldest_s: Mapping[str, float]
    """By kind, for how long the oldest item has been ready to begin."""
    pool_items: Mapping[tuple[str, str], int]
    """The same items by pool and by why they wait; those that any node may do are in the default
    pool."""
    pool_oldest_s: Mapping[str, float]
    """By pool, for how long the oldest item has been ready to begin."""
    users: Mapping[str, int]
    """How many have something ``waiting`` or ``running``."""
    largest_share: Mapping[str, float]
    """Of what is waiting or running, what the user with the most of it has."""
    stored_bytes: Mapping[str, int]
    """Of ``uploads`` and ``videos``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """What has ended in a stretch of time."""

    until: datetime
    """Where the stretch ends, and the next one begins."""
    exports: Mapping[str, int]
    """By status."""
    chunks: int
    """Of them that were done."""
    chunks_found: int
    """Of these, those that stood in the store already."""


async def count_standing(connection: Connection, *, quota_running: int | None) -> Standing:
    """How exports and the queue stand.

    Args:
        connection: Any.
        quota_running: Items under way at a time of a user who has no quota of his own.
    """
    exports = await _QUERIES.all(connection, "exports")
    queue = await _QUERIES.all(connection, "queue", quota_running=quota_running)
    users = await _QUERIES.all(connection, "users")
    stored = await _QUERIES.one(connection, "stored_bytes")
    assert stored is not None  # noqa: S101  # it sums
    kinds = [row for row in queue if row["kind"] is not None]
    pools = [(row["pool"] or DEFAULT_POOL, row) for row in queue if row["kind"] is None]
    pool_items, pool_oldest_s = Counter[tuple[str, str]](), dict[str, float]()
    for pool, row in pools:
        pool_items[pool, row["state"]] += row["count"]
        if row["state"] == "ready":
            pool_oldest_s[pool] = max(row["oldest_s"], pool_oldest_s.get(pool, 0.0))
    return Standing(
        exports=dict.fromkeys(_UNDER_WAY, 0) | {row["status"]: row["count"] for row in exports},
        items={(row["kind"], row["state"]): row["count"] for row in kinds},
        pool_items=pool_items,
        pool_oldest_s=pool_oldest_s,
        oldest_s={row["kind"]: row["oldest_s"] for row in kinds if row["state"] == "ready"},
        users={row["state"]: row["users"] for row in users},
        largest_share={row["state"]: row["most"] / max(1, row["items"]) for row in users},
        stored_bytes=stored,
    )


async def settled_until(connection: Connection) -> datetime:
    """Until when it is known what has ended."""
    row = await _QUERIES.one(connection, "settled", settle_s=_SETTLE_S)
    assert row is not None  # noqa: S101  # it has the time
    at: datetime = row["at"]
    return at


async def count_ended(connection: Connection, since: datetime) -> Ended:
    """What has ended since a time that settled_until() or the last count gave."""
    until = await settled_until(connection)
    rows = await _QUERIES.all(connection, "ended", since=since, until=until)
    return Ended(
        until=until,
        exports={row["status"]: row["count"] for row in rows},
        chunks=sum(row["chunks"] for row in rows),
        chunks_found=sum(row["chunks_found"] for row in rows),
    )


async def list_ended(connection: Connection, since: datetime, until: datetime) -> list[Row]:
    """Exports that have ended in such a stretch of time."""
    return await _QUERIES.all(connection, "list_ended", since=since, until=until)

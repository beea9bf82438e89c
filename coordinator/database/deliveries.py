"""Deliveries: what webhooks are told. The schema's deliver_ends() writes them as exports end."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from coordinator.database.connection import Connection, Queries, Row
from coordinator.database.exports import new_id
from coordinator.database.storable import storable
from shared.errors import ConflictError, NotFoundError

_QUERIES: Final = Queries("deliveries")

CHANNEL: Final = "midifarm_deliveries"
"""PostgreSQL notifies it when there is something to deliver."""


async def claim(
    connection: Connection, *, room: int, each: int, per_user: int, lease_s: float
) -> list[Row]:
    """Take the next deliveries, for as long as the lease lasts.

    Args:
        connection: Inside a transaction.
        room: How many at most.
        each: How many may be under way at one webhook.
        per_user: How many may be under way for one user.
        lease_s: After so many seconds somebody else may take them.

    Returns:
        Each with its message, the address and the secrets of its webhook, how often it was tried
        in vain and how long ago it was queued.
    """
    await _QUERIES.execute(connection, "lock_claims")
    return await _QUERIES.all(
        connection, "claim", room=room, each=each, per_user=per_user, lease_s=lease_s
    )


async def next_due_s(connection: Connection) -> float | None:
    """Seconds until the next delivery that is not due yet; None where there is none."""
    row = await _QUERIES.one(connection, "next_due")
    return None if row is None else row["wait_s"]


async def end_try(
    connection: Connection,
    delivery_id: str,
    *,
    lease: datetime,
    status: str,
    wait_s: float,
    took_s: float,
    http_status: int | None,
    error: str | None,
) -> bool:
    """Note what came of a try, in the log and for what follows.

    Args:
        connection: Inside a transaction.
        delivery_id: Of what.
        lease: Until when it was claimed; with another one it is somebody else's by now.
        status: ``delivered``, ``failed`` (given up), or ``pending``: it is tried again.
        wait_s: When that is.
        took_s: How long the try took.
        http_status: What the receiver answered, if anything.
        error: Why it does not count as delivered.

    Returns:
        False where the lease had ended, or nobody wants to know any more.
    """
    noted = await _QUERIES.execute(
        connection,
        "end_try",
        id=delivery_id,
        lease=lease,
        status=status,
        wait_s=wait_s,
        took_s=took_s,
        http_status=http_status,
        error=storable(error),
    )
    return bool(noted)


async def release(connection: Connection, held: Mapping[str, datetime]) -> None:
    """Give back deliveries, each with its lease, that are not finished; others may go on."""
    await _QUERIES.execute(connection, "release", ids=list(held.keys()), leases=list(held.values()))


async def ping(connection: Connection, webhook: Row) -> Row:
    """Have a webhook told something to try itself with.

    Raises:
        ConflictError: It is disabled.
    """
    _refuse_disabled(webhook)
    row = await _QUERIES.one(
        connection,
        "insert_ping",
        id=new_id("dlv"),
        webhook_id=webhook["id"],
        user_id=webhook["user_id"],
    )
    assert row is not None  # noqa: S101  # inserted above
    return row


async def get_delivery(connection: Connection, webhook_id: str, delivery_id: str) -> Row:
    """A delivery to a webhook, whoever's that is.

    Raises:
        NotFoundError: There is none, or it was dropped long after its end.
    """
    row = await _QUERIES.one(connection, "get_delivery", id=delivery_id, webhook_id=webhook_id)
    if row is None:
        raise NotFoundError(f"There is no delivery {delivery_id[:60]} to this webhook.")
    return row


async def list_deliveries(
    connection: Connection,
    webhook_id: str,
    *,
    status: str | None,
    export_id: str | None,
    limit: int,
    offset: int,
) -> Sequence[Row]:
    """A page of what was, or is to be, told to a webhook, the newest first."""
    return await _QUERIES.all(
        connection,
        "list_deliveries",
        webhook_id=webhook_id,
        status=status,
        export_id=storable(export_id),
        limit=limit,
        offset=offset,
    )


async def tries_of(connection: Connection, ids: Sequence[str]) -> Mapping[str, Sequence[Row]]:
    """What came of the tries of some deliveries, by their ids."""
    found = defaultdict[str, list[Row]](list)
    for row in await _QUERIES.all(connection, "tries_of", ids=list(ids)):
        found[row["delivery_id"]].append(row)
    return found


async def redeliver(connection: Connection, webhook: Row, delivery_id: str) -> Row:
    """Tell a webhook once more, as if it were the first time; one that is being told is left alone.

    Raises:
        ConflictError: The webhook is disabled.
        NotFoundError: There is no such delivery to it.
    """
    _refuse_disabled(webhook)
    await _QUERIES.execute(connection, "requeue", id=delivery_id, webhook_id=webhook["id"])
    return await get_delivery(connection, webhook["id"], delivery_id)


async def cancel_deliveries(connection: Connection, webhook_id: str) -> None:
    """Have a webhook told nothing more of what waits for it."""
    await _QUERIES.execute(connection, "cancel_deliveries", webhook_id=webhook_id)


def _refuse_disabled(webhook: Row) -> None:
    if not webhook["is_enabled"]:
        raise ConflictError("The webhook is disabled; enable it first.")

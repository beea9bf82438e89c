"""Quotas: what each user may have, and whether he may have more.

The decisions are coordinator.quotas'.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from coordinator.database.connection import Connection, Queries, Row
from coordinator.quotas import QuotaLimits, check_bytes, check_exports
from shared.errors import NotFoundError

_QUERIES: Final = Queries("quotas")


async def admit_exports(
    connection: Connection, user_id: str, count: int, defaults: QuotaLimits
) -> None:
    """See that a user may queue exports; call it in the transaction that makes them, before.

    Two requests of one user come one after the other from here on, until the transaction ends,
    so that both together cannot have more than one might.

    Args:
        connection: Inside that transaction.
        user_id: Whose they will be.
        count: How many.
        defaults: For who has no quota of his own.

    Raises:
        QuotaError: There would be too many, or he has no room to store what they make.
    """
    await _QUERIES.execute(connection, "lock_user", user_id=user_id)
    row = await _QUERIES.one(connection, "count_unfinished", user_id=user_id)
    assert row is not None  # noqa: S101  # it counts
    limits = defaults.with_own(row)
    check_exports(limits, row["count"], count)
    if limits.stored_bytes is not None:
        check_bytes(limits, await _stored_bytes(connection, user_id), 0)


async def admit_bytes(
    connection: Connection, user_id: str, size_bytes: int, defaults: QuotaLimits
) -> None:
    """See that a user may store a file; call it in the transaction that notes it, before.

    Args:
        connection: Inside that transaction; see admit_exports() for the rest.
        user_id: Whose it will be.
        size_bytes: Its length.
        defaults: For who has no quota of his own.

    Raises:
        QuotaError: There is no room for it.
    """
    await _QUERIES.execute(connection, "lock_user", user_id=user_id)
    limits = defaults.with_own(await find_quota(connection, user_id))
    if limits.stored_bytes is not None:
        check_bytes(limits, await _stored_bytes(connection, user_id), size_bytes)


async def find_quota(connection: Connection, user_id: str) -> Row | None:
    """What was said for one user; None where that is nothing."""
    return await _QUERIES.one(connection, "get_quota", user_id=user_id)


async def list_quotas(connection: Connection, *, limit: int, offset: int) -> Sequence[Row]:
    """A page of what was said for users, in the order of their names."""
    return await _QUERIES.all(connection, "list_quotas", limit=limit, offset=offset)


async def set_quota(connection: Connection, user_id: str, limits: QuotaLimits) -> Row:
    """Say what a user may have; None is what the settings say."""
    row = await _QUERIES.one(connection, "set_quota", user_id=user_id, **limits.model_dump())
    assert row is not None  # noqa: S101  # inserted or changed
    return row


async def drop_quota(connection: Connection, user_id: str) -> None:
    """Let a user have what the settings say.

    Raises:
        NotFoundError: He has it already.
    """
    if not await _QUERIES.execute(connection, "drop_quota", user_id=user_id):
        raise NotFoundError(f"There is no quota for {user_id[:60]}; the settings apply.")


async def running_limits(connection: Connection) -> dict[str, int]:
    """How many work items may be under way, of users for whom that was said."""
    rows = await _QUERIES.all(connection, "running_limits")
    return {row["user_id"]: row["running"] for row in rows}


async def _stored_bytes(connection: Connection, user_id: str) -> int:
    row = await _QUERIES.one(connection, "stored_bytes", user_id=user_id)
    return int(row["bytes"]) if row else 0

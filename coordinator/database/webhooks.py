"""Webhooks: where users want to be told how exports and batches end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import urlsplit

from coordinator.database import deliveries
from coordinator.database.connection import Connection, Queries, Row
from coordinator.database.exports import new_id
from coordinator.signing import new_secret
from shared.errors import ConflictError, NotFoundError

_QUERIES: Final = Queries("webhooks")


async def create_webhook(
    connection: Connection,
    user_id: str,
    *,
    name: str | None,
    url: str,
    events: Sequence[str],
    secret: str | None,
    most: int,
) -> Row:
    """Keep a new webhook.

    Args:
        connection: Inside a transaction.
        user_id: Whose it is.
        name: What a person calls it; its host without it.
        url: Its address, which may be reached.
        events: What it is told of; of everything if it is empty.
        secret: What deliveries are signed with; a new one without it.
        most: How many one user may keep.

    Raises:
        ConflictError: The user keeps so many already.
    """
    await _QUERIES.execute(connection, "lock_webhooks", user_id=user_id)
    kept = await _QUERIES.one(connection, "count_webhooks", user_id=user_id)
    if kept is not None and kept["count"] >= most:
        raise ConflictError(f"You keep {kept['count']} webhooks; {most} is the most. Delete one.")
    row = await _QUERIES.one(
        connection,
        "insert_webhook",
        id=new_id("whk"),
        user_id=user_id,
        name=name or _host(url),
        url=url,
        secret=secret or new_secret(),
        events=list(events),
    )
    assert row is not None  # noqa: S101  # inserted above
    return row


async def of_export(connection: Connection, user_id: str, url: str, secret: str) -> str:
    """The webhook that exports of a user's name by its address and its secret.

    Args:
        connection: Inside a transaction.
        user_id: Whose exports they are.
        url: Its address, which may be reached.
        secret: What deliveries are signed with.

    Returns:
        Its id; the same for the same address and secret.
    """
    named = {"user_id": user_id, "url": url, "secret": secret}
    while True:
        row = await _QUERIES.one(connection, "webhook_of_exports", **named)
        if row is None:
            row = await _QUERIES.one(
                connection,
                "insert_webhook_of_exports",
                id=new_id("whk"),
                name=_host(url),
                **named,
            )
        if row is not None:
            return str(row["id"])
        # Somebody else made it between the two queries: it is found now.


async def get_webhook(connection: Connection, user_id: str, webhook_id: str) -> Row:
    """A webhook of a user's.

    Raises:
        NotFoundError: There is none, or it is somebody else's.
    """
    return await _found(connection, "get_webhook", user_id, webhook_id)


async def list_webhooks(
    connection: Connection, user_id: str, *, is_general: bool, limit: int, offset: int
) -> Sequence[Row]:
    """A page of a user's webhooks, the newest first: the general ones, or those of exports."""
    return await _QUERIES.all(
        connection,
        "list_webhooks",
        user_id=user_id,
        is_general=is_general,
        limit=limit,
        offset=offset,
    )


async def change_webhook(
    connection: Connection, user_id: str, webhook_id: str, **changes: Any
) -> Row:
    """Change a webhook; disabling it cancels what waits for it.

    Args:
        connection: Inside a transaction.
        user_id: Whose it must be.
        webhook_id: Which.
        changes: New values of ``name``, ``url``, ``events`` and ``is_enabled``.

    Raises:
        NotFoundError: There is none, or it is somebody else's.
        ConflictError: Exports name it by the address that is to change.
    """
    row = await _found(connection, "lock_webhook", user_id, webhook_id)
    if not row["is_general"] and changes.get("url", row["url"]) != row["url"]:
        raise ConflictError("Exports name this webhook by its address, so it keeps it.")
    values = {name: row[name] for name in ("name", "url", "events", "is_enabled")} | changes
    changed = await _QUERIES.one(connection, "change_webhook", id=webhook_id, **values)
    assert changed is not None  # noqa: S101  # locked above
    if not changed["is_enabled"]:
        await deliveries.cancel_deliveries(connection, webhook_id)
    return changed


async def rotate_webhook(
    connection: Connection, user_id: str, webhook_id: str, *, keep_s: float
) -> Row:
    """Give a webhook a new secret; the old one signs beside it for ``keep_s`` seconds.

    Raises:
        NotFoundError: There is none, or it is somebody else's.
        ConflictError: Exports name it by its secret.
    """
    row = await _found(connection, "lock_webhook", user_id, webhook_id)
    if not row["is_general"]:
        raise ConflictError("Exports name this webhook by its secret: name another there.")
    rotated = await _QUERIES.one(
        connection, "rotate_webhook", id=webhook_id, secret=new_secret(), keep_s=keep_s
    )
    assert rotated is not None  # noqa: S101  # locked above
    return rotated


async def delete_webhook(connection: Connection, user_id: str, webhook_id: str) -> None:
    """Delete a webhook with its deliveries; exports that name it tell nobody.

    Raises:
        NotFoundError: There is none, or it is somebody else's.
    """
    if not await _QUERIES.execute(connection, "delete_webhook", id=webhook_id, user_id=user_id):
        raise _none(webhook_id)


async def _found(connection: Connection, query: str, user_id: str, webhook_id: str) -> Row:
    row = await _QUERIES.one(connection, query, id=webhook_id, user_id=user_id)
    if row is None:
        raise _none(webhook_id)
    return row


def _none(webhook_id: str) -> NotFoundError:
    return NotFoundError(f"There is no webhook {webhook_id[:60]}.")


def _host(url: str) -> str:
    return (urlsplit(url).hostname or url)[:200]

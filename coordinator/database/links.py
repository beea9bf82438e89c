"""Links: addresses at which anybody finds a finished video for a while."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Final

from coordinator.database.api_keys import token_hash
from coordinator.database.connection import Connection, Queries, Row
from coordinator.database.exports import new_id
from shared.errors import ConflictError, NotFoundError

_QUERIES: Final = Queries("links")


async def create_link(
    connection: Connection, export_id: str, *, valid_s: int, most: int
) -> tuple[str, Row]:
    """Make a link to an export.

    Args:
        connection: Inside a transaction.
        export_id: Which; whose it is, and that it has a video, was seen before.
        valid_s: How long it leads there.
        most: How many of one export's may be valid.

    Returns:
        Its token (256 bits), which is stored nowhere, and the link.

    Raises:
        ConflictError: The export has so many already.
    """
    await _QUERIES.execute(connection, "lock_export", export_id=export_id)
    valid = await _QUERIES.one(connection, "count_links", export_id=export_id)
    if valid is not None and valid["count"] >= most:
        raise ConflictError(
            f"{valid['count']} links lead to this export; {most} is the most. Revoke one."
        )
    token = secrets.token_urlsafe(32)
    row = await _QUERIES.one(
        connection,
        "insert_link",
        id=new_id("lnk"),
        export_id=export_id,
        token_hash=token_hash(token),
        valid_s=valid_s,
    )
    assert row is not None  # noqa: S101  # inserted above
    return token, row


async def find_link(connection: Connection, hashed: bytes) -> Row | None:
    """The export that a link leads to, by the hash of its token; None where there is no such link.

    Its row says beside the export how many seconds the link has left (``left_s``); it has expired
    where these are none.
    """
    return await _QUERIES.one(connection, "find_link", token_hash=hashed)


async def list_links(
    connection: Connection, export_id: str, *, limit: int, offset: int
) -> Sequence[Row]:
    """The links to an export, newest first; also those that expired in the last day."""
    return await _QUERIES.all(
        connection, "list_links", export_id=export_id, limit=limit, offset=offset
    )


async def revoke_link(connection: Connection, user_id: str, export_id: str, link_id: str) -> None:
    """Let a link to an export of a user's lead nowhere.

    Raises:
        NotFoundError: There is none, it was revoked before, or it is somebody else's.
    """
    named = {"id": link_id, "export_id": export_id, "user_id": user_id}
    if not await _QUERIES.execute(connection, "delete_link", **named):
        raise NotFoundError(f"There is no link {link_id[:60]}.")

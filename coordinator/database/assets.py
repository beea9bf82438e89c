"""Assets: the files that users have uploaded."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

from coordinator.database import transitions
from coordinator.database.connection import Connection, Queries, Row
from coordinator.database.exports import new_id
from shared.errors import NotFoundError
from shared.intake import AssetKind, ProbeSpec
from shared.keys import asset_key

_QUERIES: Final = Queries("assets")


async def add_asset(
    connection: Connection,
    *,
    user_id: str,
    kind: AssetKind,
    name: str,
    sha256: str,
    size_bytes: int,
) -> tuple[Row, bool]:
    """Note a file whose bytes are in the object store, and have a worker look at it.

    Returns:
        The asset, and whether it is new: a user's same bytes are one asset.
    """
    row = await _QUERIES.one(
        connection,
        "insert_asset",
        id=new_id("ast"),
        user_id=user_id,
        kind=kind,
        name=name,
        sha256=sha256,
        size_bytes=size_bytes,
    )
    if row is None:
        row = await _QUERIES.one(
            connection, "find_asset", user_id=user_id, kind=kind, sha256=sha256
        )
        assert row is not None  # noqa: S101  # it was in the way of the insert
        return row, False
    probe = ProbeSpec(asset_key=asset_key(sha256), name=name, kind=kind)
    await transitions.queue_probe(connection, row["id"], user_id, probe)
    return row, True


async def get_asset(connection: Connection, user_id: str, asset_id: str) -> Row:
    """One asset of a user's.

    Raises:
        NotFoundError: There is none, or it is somebody else's.
    """
    row = await _QUERIES.one(connection, "get_asset", id=asset_id, user_id=user_id)
    if row is None:
        raise NotFoundError(f"There is no asset {asset_id[:60]}.", asset=asset_id[:60])
    return row


async def get_assets(
    connection: Connection, user_id: str, asset_ids: Collection[str]
) -> dict[str, Row]:
    """Several assets of a user's by their ids; those that there are not are left out."""
    rows = await _QUERIES.all(connection, "get_assets", ids=list(asset_ids), user_id=user_id)
    return {row["id"]: row for row in rows}


async def list_assets(
    connection: Connection, user_id: str, *, limit: int, offset: int, kind: AssetKind | None = None
) -> Sequence[Row]:
    """A page of what a user has uploaded, newest first."""
    return await _QUERIES.all(
        connection, "list_assets", user_id=user_id, kind=kind, limit=limit, offset=offset
    )

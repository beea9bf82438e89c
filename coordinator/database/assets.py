"""Assets: the files that users have uploaded."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final

from coordinator.database import quotas, transitions
from coordinator.database.connection import Connection, Queries, Row
from coordinator.database.exports import new_id
from coordinator.quotas import QuotaLimits
from shared.errors import ConflictError, NotFoundError
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
    defaults: QuotaLimits | None = None,
) -> tuple[Row, bool]:
    """Note a file whose bytes are in the object store, and have a worker look at it.

    Args:
        connection: Inside a transaction.
        user_id: Whose it is.
        kind: What it is.
        name: The file's name.
        sha256: Hash of its bytes.
        size_bytes: Its length.
        defaults: What a user may store for whom nothing else was said; anything without it.

    Returns:
        The asset, and whether it is new: a user's same bytes are one asset.

    Raises:
        QuotaError: It is new, and there is no room for it.
    """
    known = await _QUERIES.one(connection, "find_asset", user_id=user_id, kind=kind, sha256=sha256)
    if known is not None:
        return known, False
    if defaults is not None:
        await quotas.admit_bytes(connection, user_id, size_bytes, defaults)
    await _QUERIES.one(connection, "lock_hash", sha256=sha256)
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


async def hold_assets(connection: Connection, user_id: str, asset_ids: Collection[str]) -> set[str]:
    """Keep assets of a user's from being deleted until the transaction ends; those there are."""
    rows = await _QUERIES.all(connection, "hold_assets", ids=sorted(asset_ids), user_id=user_id)
    return {row["id"] for row in rows}


async def hold_assets_of(
    connection: Connection, user_id: str, object_keys: Collection[str]
) -> set[str]:
    """The same by their object keys; those that assets of the user's stand for."""
    hashes = {key.rpartition("/")[2]: key for key in object_keys}
    rows = await _QUERIES.all(connection, "hold_assets_of", hashes=sorted(hashes), user_id=user_id)
    return {hashes[row["sha256"]] for row in rows}


async def list_assets(
    connection: Connection,
    user_id: str,
    *,
    limit: int,
    offset: int = 0,
    kind: AssetKind | None = None,
    sha256: str | None = None,
    before: tuple[datetime, str] | None = None,
) -> Sequence[Row]:
    """A page of what a user has uploaded, newest first."""
    before_at, before_id = before or (None, None)
    return await _QUERIES.all(
        connection,
        "list_assets",
        plan_anew=True,
        user_id=user_id,
        kind=kind,
        sha256=sha256,
        before_at=before_at,
        before_id=before_id,
        limit=limit,
        offset=offset,
    )


async def list_uses(connection: Connection, asset: Row, *, limit: int) -> Sequence[Row]:
    """What names an asset now: its ``kind`` (composition, template, export), ``id``, ``name``.

    Args:
        connection: Where to ask.
        asset: The row of the asset.
        limit: How many at most.
    """
    return await _QUERIES.all(
        connection,
        "uses",
        id=asset["id"],
        user_id=asset["user_id"],
        object_key=asset_key(asset["sha256"]),
        limit=limit,
    )


async def doom_bytes(connection: Connection, sha256: str) -> None:
    """Have the bytes removed of which there is no asset; nothing happens where there is one."""
    await _QUERIES.execute(connection, "doom_object", object_key=asset_key(sha256), sha256=sha256)


async def delete_asset(connection: Connection, user_id: str, asset_id: str) -> None:
    """Delete an asset that nothing uses; its bytes, if nobody else has the same, soon after.

    Raises:
        NotFoundError: There is none, or it is somebody else's.
        ConflictError: Something uses it.
    """
    row = await _QUERIES.one(connection, "lock_asset", id=asset_id, user_id=user_id)
    if row is None:
        raise NotFoundError(f"There is no asset {asset_id[:60]}.", asset=asset_id[:60])
    uses = await list_uses(connection, row, limit=1)
    if uses:
        what = f"the {uses[0]['kind']} {uses[0]['id']}"
        raise ConflictError(
            f"{row['name']} is used by {what}; delete or change what uses it first "
            f"(/v1/assets/{asset_id}/uses)."
        )
    await _QUERIES.execute(connection, "delete_asset", id=asset_id)
    await doom_bytes(connection, row["sha256"])

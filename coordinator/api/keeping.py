"""Keeping a file that has arrived: its object, and the asset that stands for it."""

from __future__ import annotations

from collections.abc import Callable

from anyio import to_thread

from coordinator.api.known_keys import Caller
from coordinator.api.services import Services
from coordinator.database import Row, assets
from shared.errors import QuotaError
from shared.intake import AssetKind
from shared.keys import asset_key


async def keep_asset(
    services: Services,
    caller: Caller,
    *,
    kind: AssetKind,
    name: str,
    sha256: str,
    size_bytes: int,
    put: Callable[[str], None],
) -> tuple[Row, bool]:
    """Keep a file.

    Args:
        services: The parts of this process.
        caller: Whose it is.
        kind: What it is.
        name: The file's name.
        sha256: Hash of its bytes.
        size_bytes: Its length.
        put: Stores it under a key; called in a thread.

    Returns:
        The asset, and whether it is new: a user's same bytes are one asset.

    Raises:
        QuotaError: The user has no room for it.
    """
    key = asset_key(sha256)

    def store() -> None:
        if not services.store.exists(key):
            put(key)

    # The object first: a row without its bytes would be a promise that nobody can keep.
    await to_thread.run_sync(store)
    try:
        async with services.database.transaction() as connection:
            row, is_new = await assets.add_asset(
                connection,
                user_id=caller.user_id,
                kind=kind,
                name=name,
                sha256=sha256,
                size_bytes=size_bytes,
                defaults=services.limits.quotas,
            )
    except QuotaError:
        async with services.database.transaction() as connection:
            await assets.doom_bytes(connection, sha256)
        raise
    # Between the two somebody may have deleted the last asset of the same bytes.
    await to_thread.run_sync(store)
    return row, is_new

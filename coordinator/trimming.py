"""Keeping the local object store at a size."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from shared.storage import ObjectStore

_IN_USE: Final = timedelta(hours=2)
"""What is younger may belong to a render under way."""


def trim_store(store: ObjectStore, limit_bytes: int) -> int:
    """Delete the oldest objects until the rest fits; the number of bytes that were freed.

    Everything in a local store can be made again from the musician's files.
    """
    objects = sorted(store.list(), key=lambda info: info.modified_at)
    excess = sum(info.size_bytes for info in objects) - limit_bytes
    freed = 0
    oldest_in_use = datetime.now(UTC) - _IN_USE
    for info in objects:
        if freed >= excess or info.modified_at > oldest_in_use:
            break
        store.delete(info.key)
        freed += info.size_bytes
    return freed

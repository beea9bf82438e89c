"""Removing what nobody needs any more: of cancelled exports at once, the rest in its time.

The database forgets first, then the object is deleted: who was killed between the two leaves an
object that nothing refers to, which the sweep over the whole store finds later.
"""

from __future__ import annotations

import asyncio
import functools
import itertools
import logging
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeVar

from coordinator.database import Database
from coordinator.database.connection import Queries
from coordinator.dispatcher.limits import Limits
from shared.errors import StorageError
from shared.storage import ObjectInfo, ObjectStore

_log = logging.getLogger(__name__)
T = TypeVar("T")
_QUERIES: Final = Queries("janitor")

_PREFIXES: Final = ("segments/", "audio/", "exports/")
"""What attempts write; assets and songs stay as long as there may be a use for them."""
_AT_A_TIME: Final = 500
_THREADS: Final = 8
_ABANDONED_S: Final = 24 * 3600
"""An upload in parts that went on for longer belonged to a writer that died."""


class Janitor:
    """Cleans one database and one object store."""

    def __init__(self, database: Database, store: ObjectStore, limits: Limits) -> None:
        """Clean by these limits."""
        self._database = database
        self._store = store
        self._limits = limits
        # Not asyncio's own, which is waited for at the end, also where a store does not answer.
        self._threads = ThreadPoolExecutor(max_workers=_THREADS, thread_name_prefix="store")

    async def in_thread(self, function: Callable[..., T], *arguments: Any) -> T:
        """Call the store beside everything else."""
        return await asyncio.get_running_loop().run_in_executor(
            self._threads, functools.partial(function, *arguments)
        )

    def close(self) -> None:
        """Begin nothing more; what does not answer is left alone."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def clean_ended(self) -> int:
        """Remove what cancelled exports have left, and failed ones of long ago.

        Returns:
            How many exports were cleaned.
        """
        keep_s = self._limits.segment_retention_s
        async with self._database.transaction() as connection:
            found = await _QUERIES.all(connection, "exports_to_clean", keep_s=keep_s)
        for export in found:
            async with self._database.transaction() as connection:
                released = await _QUERIES.all(connection, "release_artifacts", id=export["id"])
            await self.delete(row["object_key"] for row in released)
            async with self._database.transaction() as connection:
                await _QUERIES.execute(connection, "mark_cleaned", id=export["id"])
            _log.info("export_cleaned export=%s objects=%d", export["id"], len(released))
        return len(found)

    async def clean_old(self) -> None:
        """Remove what has expired."""
        keep_s = self._limits.segment_retention_s
        async with self._database.transaction() as connection:
            expired = await _QUERIES.all(connection, "expire_exports")
        for row in expired:
            _log.info("export_expired export=%s", row["id"])
        async with self._database.transaction() as connection:
            released = await _QUERIES.all(connection, "drop_old_artifacts", keep_s=keep_s)
        await self.delete(row["object_key"] for row in released)
        async with self._database.transaction() as connection:
            await _QUERIES.execute(connection, "drop_old_items", keep_s=keep_s)
        async with self._database.transaction() as connection:
            await _QUERIES.execute(
                connection, "drop_old_events", keep_s=self._limits.event_retention_s
            )

    async def clean_orphans(self) -> int:
        """Remove objects that nothing refers to; how many there were."""
        await self.in_thread(self._store.sweep, _ABANDONED_S)
        oldest = datetime.now(UTC) - timedelta(seconds=self._limits.orphan_s)
        removed = 0
        for prefix in _PREFIXES:
            listing = self._store.list(prefix)
            while page := await self.in_thread(_page, listing):
                old = [info.key for info in page if info.modified_at < oldest]
                if not old:
                    continue
                async with self._database.transaction() as connection:
                    rows = await _QUERIES.all(connection, "known_objects", keys=old)
                known = {row["object_key"] for row in rows}
                orphans = [key for key in old if key not in known]
                await self.delete(orphans)
                removed += len(orphans)
        if removed:
            _log.info("orphans_removed objects=%d", removed)
        return removed

    async def delete(self, keys: Iterable[str]) -> None:
        """Delete objects; what fails is left to the next sweep over the whole store."""
        for key in keys:
            try:
                await self.in_thread(self._store.delete, key)
            except StorageError as exc:
                _log.warning("delete_failed key=%s error=%s", key, exc)


def _page(listing: Iterable[ObjectInfo]) -> list[ObjectInfo]:
    return list(itertools.islice(listing, _AT_A_TIME))

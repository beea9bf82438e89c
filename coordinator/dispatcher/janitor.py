"""Removing what nobody needs any more: of cancelled exports at once, the rest in its time.

The database forgets first, then the object is deleted: who was killed between the two leaves an
object that nothing refers to, which the sweep over the whole store finds later.
"""

from __future__ import annotations

import asyncio
import functools
import itertools
import logging
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeVar

from coordinator.database import Database, Row, use
from coordinator.database.connection import Queries
from coordinator.database.idempotency import KEPT_S as ANSWERS_KEPT_S
from coordinator.dispatcher.clock import SYSTEM, Clock
from coordinator.dispatcher.limits import Limits
from coordinator.dispatcher.metrics import Metrics
from shared.errors import DatabaseError, StorageError
from shared.keys import ANALYSES, KEPT_FRAMES, LOGS, log_key
from shared.storage import ObjectInfo, ObjectStore

_log = logging.getLogger(__name__)
T = TypeVar("T")
_QUERIES: Final = Queries("janitor")

_PREFIXES: Final = ("segments/", "audio/", "exports/", "surveys/", "previews/")
"""What attempts write; assets and songs stay as long as there may be a use for them."""
_AT_A_TIME: Final = 500
_STEPS: Final = 20
"""Transactions in which what is old goes; what is left then goes a minute later."""
_THREADS: Final = 8
_LOOK_S: Final = 0.5
_CLEAN_S: Final = 60.0
_ORPHANS_S: Final = 3600.0
_CLOSE_S: Final = 1.0
_OVER_S: Final = 24 * 3600.0
"""How long links and sessions are kept after their time: who shows one did not make it up."""
_ABANDONED_S: Final = 24 * 3600
"""An upload in parts that went on for longer belonged to a writer that died."""


class Janitor:
    """Cleans one database and one object store."""

    def __init__(
        self,
        database: Database,
        store: ObjectStore,
        limits: Limits,
        metrics: Metrics | None = None,
        clock: Clock = SYSTEM,
    ) -> None:
        """Clean by these limits, and count what is removed."""
        self._clock = clock
        self._deleting: set[asyncio.Task[None]] = set()
        self._database = database
        self._store = store
        self._limits = limits
        self._metrics = metrics or Metrics()
        # Not asyncio's own, which is waited for at the end, also where a store does not answer.
        self._threads = ThreadPoolExecutor(max_workers=_THREADS, thread_name_prefix="store")

    async def in_thread(self, function: Callable[..., T], *arguments: Any) -> T:
        """Call the store beside everything else."""
        return await asyncio.get_running_loop().run_in_executor(
            self._threads, functools.partial(function, *arguments)
        )

    async def run(self, sweep: Callable[[], Awaitable[None]]) -> None:
        """Clean beside the work, until somebody cancels it.

        A store that is slow or down holds nothing up but this.

        Args:
            sweep: Has the nodes rid of what killed processes left.
        """
        cleaned_s = swept_s = 0.0
        while True:
            now_s = self._clock.now_s()
            try:
                await self.clean_ended()
                await self.clean_deleted()
                if now_s - cleaned_s > _CLEAN_S:
                    cleaned_s = now_s
                    await sweep()
                    await self.clean_old()
                if now_s - swept_s > _ORPHANS_S:
                    swept_s = now_s
                    await self.clean_orphans()
            except (DatabaseError, StorageError) as exc:
                _log.warning("cleaning_failed error=%s", exc)
            except Exception:
                _log.exception("cleaning_failed")
            await self._clock.sleep(_LOOK_S)

    def delete_beside(self, keys: Iterable[str]) -> None:
        """Delete objects beside the work, which does not wait for it."""
        task = asyncio.create_task(self.delete(keys))
        self._deleting.add(task)
        task.add_done_callback(self._deleting.discard)

    async def close(self) -> None:
        """Begin nothing more; what does not answer soon is left alone."""
        if self._deleting:
            await asyncio.wait(self._deleting, timeout=_CLOSE_S)
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
            await self.delete(_objects(released))
            async with self._database.transaction() as connection:
                await _QUERIES.execute(connection, "mark_cleaned", id=export["id"])
            _log.info("export_cleaned export=%s objects=%d", export["id"], len(released))
        return len(found)

    async def clean_deleted(self) -> int:
        """Remove exports and assets that were deleted, with all that they alone have stored.

        Returns:
            How many there were.
        """
        async with self._database.transaction() as connection:
            found = await _QUERIES.all(connection, "exports_to_delete")
        for export in found:
            async with self._database.transaction() as connection:
                released = await _QUERIES.all(connection, "release_artifacts", id=export["id"])
                released += await _QUERIES.all(connection, "release_video", id=export["id"])
                attempts = await _QUERIES.all(connection, "attempts_of", id=export["id"])
            logs = [log_key(row["id"]) for row in attempts]
            await self.delete([*_objects(released), *logs])
            async with self._database.transaction() as connection:
                await _QUERIES.execute(connection, "delete_export", id=export["id"])
            _log.info("export_deleted export=%s objects=%d", export["id"], len(released))
        async with self._database.transaction() as connection:
            doomed = await _QUERIES.all(connection, "doomed_objects")
        for each in doomed:
            await self._delete_doomed(each["object_key"])
        return len(found) + len(doomed)

    async def _delete_doomed(self, key: str) -> None:
        async with self._database.transaction() as connection:
            # Held until the object is gone: who stores the same bytes looks after that.
            await _QUERIES.one(connection, "lock_doomed", key=key)
            if await _QUERIES.one(connection, "doomed_use", key=key) is None:
                await self.in_thread(self._store.delete, key)
                self._metrics.removed_objects.inc()
            await _QUERIES.execute(connection, "forget_doomed", key=key)

    async def clean_old(self) -> None:
        """Remove what has expired."""
        keep_s = self._limits.segment_retention_s
        async with self._database.transaction() as connection:
            expired = await _QUERIES.all(connection, "expire_exports")
        for row in expired:
            _log.info("export_expired export=%s", row["id"])
        for query in ("drop_old_artifacts", "drop_old_items"):
            for _ in range(_STEPS):
                async with self._database.transaction() as connection:
                    seen = await _QUERIES.all(connection, query, keep_s=keep_s)
                if not seen:
                    break
                if query == "drop_old_artifacts":
                    await self.delete(_objects(seen))
        async with self._database.transaction() as connection:
            await _QUERIES.execute(
                connection, "drop_old_events", keep_s=self._limits.event_retention_s
            )
        async with self._database.transaction() as connection:
            await _QUERIES.execute(connection, "drop_old_answers", keep_s=ANSWERS_KEPT_S)
            await _QUERIES.execute(
                connection, "drop_old_deliveries", keep_s=self._limits.delivery_retention_s
            )
            await _QUERIES.execute(connection, "drop_old_links", keep_s=_OVER_S)
            await _QUERIES.execute(connection, "drop_old_sessions", keep_s=_OVER_S)
            await use.drop_old(connection, self._limits.use_retention_s)
        await self._clean_previews()
        await self._clean_frames()

    async def _clean_previews(self) -> None:
        """Remove previews that can be looked at no more."""
        async with self._database.transaction() as connection:
            await _QUERIES.execute(connection, "expire_previews")
        async with self._database.transaction() as connection:
            released = await _QUERIES.all(
                connection, "drop_old_previews", keep_s=self._limits.preview_retention_s
            )
        await self.delete(row["object_key"] for row in released)

    async def _clean_frames(self) -> None:
        """Remove frames that were kept for other exports: all of them when there are none."""
        async with self._database.transaction() as connection:
            wanted = await _QUERIES.one(connection, "exports_sharing")
        keep_s = self._limits.frames_retention_s if wanted else 0.0
        await self._delete_older(KEPT_FRAMES, keep_s)

    async def _delete_older(self, prefix: str, keep_s: float) -> None:
        """Delete what nothing ever refers to, and is found again or not, by its age."""
        oldest = datetime.now(UTC) - timedelta(seconds=keep_s)
        listing = self._store.list(prefix)
        while page := await self.in_thread(_page, listing):
            await self.delete([info.key for info in page if info.modified_at < oldest])

    async def _clean_logs(self) -> None:
        """Delete the logs of attempts of long ago: the first ones of a listing."""
        oldest = datetime.now(UTC) - timedelta(seconds=self._limits.log_retention_s)
        listing = self._store.list(LOGS)
        while page := await self.in_thread(_page, listing):
            old = [info.key for info in page if info.modified_at < oldest]
            await self.delete(old)
            if not old:
                return

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
        await self._delete_older(ANALYSES, self._limits.segment_retention_s)
        await self._clean_logs()
        if removed:
            _log.info("orphans_removed objects=%d", removed)
        return removed

    async def delete(self, keys: Iterable[str]) -> None:
        """Delete objects; what fails is left to the next sweep over the whole store."""
        for key in keys:
            try:
                await self.in_thread(self._store.delete, key)
                self._metrics.removed_objects.inc()
            except StorageError as exc:
                self._metrics.failed_removals.inc()
                _log.warning("delete_failed key=%s error=%s", key, exc)


def _objects(released: Iterable[Row]) -> list[str]:
    """The objects of artifacts: what each tells of, and the poster beside a video."""
    keys = [key for row in released for key in (row["object_key"], row["poster_key"])]
    return [key for key in keys if key is not None]


def _page(listing: Iterable[ObjectInfo]) -> list[ObjectInfo]:
    return list(itertools.islice(listing, _AT_A_TIME))

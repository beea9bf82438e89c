"""Counting, now and then, how the farm stands; what happens meanwhile is counted as it does."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

from coordinator.database import Database
from coordinator.database.standing import count_ended, count_standing, settled_until
from coordinator.dispatcher.clock import SYSTEM, Clock
from coordinator.dispatcher.metrics import Metrics
from shared.errors import DatabaseError

_log = logging.getLogger(__name__)

_EVERY_S: Final = 15.0
"""As often as Prometheus asks, as a rule. A long queue takes the database some time to count."""


class Counting:
    """Counts for one leader."""

    def __init__(
        self,
        database: Database,
        metrics: Metrics,
        *,
        quota_running: int | None,
        folder: Path | None,
        in_thread: Callable[..., Awaitable[Any]],
        clock: Clock = SYSTEM,
    ) -> None:
        """Nothing is counted before run().

        Args:
            database: What is counted in.
            metrics: Told of it.
            quota_running: Items under way at a time of a user who has no quota of his own.
            folder: Where the object store is; None where it is no folder.
            in_thread: Calls what may take its time.
            clock: The time that it goes by.
        """
        self._clock = clock
        self._database = database
        self._metrics = metrics
        self._quota_running = quota_running
        self._folder = folder
        self._in_thread = in_thread

    async def run(self) -> None:
        """Count until somebody cancels it."""
        since = None
        while True:
            try:
                async with self._database.reading() as connection:
                    if since is None:
                        since = await settled_until(connection)
                    ended = await count_ended(connection, since)
                    since = ended.until
                    self._metrics.note_ended(ended)
                    self._metrics.note_standing(
                        await count_standing(connection, quota_running=self._quota_running)
                    )
                await self._look_for_room()
            except (DatabaseError, OSError) as exc:
                _log.warning("counting_failed error=%s", exc)
            except Exception:
                _log.exception("counting_failed")
            await self._clock.sleep(_EVERY_S)

    async def _look_for_room(self) -> None:
        if self._folder is not None:
            usage = await self._in_thread(shutil.disk_usage, self._folder)
            self._metrics.note_room(free_bytes=usage.free, used_bytes=usage.used)

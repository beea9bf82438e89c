"""Counting, now and then, how the farm stands; what happens meanwhile is counted as it does."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Awaitable, Callable, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

from coordinator.database import Database
from coordinator.database.standing import (
    count_ended,
    count_standing,
    list_ended,
    settled_until,
)
from coordinator.database.use import slot_seconds
from coordinator.dispatcher.clock import SYSTEM, Clock
from coordinator.dispatcher.metrics import Metrics
from coordinator.dispatcher.tracing import Tracing
from shared.errors import DatabaseError

_log = logging.getLogger(__name__)

_Spent = Mapping[tuple[date, str], float]
"""Slot-seconds by day and by what they were spent on."""

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
        tracing: Tracing | None = None,
        every_s: float = _EVERY_S,
    ) -> None:
        """Nothing is counted before run().

        Args:
            database: What is counted in.
            metrics: Told of it.
            quota_running: Items under way at a time of a user who has no quota of his own.
            folder: Where the object store is; None where it is no folder.
            in_thread: Calls what may take its time.
            clock: The time that it goes by.
            tracing: Told of exports that have ended.
            every_s: How often.
        """
        self._clock = clock
        self._database = database
        self._metrics = metrics
        self._quota_running = quota_running
        self._folder = folder
        self._in_thread = in_thread
        self._tracing = tracing or Tracing(None, clock)
        self._every_s = every_s

    async def run(self) -> None:
        """Count until somebody cancels it."""
        since: datetime | None = None
        spent_s: _Spent = {}
        while True:
            try:
                async with self._database.reading() as connection:
                    if since is None:
                        since = await settled_until(connection)
                        spent_s = await slot_seconds(connection)
                    ended = await count_ended(connection, since)
                    if self._tracing.is_on:
                        exports = await list_ended(connection, since, ended.until)
                        self._tracing.exports_ended(exports)
                    since = ended.until
                    self._metrics.note_ended(ended)
                    spent_s = self._note_spent(spent_s, await slot_seconds(connection))
                    self._metrics.note_standing(
                        await count_standing(connection, quota_running=self._quota_running)
                    )
                await self._look_for_room()
            except (DatabaseError, OSError) as exc:
                _log.warning("counting_failed error=%s", exc)
            except Exception:
                _log.exception("counting_failed")
            await self._clock.sleep(self._every_s)

    def _note_spent(self, before_s: _Spent, now_s: _Spent) -> _Spent:
        for (day, spent_on), slot_s in now_s.items():
            self._metrics.note_spent({spent_on: slot_s - before_s.get((day, spent_on), 0.0)})
        return now_s

    async def _look_for_room(self) -> None:
        if self._folder is not None:
            usage = await self._in_thread(shutil.disk_usage, self._folder)
            self._metrics.note_room(free_bytes=usage.free, used_bytes=usage.used)

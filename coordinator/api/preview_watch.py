"""Waiting for previews: one connection listens for the whole process."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

from coordinator.api.metrics import Metrics
from coordinator.database import Database, Row, previews
from coordinator.tasks import end_tasks
from shared.errors import DatabaseError

_log = logging.getLogger(__name__)

_AGAIN_S: Final = 0.5
"""Looked at so often without being told: a notification is lost with its connection."""


class PreviewWatch:
    """The one listener of a process, and those of its requests that wait."""

    def __init__(self, database: Database, metrics: Metrics) -> None:
        """Nothing is heard before running().

        Args:
            database: Where the previews are.
            metrics: Told how long they are waited for.
        """
        self._database = database
        self._metrics = metrics
        self._waiting: defaultdict[str, set[asyncio.Event]] = defaultdict(set)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Listen inside the block."""
        task = asyncio.create_task(self._listen())
        try:
            yield
        finally:
            await end_tasks([task])

    async def wait(self, user_id: str, preview_id: str, wait_s: float) -> Row:
        """A preview when it is ready or has failed, or as it stands after a while.

        Args:
            user_id: Whose it is.
            preview_id: Which.
            wait_s: How long it is waited for.

        Raises:
            NotFoundError: There is none any more, or it is somebody else's.
        """
        began_s = time.perf_counter()
        row = await self._wait(user_id, preview_id, wait_s)
        self._metrics.preview_wait.labels(row["status"]).observe(time.perf_counter() - began_s)
        return row

    async def _wait(self, user_id: str, preview_id: str, wait_s: float) -> Row:
        told = asyncio.Event()
        self._waiting[preview_id].add(told)
        try:
            loop = asyncio.get_running_loop()
            until_s = loop.time() + wait_s
            while True:
                async with self._database.transaction() as connection:
                    row = await previews.get_preview(connection, user_id, preview_id)
                left_s = until_s - loop.time()
                if row["status"] != "pending" or left_s <= 0:
                    return row
                with suppress(TimeoutError):
                    async with asyncio.timeout(min(left_s, _AGAIN_S)):
                        await told.wait()
                told.clear()
        finally:
            self._waiting[preview_id].discard(told)
            if not self._waiting[preview_id]:
                del self._waiting[preview_id]

    async def _listen(self) -> None:
        while True:
            try:
                async with self._database.lone_connection() as connection:
                    await connection.execute(f"listen {previews.CHANNEL}")
                    async for notification in connection.notifies():
                        for told in self._waiting.get(notification.payload, ()):
                            told.set()
            except DatabaseError as exc:
                _log.warning("listening_failed again_in_s=%s error=%s", _AGAIN_S, exc)
                await asyncio.sleep(_AGAIN_S)

"""Virtual time: it passes only when the imagined cluster, or a dispatcher that idles, says so."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from datetime import UTC, datetime
from typing import Final

BEGINNING: Final = datetime(2026, 1, 1, tzinfo=UTC)
"""When every simulation begins."""


class VirtualClock:
    """A Clock (coordinator.dispatcher.clock) that is moved by hand; in one event loop."""

    def __init__(self) -> None:
        """Begin at 0."""
        self._now_s = 0.0
        self._loop = asyncio.get_running_loop()
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._numbers = itertools.count()

    def now_s(self) -> float:
        return self._now_s

    def epoch_s(self) -> float:
        return BEGINNING.timestamp() + self._now_s

    async def sleep(self, seconds: float) -> None:
        future = self._loop.create_future()
        heapq.heappush(self._sleepers, (self._now_s + seconds, next(self._numbers), future))
        await future

    async def wait(self, event: asyncio.Event, within_s: float) -> None:
        """Let all of the time pass: when a real event comes in virtual time is chance."""
        self.advance(self._now_s + within_s)
        await asyncio.sleep(0)

    def advance(self, to_s: float) -> None:
        """Let time pass; may be called from any thread."""
        self._now_s = max(self._now_s, to_s)
        self._loop.call_soon_threadsafe(self._wake)

    def _wake(self) -> None:
        while self._sleepers and self._sleepers[0][0] <= self._now_s:
            _, _, future = heapq.heappop(self._sleepers)
            if not future.done():
                future.set_result(None)

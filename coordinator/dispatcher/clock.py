"""The time that the dispatcher goes by: the machine's, or that of a simulation."""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import Final, Protocol


class Clock(Protocol):
    """Tells the time, and waits."""

    def now_s(self) -> float:
        """Seconds since some moment; never goes back."""
        ...

    def epoch_s(self) -> float:
        """Seconds since the epoch."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait for some time."""
        ...

    async def wait(self, event: asyncio.Event, within_s: float) -> None:
        """Wait until an event is set, or some time has passed."""
        ...


class SystemClock:
    """The machine's."""

    def now_s(self) -> float:
        """See Clock."""
        return time.monotonic()

    def epoch_s(self) -> float:
        """See Clock."""
        return time.time()

    async def sleep(self, seconds: float) -> None:
        """See Clock."""
        await asyncio.sleep(seconds)

    async def wait(self, event: asyncio.Event, within_s: float) -> None:
        """See Clock."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(event.wait(), within_s)


SYSTEM: Final = SystemClock()

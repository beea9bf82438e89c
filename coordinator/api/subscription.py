"""What waits for one client that watches."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from coordinator.database import Row
from coordinator.database.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What has come for a client since it asked last."""

    events: tuple[Event, ...]
    """In the order in which they came; some may have been seen already."""
    state: Row | None
    """How the batch stands that it watches, if that was found out anew."""
    stale: bool
    """Whether something may be missing: read on from the database."""
    over: bool
    """Whether the stream is to end now."""


class Subscription:
    """The queue of one client."""

    def __init__(self, most: int, *, merges: bool) -> None:
        """Let at most ``most`` events wait.

        Args:
            most: How many.
            merges: Whether progress that waits gives way to what comes later of its export.
        """
        self._most = most
        self._merges = merges
        self._waiting: dict[int, Event] = {}
        self._progress: dict[str, int] = {}
        self._state: Row | None = None
        self._stale = False
        self._over = False
        self._woken = asyncio.Event()

    def put(self, event: Event) -> None:
        """Let an event wait; one too many, and the client reads from the database instead."""
        if self._merges:
            self._waiting.pop(self._progress.pop(event.export_id, 0), None)
            if event.passing:
                self._progress[event.export_id] = event.id
        if len(self._waiting) >= self._most:
            self.make_stale()
        elif not self._stale:
            self._waiting[event.id] = event
            self._woken.set()

    def put_state(self, state: Row) -> None:
        """Let a batch's state wait, in place of an older one."""
        self._state = state
        self._woken.set()

    def make_stale(self) -> None:
        """Have the client read on from the database."""
        self._forget()
        self._stale = True
        self._woken.set()

    def end(self) -> None:
        """Have the client's stream end."""
        self._over = True
        self._woken.set()

    async def receive(self) -> Delivery:
        """Wait for what comes next."""
        await self._woken.wait()
        self._woken.clear()
        delivery = Delivery(
            events=tuple(self._waiting.values()),
            state=self._state,
            stale=self._stale,
            over=self._over,
        )
        self._forget()
        self._state = None
        self._stale = False
        return delivery

    def _forget(self) -> None:
        self._waiting.clear()
        self._progress.clear()

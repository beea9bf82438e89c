"""What PostgreSQL tells of exports, handed to the clients of this process that watch them.

One connection listens for the whole process. A notification names an event; those that come
within a few milliseconds are read with one query and handed to whoever watches their exports.
Notifications are lost while the connection is: whoever watches then reads on from the database,
as does a client that is too slow for its queue.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from typing import Final

from coordinator.database import Database, events
from coordinator.database.events import Event
from shared.errors import DatabaseError

_log = logging.getLogger(__name__)

_COLLECT_S: Final = 0.01
"""Of two messages to one client within it, the first waits; far below what anybody notices."""
_BACK_OFF_S: Final = (0.1, 0.2, 0.5, 1.0, 2.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What has come for a client since it asked last."""

    events: tuple[Event, ...]
    """In the order of their ids; some may have been seen already."""
    stale: bool
    """Whether something may be missing: read on from the database."""
    over: bool
    """Whether the stream is to end now."""


class Subscription:
    """What waits for one client that watches one export."""

    def __init__(self, most: int) -> None:
        """Let at most ``most`` events wait."""
        self._most = most
        self._waiting: deque[Event] = deque()
        self._stale = False
        self._over = False
        self._woken = asyncio.Event()

    def put(self, event: Event) -> None:
        """Let an event wait; one too many, and the client reads from the database instead."""
        if len(self._waiting) >= self._most:
            self.make_stale()
        elif not self._stale:
            self._waiting.append(event)
            self._woken.set()

    def make_stale(self) -> None:
        """Have the client read on from the database."""
        self._waiting.clear()
        self._stale = True
        self._woken.set()

    def end(self) -> None:
        """Have the client's stream end."""
        self._over = True
        self._woken.set()

    async def receive(self) -> Delivery:
        """Wait for the next events."""
        await self._woken.wait()
        self._woken.clear()
        delivery = Delivery(events=tuple(self._waiting), stale=self._stale, over=self._over)
        self._waiting.clear()
        self._stale = False
        return delivery


class Hub:
    """The one listener of a process, and its clients."""

    def __init__(self, database: Database, queue: int) -> None:
        """Nothing is heard before running().

        Args:
            database: Where to listen.
            queue: How many events may wait for a client.
        """
        self._database = database
        self._queue = queue
        self._clients: defaultdict[str, set[Subscription]] = defaultdict(set)
        self._told: dict[int, str] = {}
        self._arrived = asyncio.Event()
        self._over = False

    @property
    def clients(self) -> int:
        """How many clients watch."""
        return sum(map(len, self._clients.values()))

    @contextmanager
    def subscribe(self, export_id: str) -> Iterator[Subscription]:
        """Hear of an export inside the block.

        What was told before has to be read from the database, after subscribing: then nothing
        falls in between.
        """
        subscription = Subscription(self._queue)
        if self._over:
            subscription.end()
        self._clients[export_id].add(subscription)
        try:
            yield subscription
        finally:
            self._clients[export_id].discard(subscription)
            if not self._clients[export_id]:
                del self._clients[export_id]

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Listen inside the block; afterwards every stream ends."""
        tasks = [asyncio.create_task(self._listen()), asyncio.create_task(self._distribute())]
        try:
            yield
        finally:
            self.end_streams()
            for task in tasks:
                task.cancel()
            for task in tasks:
                with suppress(asyncio.CancelledError):
                    await task

    def end_streams(self) -> None:
        """End every stream, also those that begin later; clients turn to another process."""
        self._over = True
        for subscription in self._everybody():
            subscription.end()

    def _everybody(self) -> list[Subscription]:
        return [each for clients in self._clients.values() for each in clients]

    async def _listen(self) -> None:
        failures = 0
        while True:
            try:
                async with self._database.lone_connection() as connection:
                    await connection.execute(f"listen {events.CHANNEL}")
                    if failures:
                        _log.info("listening_again failures=%d", failures)
                    failures = 0
                    for subscription in self._everybody():
                        subscription.make_stale()
                    async for notification in connection.notifies():
                        self._hear(notification.payload)
            except DatabaseError as exc:
                wait_s = _BACK_OFF_S[min(failures, len(_BACK_OFF_S) - 1)]
                failures += 1
                _log.warning("listening_failed again_in_s=%s error=%s", wait_s, exc)
                await asyncio.sleep(wait_s)

    def _hear(self, payload: str) -> None:
        told = json.loads(payload)
        if told["export_id"] in self._clients:
            self._told[told["id"]] = told["export_id"]
            self._arrived.set()

    async def _distribute(self) -> None:
        while True:
            await self._arrived.wait()
            await asyncio.sleep(_COLLECT_S)
            self._arrived.clear()
            told, self._told = self._told, {}
            try:
                async with self._database.transaction() as connection:
                    found = await events.events_by_ids(connection, told)
            except DatabaseError as exc:
                _log.warning("events_unread events=%d error=%s", len(told), exc)
                for export_id in set(told.values()):
                    for subscription in self._clients.get(export_id, ()):
                        subscription.make_stale()
                continue
            for event in found:
                for subscription in self._clients.get(event.export_id, ()):
                    subscription.put(event)

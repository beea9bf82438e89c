"""What PostgreSQL tells of exports, handed to the clients of this process that watch them.

One connection listens for the whole process. A notification names an event and whom it concerns;
those that come within a few milliseconds are read with one query and handed to whoever watches
that export, its batch or all of its user's. How a watched batch stands as a whole is read once for
all who watch it. Notifications are lost while the connection is: whoever watches then reads on
from the database, as does a client that is too slow for its queue.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Final

from coordinator.api.back_off import back_off
from coordinator.api.subscription import Subscription
from coordinator.database import Database, batches, events
from coordinator.database.events import Topic
from coordinator.tasks import end_tasks
from shared.errors import DatabaseError, NotFoundError

_log = logging.getLogger(__name__)

_COLLECT_S: Final = 0.01
"""Of two messages to one client within it, the first waits; far below what anybody notices."""


class Hub:
    """The one listener of a process, and its clients."""

    def __init__(self, database: Database, queue: int, batch_pause_s: float) -> None:
        """Nothing is heard before running().

        Args:
            database: Where to listen.
            queue: How many events may wait for a client.
            batch_pause_s: How long the states of batches are not read again.
        """
        self._database = database
        self._queue = queue
        self._batch_pause_s = batch_pause_s
        self._clients: defaultdict[Topic, set[Subscription]] = defaultdict(set)
        self._told: dict[int, Sequence[Topic]] = {}
        self._arrived = asyncio.Event()
        self._changed: dict[str, str] = {}
        self._has_changed = asyncio.Event()
        self._over = False

    @property
    def clients(self) -> int:
        """How many clients watch."""
        return sum(map(len, self._clients.values()))

    @property
    def over(self) -> bool:
        """Whether streams end because this process does."""
        return self._over

    @contextmanager
    def subscribe(self, topic: Topic) -> Iterator[Subscription]:
        """Hear of an export, a batch or a user's exports inside the block.

        What was told before has to be read from the database, after subscribing: then nothing
        falls in between.
        """
        subscription = Subscription(self._queue, merges=topic.kind != "export")
        if self._over:
            subscription.end()
        self._clients[topic].add(subscription)
        try:
            yield subscription
        finally:
            self._clients[topic].discard(subscription)
            if not self._clients[topic]:
                del self._clients[topic]

    def look_at_batch(self, user_id: str, batch_id: str) -> None:
        """Find out soon how a batch stands, and hand it to whoever watches it."""
        self._changed[batch_id] = user_id
        self._has_changed.set()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Listen inside the block; afterwards every stream ends."""
        parts = (self._listen(), self._distribute(), self._look_at_batches())
        tasks = [asyncio.create_task(part) for part in parts]
        try:
            yield
        finally:
            self.end_streams()
            await end_tasks(tasks)

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
                failures = await back_off("listening_failed", failures, exc)

    def _hear(self, payload: str) -> None:
        told = json.loads(payload)
        concerned = (
            Topic("export", told["export_id"]),
            Topic("batch", told["batch_id"]),
            Topic("user", told["user_id"]),
        )
        watched = [topic for topic in concerned if topic in self._clients]
        if watched:
            self._told[told["id"]] = watched
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
                for topic in {topic for topics in told.values() for topic in topics}:
                    for subscription in self._clients.get(topic, ()):
                        subscription.make_stale()
                continue
            for event in found:
                for topic in told[event.id]:
                    for subscription in self._clients.get(topic, ()):
                        subscription.put(event)
                    if topic.kind == "batch":
                        self.look_at_batch(event.user_id, topic.id)

    async def _look_at_batches(self) -> None:
        while True:
            await self._has_changed.wait()
            self._has_changed.clear()
            changed, self._changed = self._changed, {}
            for batch_id, user_id in changed.items():
                await self._tell_batch(user_id, batch_id)
            await asyncio.sleep(self._batch_pause_s)

    async def _tell_batch(self, user_id: str, batch_id: str) -> None:
        topic = Topic("batch", batch_id)
        if topic not in self._clients:
            return
        try:
            async with self._database.transaction() as connection:
                state = await batches.batch_state(connection, user_id, batch_id)
        except DatabaseError as exc:
            _log.warning("batch_unread batch=%s error=%s", batch_id, exc)
            self.look_at_batch(user_id, batch_id)
        except NotFoundError:
            return  # it was removed a moment ago
        else:
            for subscription in self._clients.get(topic, ()):
                subscription.put_state(state)

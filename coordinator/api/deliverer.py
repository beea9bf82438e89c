"""Telling webhooks: deliveries are claimed from the database, sent, and their tries noted.

Any number of processes do so side by side. What one has claimed is its own until the lease ends;
one that is killed leaves its deliveries to others. So everything is told at least once, and twice
only where a process ended between the receiver's answer and our note of it: receivers know it by
the same ``webhook-id``.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Final

import psycopg

from coordinator.api.back_off import back_off
from coordinator.api.limits import WebhookLimits
from coordinator.api.metrics import Metrics
from coordinator.database import Database, Row, deliveries
from coordinator.deliveries import DeliveryStatus, Schedule, Tried, answer_fault, message
from coordinator.reaching import Reach, ReachError, parse_target
from coordinator.signing import signed_headers
from coordinator.tasks import end_tasks
from shared.errors import DatabaseError

_log = logging.getLogger(__name__)

SCHEMES: Final = ("https", "http")
"""Of addresses that are told; plain http only where an operator allows it."""
_RELEASE_S: Final = 1.0
"""How long the end of the process waits for the database; the leases end by themselves."""


class Deliverer:
    """Tells webhooks for one process."""

    def __init__(
        self, database: Database, reach: Reach, limits: WebhookLimits, metrics: Metrics
    ) -> None:
        """Nothing is told before running().

        Args:
            database: Where the deliveries are.
            reach: What may be reached.
            limits: How many at a time, and how patiently.
            metrics: Counts the tries.
        """
        self._metrics = metrics
        self._database = database
        self._reach = reach
        self._limits = limits
        self._schedule = Schedule(
            first_wait_s=limits.first_wait_s,
            longest_wait_s=limits.longest_wait_s,
            give_up_s=limits.give_up_s,
        )
        self._woken = asyncio.Event()
        self._under_way: dict[asyncio.Task[None], tuple[str, datetime]] = {}

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Tell webhooks inside the block; what is not finished then is left to others."""
        tasks = [asyncio.create_task(self._listen()), asyncio.create_task(self._deliver())]
        try:
            yield
        finally:
            await end_tasks(tasks)
            held = dict(self._under_way.values())
            await end_tasks(list(self._under_way))
            await self._release(held)

    async def _listen(self) -> None:
        failures = 0
        while True:
            try:
                async with self._database.lone_connection() as connection:
                    await connection.execute(f"listen {deliveries.CHANNEL}")
                    failures = 0
                    self._woken.set()
                    async for _ in connection.notifies():
                        self._woken.set()
            except DatabaseError as exc:
                failures = await back_off("deliveries_unheard", failures, exc)

    async def _deliver(self) -> None:
        failures = 0
        while True:
            self._woken.clear()
            try:
                wait_s = await self._claim()
                failures = 0
            except (DatabaseError, psycopg.Error) as exc:
                failures = await back_off("deliveries_unread", failures, exc)
                continue
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), wait_s)

    async def _claim(self) -> float:
        """Begin what there is room for; seconds until there may be more."""
        room = self._limits.at_a_time - len(self._under_way)
        if room <= 0:
            return self._limits.look_s
        async with self._database.transaction() as connection:
            claimed = await deliveries.claim(
                connection,
                room=room,
                each=self._limits.at_a_time_each,
                per_user=self._limits.at_a_time_user,
                lease_s=self._limits.lease_s,
            )
            due_s = await deliveries.next_due_s(connection)
            # Disabled in the moment in which an export ended.
            for row in claimed:
                if not row["is_enabled"]:
                    await deliveries.cancel_deliveries(connection, row["webhook_id"])
        for row in claimed:
            if row["is_enabled"]:
                self._begin(row)
        return self._limits.look_s if due_s is None else min(due_s, self._limits.look_s)

    def _begin(self, row: Row) -> None:
        task = asyncio.create_task(self._tell(row))
        self._under_way[task] = (row["id"], row["leased_until"])
        task.add_done_callback(self._end)

    def _end(self, task: asyncio.Task[None]) -> None:
        del self._under_way[task]
        # There is room for the next one.
        self._woken.set()
        if not task.cancelled() and (exc := task.exception()) is not None:
            _log.error("delivery_broken", exc_info=exc)

    async def _tell(self, row: Row) -> None:
        """One try, from the request to the note."""
        began_s = time.monotonic()
        try:
            http_status = await self._send(row)
        except TimeoutError:
            error = f"it does not answer within {self._limits.patience_s:g} s"
            tried = Tried(took_s=time.monotonic() - began_s, error=error)
        except ReachError as exc:
            tried = Tried(took_s=time.monotonic() - began_s, error=exc.message)
        except Exception:  # one that cannot be told must not keep the others waiting
            _log.exception("delivery_failed delivery=%s", row["id"])
            error = "something went wrong inside midifarm; its log says what"
            tried = Tried(took_s=time.monotonic() - began_s, error=error)
        else:
            tried = Tried(
                took_s=time.monotonic() - began_s,
                http_status=http_status,
                error=answer_fault(http_status),
            )
        await self._note(row, tried)

    async def _send(self, row: Row) -> int:
        """Send a delivery; what was answered. Nothing of the answer's body is read."""
        body = message(row["event"], row["created_at"], row["data"])
        known = [secret for secret in (row["secret"], row["old_secret"]) if secret is not None]
        headers = {"Content-Type": "application/json"} | signed_headers(
            known, row["id"], int(time.time()), body
        )
        patience_s = self._limits.patience_s
        async with asyncio.timeout(patience_s), self._reach.client(patience_s + 1) as client:
            target = parse_target(row["url"], SCHEMES)
            response = await self._reach.send(client, "POST", target, headers=headers, content=body)
            await response.aclose()
            return response.status_code

    async def _note(self, row: Row, tried: Tried) -> None:
        status, wait_s = DeliveryStatus.DELIVERED, 0.0
        if tried.error is not None:
            again_s = self._schedule.wait_s(
                row["failures"] + 1,
                row["waited_s"] + tried.took_s,
                random.random(),  # noqa: S311  # no secret
            )
            status = DeliveryStatus.FAILED if again_s is None else DeliveryStatus.PENDING
            wait_s = again_s or 0.0
        self._metrics.webhook_tries.labels(status).inc()
        failures, until_s = 0, time.monotonic() + self._limits.lease_s
        while True:
            try:
                async with self._database.transaction() as connection:
                    noted = await deliveries.end_try(
                        connection,
                        row["id"],
                        lease=row["leased_until"],
                        status=status,
                        wait_s=wait_s,
                        took_s=tried.took_s,
                        http_status=tried.http_status,
                        error=tried.error,
                    )
            except DatabaseError as exc:
                if time.monotonic() > until_s:
                    raise  # somebody else has it by now
                failures = await back_off("delivery_unnoted", failures, exc)
            else:
                break
        _log.info(
            "webhook_told delivery=%s webhook=%s event=%s status=%s http_status=%s took_s=%.3f "
            "noted=%s error=%s",
            row["id"],
            row["webhook_id"],
            row["event"],
            status,
            tried.http_status,
            tried.took_s,
            noted,
            tried.error,
        )

    async def _release(self, held: Mapping[str, datetime]) -> None:
        if not held:
            return
        try:
            async with asyncio.timeout(_RELEASE_S), self._database.transaction() as connection:
                await deliveries.release(connection, held)
        except (DatabaseError, TimeoutError) as exc:
            _log.warning("deliveries_unreleased deliveries=%d error=%s", len(held), exc)

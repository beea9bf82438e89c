"""The dispatcher: gives work items to workers and takes their results.

PostgreSQL is the truth. What is kept here, the attempts under way, is needed only as long as
this process lives; a successor reads from the tables what is unfinished and goes on.

::

    leadership ─► a round, again and again:  taking ─► giving ─► watching
                  beside it:                 janitor, counting, demand
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import Final

from coordinator.database import Database, transitions
from coordinator.dispatcher.briefing import Briefing
from coordinator.dispatcher.clock import SYSTEM, Clock
from coordinator.dispatcher.counting import Counting
from coordinator.dispatcher.demand import Demand
from coordinator.dispatcher.desk import Desk
from coordinator.dispatcher.durations import Durations
from coordinator.dispatcher.farm import Farm
from coordinator.dispatcher.giving import Giving
from coordinator.dispatcher.janitor import Janitor
from coordinator.dispatcher.leadership import Leadership, leadership
from coordinator.dispatcher.limits import Limits
from coordinator.dispatcher.metrics import Metrics
from coordinator.dispatcher.running import written_by
from coordinator.dispatcher.suspects import Suspects
from coordinator.dispatcher.taking import Taking
from coordinator.dispatcher.telling import Telling
from coordinator.dispatcher.tracing import Tracing
from coordinator.dispatcher.under_way import UnderWay
from coordinator.dispatcher.watching import Watching
from coordinator.measured_store import MeasuredStore
from coordinator.ports import Executor
from coordinator.tasks import end_tasks
from shared.errors import ClusterLostError, DatabaseError
from shared.storage import LocalStore, ObjectStore
from shared.traces import Tracer

_log = logging.getLogger(__name__)

_WAIT_S: Final = 0.1
"""How long one look for ended attempts takes."""
_LOOK_S: Final = 0.5
"""How often progress is told, and attempts are looked after."""
_IDLE_S: Final = 0.5
"""How long nothing happens where nothing is to be done and nobody notifies us."""
_MEET_S: Final = 30.0
_MEET_AGAIN_S: Final = 0.1
_CONFIRM_S: Final = 1.0
_RECOVER_S: Final = 10.0
_FAREWELL_S: Final = 3.0
"""How long attempts have to stop when the dispatcher does."""
_DATABASE_REST_S: Final = 0.5


class Dispatcher:
    """Leads as long as it can; run() once."""

    def __init__(
        self,
        database: Database,
        store: ObjectStore,
        executor: Executor,
        limits: Limits,
        metrics: Metrics | None = None,
        clock: Clock = SYSTEM,
        tracer: Tracer | None = None,
    ) -> None:
        """Dispatch what a database holds.

        Args:
            database: The truth; its transactions are measured from now on.
            store: What the workers use.
            executor: Has the workers.
            limits: How patient we are.
            metrics: Told of everything; nobody asks for them without it.
            clock: The time that everything here goes by.
            tracer: Told what was done for each export; nobody is without it.
        """
        self._clock = clock
        self._metrics = metrics or Metrics()
        database.measure(self._metrics.calls.transaction)
        self._database = database
        self._limits = limits
        measured = MeasuredStore(store, self._metrics.calls)
        self._janitor = Janitor(database, measured, limits, self._metrics, clock)
        self._under_way = UnderWay(executor, clock)
        durations = Durations()
        self._farm = Farm(database, limits.quota_running, self._metrics, durations, clock)
        self._suspects = Suspects()
        tracing = Tracing(tracer, clock)
        desk = Desk(
            database=database,
            under_way=self._under_way,
            farm=self._farm,
            suspects=self._suspects,
            durations=durations,
            briefing=Briefing(database),
            telling=Telling(database),
            janitor=self._janitor,
            limits=limits,
            metrics=self._metrics,
            tracing=tracing,
            clock=clock,
        )
        self._taking = Taking(desk)
        self._giving = Giving(desk, measured)
        self._watching = Watching(desk, self._giving)
        self._counting = Counting(
            database,
            self._metrics,
            quota_running=limits.quota_running,
            folder=store.root if isinstance(store, LocalStore) else None,
            in_thread=self._janitor.in_thread,
            clock=clock,
            tracing=tracing,
        )
        self._demand = Demand(
            database,
            quota_running=limits.quota_running,
            ask_for=lambda slots: self._under_way.call(executor.ask_for, slots),
            clock=clock,
        )
        self._executor = executor
        self._wake = asyncio.Event()
        self._stop = asyncio.Event()
        self._epoch = 0
        self._looked_s = self._confirmed_s = self._recovered_s = 0.0

    def stop(self) -> None:
        """Have run() return soon; may be called at any time."""
        self._stop.set()
        self._wake.set()

    async def run(self) -> None:
        """Lead, or stand by, until stop().

        Raises:
            ClusterLostError: Ray does not answer; only a fresh process can go on.
        """
        listening = asyncio.create_task(self._listen())
        try:
            await self._meet_nodes()
            _log.info("standing_by")
            while not self._stop.is_set():
                try:
                    async with leadership(self._database, self._stop, self._give_up_to) as term:
                        if term is not None:
                            await self._lead(term)
                except DatabaseError as exc:
                    _log.warning("database_failed error=%s", exc)
                    await self._rest(_DATABASE_REST_S)
        finally:
            await end_tasks([listening])
            await self._janitor.close()
            self._under_way.close()

    async def _meet_nodes(self) -> None:
        """Wait a moment until the first node can work, so that whoever leads can begin at once."""
        until_s = self._clock.now_s() + _MEET_S
        while not self._stop.is_set() and self._clock.now_s() < until_s:
            nodes = await self._under_way.call(self._executor.nodes)
            offering = [node for node in nodes if node.cpus or node.gpus]
            # A cluster that grows by itself may have none, and grows by what waits.
            if not offering or any(node.slots or node.kept_out for node in offering):
                return
            await self._rest(_MEET_AGAIN_S)

    async def _listen(self) -> None:
        """Wake up when there is work."""
        while True:
            with contextlib.suppress(DatabaseError):
                async with self._database.lone_connection() as connection:
                    await connection.execute("listen midifarm_work")
                    self._wake.set()
                    async for _ in connection.notifies():
                        self._wake.set()
            await self._clock.sleep(_DATABASE_REST_S)

    async def _lead(self, term: Leadership) -> None:
        await self._take_over(term)
        _log.info("leading epoch=%d kept=%d", term.epoch, len(self._under_way))
        self._metrics.lead(term.epoch)
        beside = [
            asyncio.create_task(self._janitor.run(self._sweep)),
            asyncio.create_task(self._counting.run()),
            asyncio.create_task(self._demand.run()),
        ]
        try:
            while not self._stop.is_set():
                try:
                    await self._round(term)
                except DatabaseError as exc:
                    # One query that failed is no reason to throw all work away; raises if we
                    # do not lead any more.
                    self._metrics.failed_rounds.inc()
                    await self._confirm(term)
                    _log.warning("round_failed error=%s", exc)
                    self._recovered_s = 0.0
                    await self._rest(_DATABASE_REST_S)
        finally:
            await end_tasks(beside)
            self._metrics.resign()
            if self._stop.is_set():
                await self._say_farewell()

    async def _round(self, term: Leadership) -> None:
        """One round, and a rest after one in which there was nothing to do."""
        self._wake.clear()
        with self._metrics.round_duration.time():
            begun = await self._go_round(term)
        if not self._under_way and not begun:
            await self._idle()

    async def _go_round(self, term: Leadership) -> int:
        """Hear what has ended, begin what waits, look after what runs; how much was begun."""
        now_s = self._clock.now_s()
        if now_s - self._confirmed_s > _CONFIRM_S:
            await self._confirm(term)
            await self._farm.tell(
                await self._under_way.call(self._executor.nodes),
                list(self._under_way),
                self._suspects.resting_nodes(now_s),
            )
            self._confirmed_s = now_s
        if now_s - self._recovered_s > _RECOVER_S:
            await self._recover()
        await self._taking.hear(_WAIT_S if self._under_way else 0)
        begun = 0 if self._stop.is_set() else await self._giving.fill(self._epoch)
        if now_s - self._looked_s > _LOOK_S:
            self._looked_s = now_s
            await self._watching.look(self._epoch)
        return begun

    async def _confirm(self, term: Leadership) -> None:
        await term.confirm(self._farm.slots, self._limits.quota_running)

    async def _take_over(self, term: Leadership) -> None:
        """Begin a term: free what leaders before have lost, keep what is ours."""
        await self._give_up_to(term.epoch - 1)
        self._epoch = term.epoch
        await self._recover()

    async def _give_up_to(self, epoch: int) -> None:
        """End what is under way if somebody else has led since, and has begun it anew."""
        if self._under_way and epoch != self._epoch:
            names = [each.name for each in self._under_way]
            await self._under_way.call(self._executor.kill, names)
            self._under_way.clear()

    async def _recover(self) -> None:
        """Free every attempt that is not ours, and plan anew what no node can go on with.

        Attempts that are not ours are of leaders before, or were lost on their way to us.
        """
        self._recovered_s = self._clock.now_s()
        engines, served = self._farm.engines(self._limits.stranded_s)
        self._under_way.forget_old()
        self._giving.forget_old()
        async with self._database.transaction() as connection:
            lost = await transitions.recover(connection, self._under_way.ids)
            replanned = await transitions.replan_stranded(connection, engines, served)
        if replanned:
            _log.warning("replanned exports=%d", replanned)
        if lost:
            _log.warning("recovered attempts=%d", len(lost))
        for each in lost:
            self._metrics.ended(each.kind, "lost")
            if each.content_key is not None:
                self._janitor.delete_beside(written_by(each.content_key, each.attempt_id))

    async def _sweep(self) -> None:
        await self._under_way.call(self._executor.sweep)

    async def _idle(self) -> None:
        await self._clock.wait(self._wake, _IDLE_S)

    async def _rest(self, seconds: float) -> None:
        await self._clock.wait(self._stop, seconds)

    async def _say_farewell(self) -> None:
        """Stop what is under way, so that a successor can begin it at once."""
        with contextlib.suppress(DatabaseError, ClusterLostError):
            for each in self._under_way:
                each.verdict = None
            await self._under_way.tell_to_stop(list(self._under_way))
            # A successor asks for what it needs; where there is none, nothing is needed.
            await self._under_way.call(self._executor.ask_for, {})
            until_s = self._clock.now_s() + _FAREWELL_S
            while self._under_way and self._clock.now_s() < until_s:
                await self._taking.hear(_WAIT_S)
            async with self._database.transaction() as connection:
                for attempt in self._under_way.ids:
                    await transitions.release_attempt(connection, attempt)

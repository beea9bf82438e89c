"""The dispatcher: gives work items to workers and takes their results.

PostgreSQL is the truth. What is kept here, the attempts under way, is needed only as long as
this process lives; a successor reads from the tables what is unfinished and goes on.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, TypeVar

from pydantic import ValidationError

from coordinator.database import Database, transitions, work
from coordinator.database.transitions import Committed
from coordinator.dispatcher.briefing import Briefing
from coordinator.dispatcher.choosing import Placed, Turns, Waiting, choose
from coordinator.dispatcher.clock import SYSTEM, Clock
from coordinator.dispatcher.counting import Counting
from coordinator.dispatcher.demand import Demand
from coordinator.dispatcher.farm import Farm
from coordinator.dispatcher.janitor import Janitor
from coordinator.dispatcher.leadership import Leadership, leadership
from coordinator.dispatcher.limits import Limits
from coordinator.dispatcher.metrics import Metrics
from coordinator.dispatcher.running import (
    Running,
    Unsubmitted,
    attempt_id,
    attempt_name,
    written_by,
)
from coordinator.dispatcher.stragglers import stragglers
from coordinator.dispatcher.suspects import Suspects
from coordinator.dispatcher.telling import Telling
from coordinator.measured_store import MeasuredStore
from coordinator.placing import ANY, Places
from coordinator.ports import AttemptStatus, Executor, Item, Outcome, Report
from coordinator.tasks import end_tasks
from shared.errors import (
    CancelledError,
    ClusterError,
    ClusterLostError,
    CompositionError,
    DatabaseError,
    ErrorKind,
    MidifarmError,
    RenderError,
    StorageError,
)
from shared.intake import Intake
from shared.plan import SegmentReport
from shared.storage import LocalStore, ObjectStore

_log = logging.getLogger(__name__)
T = TypeVar("T")

_WAIT_S: Final = 0.1
"""How long one look for ended attempts takes."""
_LOOK_S: Final = 0.5
"""How often progress is told, and attempts are looked after."""
_IDLE_S: Final = 0.5
"""How long nothing happens where nothing is to be done and nobody notifies us."""
_CLEAN_S: Final = 60.0
_ORPHANS_S: Final = 3600.0
_STORE_ANSWER_S: Final = 3.0
_STORE_REST_S: Final = 5.0
_CONFIRM_S: Final = 1.0
_RECOVER_S: Final = 10.0
_ODD_REST_S: Final = 60.0
_LOG_CHARACTERS: Final = 4000
_REMEMBERED: Final = 10_000
_SERVED: Final = 1000
"""Users of whom it is known when they were served last; the database is told of all of them."""
_KILL_AGAIN_S: Final = 5.0
_GONE_S: Final = 0.5
"""An attempt on a node that has been gone for so long is given up."""
_FORGET_S: Final = 60.0
"""An attempt of whose end nothing is heard for so long after it was killed is given up."""
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
    ) -> None:
        """Dispatch what a database holds.

        Args:
            database: The truth; its transactions are measured from now on.
            store: What the workers use.
            executor: Has the workers.
            limits: How patient we are.
            metrics: Told of everything; nobody asks for them without it.
            clock: The time that everything here goes by.
        """
        self._clock = clock
        self._metrics = metrics or Metrics()
        database.measure(self._metrics.calls.transaction)
        self._database = database
        self._store = MeasuredStore(store, self._metrics.calls)
        self._executor = executor
        self._limits = limits
        self._janitor = Janitor(database, self._store, limits, self._metrics)
        self._counting = Counting(
            database,
            self._metrics,
            quota_running=limits.quota_running,
            folder=store.root if isinstance(store, LocalStore) else None,
            in_thread=self._janitor.in_thread,
            clock=clock,
        )
        self._demand = Demand(
            database,
            quota_running=limits.quota_running,
            ask_for=lambda slots: self._call(executor.ask_for, slots),
        )
        # Ray is used from one thread only.
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="executor")
        self._wake = asyncio.Event()
        self._stop = asyncio.Event()
        self._running: dict[int, Running] = {}
        self._attempts_of: defaultdict[int, set[int]] = defaultdict(set)
        """Those under way, by their items."""
        self._unheard: list[Outcome] = []
        self._epoch = 0
        self._served: dict[str, int] = {}
        self._suspects = Suspects()
        self._failed_on: defaultdict[int, set[str]] = defaultdict(set)
        self._given_up: dict[str, Waiting] = {}
        self._telling = Telling(database)
        self._briefing = Briefing(database)
        self._farm = Farm(database, limits.quota_running, self._metrics, clock)
        self._looked_s = self._confirmed_s = self._recovered_s = self._store_silent_s = 0.0
        self._to_sweep_s: float | None = None
        self._deleting: set[asyncio.Task[None]] = set()

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
            if self._deleting:
                await asyncio.wait(self._deleting, timeout=1.0)
            self._janitor.close()
            self._thread.shutdown(wait=False)

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
        _log.info("leading epoch=%d kept=%d", term.epoch, len(self._running))
        self._metrics.lead(term.epoch)
        beside = [
            asyncio.create_task(self._keep_clean()),
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
        if not self._running and not begun:
            await self._idle()

    async def _go_round(self, term: Leadership) -> int:
        """Hear what has ended, begin what waits, look after what runs; how much was begun."""
        now_s = self._clock.now_s()
        if now_s - self._confirmed_s > _CONFIRM_S:
            await self._confirm(term)
            await self._farm.tell(
                await self._call(self._executor.nodes),
                list(self._running.values()),
                self._suspects.resting_nodes(now_s),
            )
            self._confirmed_s = now_s
        if now_s - self._recovered_s > _RECOVER_S:
            await self._recover()
        await self._hear(_WAIT_S if self._running else 0)
        begun = await self._fill()
        if now_s - self._looked_s > _LOOK_S:
            self._looked_s = now_s
            await self._look()
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
        if self._running and epoch != self._epoch:
            await self._call(self._executor.kill, [each.name for each in self._running.values()])
            self._running.clear()
            self._attempts_of.clear()

    async def _recover(self) -> None:
        """Free every attempt that is not ours, and plan anew what no node can go on with.

        Attempts that are not ours are of leaders before, or were lost on their way to us.
        """
        self._recovered_s = self._clock.now_s()
        engines, served = self._farm.engines(self._limits.stranded_s)
        for book, most in (
            (self._failed_on, _REMEMBERED),
            (self._given_up, _REMEMBERED),
            (self._served, _SERVED),
        ):
            while len(book) > most:
                book.pop(next(iter(book)))  # type: ignore[call-overload]  # the oldest
        async with self._database.transaction() as connection:
            lost = await transitions.recover(connection, list(self._running))
            replanned = await transitions.replan_stranded(connection, engines, served)
        if replanned:
            _log.warning("replanned exports=%d", replanned)
        if lost:
            _log.warning("recovered attempts=%d", len(lost))
        for each in lost:
            self._metrics.ended(each.kind, "lost")
            if each.content_key is not None:
                self._delete(written_by(each.content_key, each.attempt_id))

    async def _hear(self, timeout_s: float) -> None:
        """Take the results of attempts that have ended."""
        self._unheard += await self._call(self._executor.wait, timeout_s)
        await self._take_chunks()
        while self._unheard:
            # Stays on the list until the database knows.
            outcome = self._unheard[0]
            try:
                await self._take(outcome)
            except (DatabaseError, ClusterLostError):
                raise
            except Exception as exc:
                # One odd result must not stop the farm.
                _log.exception("outcome_refused attempt=%s", outcome.attempt)
                await self._refuse(outcome, exc)
            del self._unheard[0]

    async def _take_chunks(self) -> None:
        """Take those results that are chunks, all at once; what is odd is left to _take()."""
        made = {
            running.id: (running, outcome, outcome.report)
            for outcome in self._unheard
            if isinstance(outcome.report, SegmentReport)
            and (running := self._running_of(outcome)) is not None
        }
        if len(made) < 2:
            return
        try:
            async with self._database.transaction() as connection:
                taken = await transitions.commit_chunks(
                    connection,
                    [
                        transitions.MadeChunk(
                            attempt_id=each,
                            report=report,
                            worker=told.worker,
                            node=told.node,
                            wall_s=told.wall_s,
                        )
                        for each, (_, told, report) in made.items()
                    ],
                )
        except (DatabaseError, ClusterLostError):
            raise
        except Exception:
            _log.exception("chunks_refused attempts=%d", len(made))
            return
        heard = {made[each][0].name for each in taken}
        self._unheard = [each for each in self._unheard if each.attempt not in heard]
        for each, done in taken.items():
            await self._note_committed(*made[each], done)
            self._drop(made[each][0])

    async def _refuse(self, outcome: Outcome, exc: Exception) -> None:
        """Fail an attempt whose result cannot be kept."""
        running = self._running_of(outcome)
        if running is None:
            return
        error = RenderError(
            f"Its result cannot be kept: {type(exc).__name__}.", log=f"{exc!r}"[:_LOG_CHARACTERS]
        )
        try:
            await self._take_failure(running, outcome, error)
        finally:
            # Whatever is wrong with it: it is not ours any more, and is freed as a lost one.
            self._drop(running)

    def _running_of(self, outcome: Outcome) -> Running | None:
        """The attempt that has ended; None where it is not ours any more."""
        return self._running.get(attempt_id(outcome.attempt))

    async def _take(self, outcome: Outcome) -> None:
        running = self._running_of(outcome)
        if running is None:
            self._note_late(outcome)
            return
        if outcome.error is not None:
            await self._take_failure(running, outcome, outcome.error)
        else:
            assert outcome.report is not None  # noqa: S101  # one of the two is there
            await self._take_report(running, outcome, outcome.report)
        self._drop(running)

    def _keep(self, running: Running) -> None:
        """Note that an attempt is under way."""
        self._running[running.id] = running
        self._attempts_of[running.item.id].add(running.id)

    def _drop(self, running: Running) -> None:
        """Forget an attempt; a second time does no harm."""
        self._running.pop(running.id, None)
        attempts = self._attempts_of[running.item.id]
        attempts.discard(running.id)
        if not attempts:
            del self._attempts_of[running.item.id]

    def _note_late(self, outcome: Outcome) -> None:
        """Count a report of what was given up with its node; what it made is nobody's."""
        item = self._given_up.pop(outcome.attempt, None)
        if item is None or outcome.report is None:
            return
        self._metrics.ended(item.kind, "late")
        _log.info("attempt_late attempt=%s kind=%s", outcome.attempt, item.kind)
        if item.content_key is not None:
            self._delete(written_by(item.content_key, attempt_id(outcome.attempt)))

    async def _take_report(self, running: Running, outcome: Outcome, report: Report) -> None:
        item, plan = running.item, None
        if isinstance(report, Intake):
            try:
                plan = await self._briefing.plan(item, report, self._engine_for(item.pool))
            except (CompositionError, ClusterError) as exc:
                await self._take_failure(running, outcome, exc)
                return
        async with self._database.transaction() as connection:
            done = await transitions.commit_attempt(
                connection,
                running.id,
                report,
                worker=outcome.worker,
                node=outcome.node,
                wall_s=outcome.wall_s,
                retention_s=self._limits.retention_s,
                plan=plan,
            )
        await self._note_committed(running, outcome, report, done)

    async def _note_committed(
        self, running: Running, outcome: Outcome, report: Report, done: Committed
    ) -> None:
        """Tell of a result that was handed in, and see to what is not needed by it any more."""
        item = running.item
        _log.info(
            "attempt_%s attempt=%s kind=%s export=%s",
            "committed" if done.accepted else "late",
            running.name,
            item.kind,
            item.export_id,
        )
        if done.accepted:
            since_ready_s = item.waited_s + self._clock.now_s() - running.submitted_s
            self._metrics.committed(
                item.kind, report, wall_s=outcome.wall_s, since_ready_s=since_ready_s
            )
        else:
            self._metrics.ended(item.kind, "late")
        self._suspects.succeeded(outcome.worker, outcome.node)
        self._failed_on.pop(item.id, None)
        if not done.accepted or done.superseded:
            self._delete_own(running)
        elif item.kind == "chunk" and item.export_id and outcome.wall_s is not None:
            self._telling.note_chunk(item.export_id, outcome.wall_s)
        others = self._attempts_of[item.id] - {running.id}
        await self._tell_to_stop([self._running[each] for each in others])

    async def _take_failure(self, running: Running, outcome: Outcome, error: MidifarmError) -> None:
        item = running.item
        stopped = isinstance(error, CancelledError) and running.verdict is None
        error = running.verdict or error
        async with self._database.transaction() as connection:
            if stopped:
                await transitions.release_attempt(connection, running.id, outcome.wall_s)
            else:
                await transitions.fail_attempt(
                    connection,
                    running.id,
                    error,
                    worker=outcome.worker,
                    node=outcome.node,
                    wall_s=outcome.wall_s,
                )
        self._delete_own(running)
        if stopped:
            self._metrics.ended(item.kind, "cancelled")
            return
        self._metrics.failed(item.kind, error.kind)
        _log.warning(
            "attempt_failed attempt=%s kind=%s export=%s worker=%s error_kind=%s error=%s",
            running.name,
            item.kind,
            item.export_id,
            outcome.worker,
            error.kind,
            error,
        )
        if error.kind is ErrorKind.PERMANENT:
            return
        if error.kind is ErrorKind.TRANSIENT and isinstance(error, ClusterError):
            self._suspects.lost(running.node, self._clock.now_s())
        if outcome.node is not None:
            self._failed_on[item.id].add(outcome.node)
        # What hinders a worker may be its node's disk or network, but is not the worker's fault.
        worker = outcome.worker if error.kind is ErrorKind.SUSPECT else None
        # All previews of a user count as one: whoever looks at the same odd song again and again
        # must not set nodes aside.
        whose = item.export_id or item.asset_id or item.user_id
        if self._suspects.failed(worker, outcome.node, whose, self._clock.now_s()) and worker:
            _log.warning("worker_set_aside worker=%s", worker)
            await self._call(self._executor.retire, worker)

    def _previews(self) -> int:
        """Previews under way."""
        return sum(each.item.kind == "preview" for each in self._running.values())

    def _engine_for(self, pool: str) -> str:
        """The engine that an export of a pool is planned for.

        Raises:
            ClusterError: The pool has no nodes any more.
        """
        engine = self._farm.places().engine_of(pool)
        if engine is None:
            raise ClusterError(f"No node of the pool {pool} is left to render it.")
        return engine

    def _places(self) -> Places:
        """The slots, and what they are at."""
        return self._farm.places(self._running.values(), margin=self._limits.margin)

    def _avoided(self, item: Waiting) -> set[str]:
        """Nodes that an item had better not be put on."""
        resting = self._suspects.resting_nodes(self._clock.now_s())
        return {*resting, *self._failed_on.get(item.id, ())}

    def _turns(self) -> Turns:
        """Whose turn it is, by what is under way."""
        # A second attempt beside a slow one is no second item.
        items = {each.item.id: each.item for each in self._running.values()}
        return Turns(
            running=Counter(each.item.user_id for each in self._running.values()),
            counted=Counter(item.user_id for item in items.values() if item.rank > 0),
            served=self._served,
            most=self._farm.most,
        )

    async def _fill(self) -> int:
        """Begin as much as there is room for; how much that was."""
        if self._stop.is_set():
            return 0
        shown: list[Waiting] = []
        queued: list[Waiting] = []
        async with self._database.transaction() as connection:
            await self._farm.hear(connection)
            if self._farm.orders.paused:
                return 0
            places, turns = self._places(), self._turns()
            if places.slots and self._previews() < self._limits.previews_of(places.slots):
                shown = await work.list_previews(connection)
            for pool in (ANY, *places.pools):
                if room := places.room(pool):
                    queued += await work.list_waiting(
                        connection,
                        pool=pool,
                        engines=places.engines_with_room(pool),
                        limit=room,
                        turns=turns,
                    )
        if not shown and not queued:
            return 0
        chosen = [
            *choose(shown, self._place_beside(places), turns),
            *choose(queued, lambda item: places.place(item.need, self._avoided(item)), turns),
        ]
        to_make: list[Placed] = []
        for item, node in chosen:
            try:
                if item.found_key is None or not await self._is_found(item, item.found_key):
                    to_make.append((item, node))
            except (DatabaseError, ClusterLostError):
                raise
            except Exception:
                _log.exception("item_refused item=%d export=%s", item.id, item.export_id)
                async with self._database.transaction() as connection:
                    await transitions.postpone_item(connection, item.id, _ODD_REST_S)
        await self._begin(to_make)
        return len(chosen)

    def _place_beside(self, places: Places) -> Callable[[Waiting], str | None]:
        """Puts previews on nodes, as many as the farm makes at a time."""
        under_way = Counter(
            each.node for each in self._running.values() if each.item.kind == "preview"
        )
        most = self._limits.previews_of(places.slots)

        def place(item: Waiting) -> str | None:
            if under_way.total() >= most:
                return None
            node = places.beside(under_way, self._avoided(item))
            if node is not None:
                under_way[node] += 1
            return node

        return place

    async def _is_found(self, item: Waiting, key: str) -> bool:
        """Whether an item needs no worker: its result stands already, or may do so.

        Args:
            item: Which.
            key: Of the object that is its result.
        """
        # A segment that does not stand is noticed by the stitch; a video would be by nobody.
        shown = item.kind in ("stitch", "preview")
        stands = await self._stands(key) if shown else True
        async with self._database.transaction() as connection:
            if stands is None:
                await transitions.postpone_item(connection, item.id, _STORE_REST_S)
            elif stands:
                await transitions.reuse_item(
                    connection, item.id, item.export_id, self._limits.retention_s
                )
            else:
                await transitions.forget_artifact(connection, key)
        return stands is not False

    async def _begin(self, chosen: Sequence[Placed]) -> None:
        """Begin items on their nodes, but for those that wait no more."""
        if not chosen:
            return
        async with self._database.transaction() as connection:
            claimed = await transitions.claim_items(
                connection, {item.id: item.export_id for item, _ in chosen}, self._epoch
            )
        now_s = self._clock.now_s()
        begun = [
            Running(claimed[item.id], item, now_s, node)
            for item, node in chosen
            if item.id in claimed
        ]
        for running in begun:
            self._metrics.began(running.item.kind, running.item.waited_s)
        await self._submit(begun)

    async def _stands(self, key: str) -> bool | None:
        """Whether an object is in the store; None where the store does not say so soon."""
        if self._clock.now_s() < self._store_silent_s:
            return None
        try:
            return await asyncio.wait_for(
                self._janitor.in_thread(self._store.exists, key), _STORE_ANSWER_S
            )
        except (TimeoutError, StorageError) as exc:
            _log.warning("store_does_not_answer key=%s error=%r", key, exc)
            self._store_silent_s = self._clock.now_s() + _STORE_REST_S
            return None

    async def _submit(self, attempts: Sequence[Running]) -> None:
        """Have attempts made by their nodes."""
        told: list[tuple[str, Item, str]] = []
        for running in attempts:
            # Ours from here on: what goes wrong now is told by its outcome or by a successor.
            self._keep(running)
        for place, running in enumerate(attempts):
            try:
                spec = await self._briefing.spec(running.item, running.name)
            except ValidationError as exc:
                unreadable = CompositionError(f"This version cannot read the work item: {exc}")
                self._unheard.append(Unsubmitted(attempt=running.name, error=unreadable))
                continue
            except DatabaseError:
                # No worker will ever hear of these: to be freed with what leaders before have lost.
                for unheard in attempts[place:]:
                    self._drop(unheard)
                await self._call(self._submit_all, told)
                raise
            told.append((running.name, spec, running.node))
            _log.info(
                "attempt_submitted attempt=%s kind=%s export=%s chunk=%s node=%s",
                running.name,
                running.item.kind,
                running.item.export_id,
                running.item.chunk_index,
                running.node,
            )
        await self._call(self._submit_all, told)

    def _submit_all(self, told: Collection[tuple[str, Item, str]]) -> None:
        for attempt, spec, node in told:
            self._executor.submit(attempt, spec, node)

    async def _look(self) -> None:
        """Look after the attempts under way."""
        now_s = self._clock.now_s()
        if self._running:
            status = await self._call(self._executor.status)
            self._note(status, now_s)
            await self._give_up_lost(now_s)
            await self._stop_unwanted(now_s)
            exports = await self._telling.tell(self._running.values(), now_s)
            for export_id, row in exports.items():
                await self._help_stragglers(export_id, row, now_s)
        if self._to_sweep_s is not None and now_s > self._to_sweep_s:
            self._to_sweep_s = None
            await self._call(self._executor.sweep)

    async def _keep_clean(self) -> None:
        """Clean up beside the work: a store that is slow or down must not hold that up."""
        cleaned_s = swept_s = 0.0
        while True:
            now_s = self._clock.now_s()
            try:
                await self._janitor.clean_ended()
                await self._janitor.clean_deleted()
                if now_s - cleaned_s > _CLEAN_S:
                    cleaned_s = now_s
                    await self._call(self._executor.sweep)
                    await self._janitor.clean_old()
                if now_s - swept_s > _ORPHANS_S:
                    swept_s = now_s
                    await self._janitor.clean_orphans()
            except (DatabaseError, StorageError) as exc:
                _log.warning("cleaning_failed error=%s", exc)
            except Exception:
                _log.exception("cleaning_failed")
            await self._clock.sleep(_LOOK_S)

    def _note(self, status: Mapping[str, AttemptStatus], now_s: float) -> None:
        for running in self._running.values():
            told = status.get(running.name)
            if told is None:
                continue
            if running.started_s is None:
                running.started_s = now_s - max(0.0, self._clock.epoch_s() - told.started_at)
                running.moved_s = now_s
            running.worker = told.worker
            if told.frames > running.frames:
                running.frames, running.moved_s = told.frames, now_s

    async def _stop_unwanted(self, now_s: float) -> None:
        """Stop what is not wanted any more, and what takes too long."""
        async with self._database.transaction() as connection:
            await self._farm.hear(connection)
            wanted = await work.wanted_attempts(connection, list(self._running))
        await self._tell_to_stop(
            [
                each
                for each in self._running.values()
                if each.id not in wanted or self._farm.is_recalled(each, held=wanted[each.id])
            ]
        )
        await self._tell_to_stop(self._misplaced())
        slots = {node.id: node.slots for node in self._farm.nodes}
        begun = Counter(each.node for each in self._running.values() if each.started_s is not None)
        for running in self._running.values():
            if running.told_s is not None:
                continue
            if running.started_s is None:
                # Behind others it may wait as long as they take; beside a free slot it is lost.
                is_free = begun[running.node] < slots.get(running.node, 0)
                if is_free and now_s - running.submitted_s > self._limits.begin_s:
                    running.verdict = ClusterError(
                        f"No worker has begun it within {self._limits.begin_s:.0f} s."
                    )
            elif now_s - running.started_s > self._limits.deadline_of(running.item.kind):
                running.verdict = RenderError(
                    f"It ran for more than {self._limits.deadline_of(running.item.kind):.0f} s."
                )
            elif running.item.kind == "chunk" and now_s - running.moved_s > self._limits.stall_s:
                running.verdict = RenderError(f"It drew no frame for {self._limits.stall_s:.0f} s.")
            if running.verdict is not None:
                await self._tell_to_stop([running])
        stubborn = [
            each
            for each in self._running.values()
            if each.told_s is not None
            and now_s - each.told_s >= self._limits.grace_s
            and now_s - each.killed_s >= _KILL_AGAIN_S
        ]
        if stubborn:
            await self._call(self._executor.kill, [each.name for each in stubborn])
            for each in stubborn:
                each.killed_s = now_s
                if each.told_s is not None and now_s - each.told_s > _FORGET_S:
                    _log.error("attempt_given_up attempt=%s", each.name)
                    self._drop(each)
            self._to_sweep_s = now_s + 6.0

    def _misplaced(self) -> list[Running]:
        """What waits on a busy node while a slot that could do it is free elsewhere."""
        places = self._farm.places(self._running.values())
        there: defaultdict[str, list[Running]] = defaultdict(list)
        for running in self._running.values():
            if running.item.kind != "preview":
                there[running.node].append(running)
        found = []
        for node in self._farm.nodes:
            beyond = len(there[node.id]) - node.slots
            if beyond <= 0:
                continue
            waiting = [
                each for each in there[node.id] if each.started_s is None and each.told_s is None
            ]
            # The last ones: the first will have the slots that are free next.
            found += [
                each
                for each in waiting[::-1][:beyond]
                if places.place(each.item.need, self._avoided(each.item)) is not None
            ]
        return found

    async def _give_up_lost(self, now_s: float) -> None:
        """Give up what is on nodes that are gone: of some, nobody ever hears again."""
        living = {node.id for node in self._farm.nodes}
        for running in self._running.values():
            if running.node in living:
                running.gone_s = None
            elif running.gone_s is None:
                running.gone_s = now_s
            elif now_s - running.gone_s > _GONE_S and running.name not in self._given_up:
                self._given_up[running.name] = running.item
                await self._call(self._executor.cancel, [running.name])
                gone = ClusterError("The node that the work ran on is lost.")
                self._unheard.append(Unsubmitted(attempt=running.name, error=gone))

    async def _tell_to_stop(self, attempts: Collection[Running]) -> None:
        untold = [each for each in attempts if each.told_s is None]
        if untold:
            await self._call(self._executor.cancel, [each.name for each in untold])
            for each in untold:
                each.told_s = self._clock.now_s()

    async def _help_stragglers(self, export_id: str, row: Mapping[str, Any], now_s: float) -> None:
        """Begin second attempts of chunks that take far longer than the others did."""
        attempts = [
            each
            for each in self._running.values()
            if each.item.export_id == export_id and each.item.kind == "chunk"
        ]
        tries = Counter(each.item.id for each in attempts)
        ages = {
            each.id: now_s - each.started_s
            for each in attempts
            if each.started_s is not None and tries[each.item.id] == 1 and each.told_s is None
        }
        for attempt in stragglers(
            ages,
            self._telling.took_s(export_id),
            done=row["chunks_done"],
            total=row["chunks"],
            least_s=self._limits.straggler_s,
        ):
            slow = self._running[attempt]
            avoid = {slow.node, *self._avoided(slow.item)}
            node = self._farm.places(self._running.values()).place(slow.item.need, avoid)
            if node is None:
                return
            async with self._database.transaction() as connection:
                second = await transitions.add_attempt(connection, slow.item.id, self._epoch)
            if second is None:
                continue
            self._metrics.second_attempts.inc()
            _log.warning("straggler attempt=%s second=%s", slow.name, attempt_name(second))
            self._failed_on[slow.item.id].add(slow.node)
            await self._submit([Running(second, slow.item, now_s, node)])

    async def _idle(self) -> None:
        await self._clock.wait(self._wake, _IDLE_S)

    async def _rest(self, seconds: float) -> None:
        await self._clock.wait(self._stop, seconds)

    async def _say_farewell(self) -> None:
        """Stop what is under way, so that a successor can begin it at once."""
        with contextlib.suppress(DatabaseError, ClusterLostError):
            for each in self._running.values():
                each.verdict = None
            await self._tell_to_stop(list(self._running.values()))
            # A successor asks for what it needs; where there is none, nothing is needed.
            await self._call(self._executor.ask_for, {})
            until_s = self._clock.now_s() + _FAREWELL_S
            while self._running and self._clock.now_s() < until_s:
                await self._hear(_WAIT_S)
            async with self._database.transaction() as connection:
                for attempt in self._running:
                    await transitions.release_attempt(connection, attempt)

    def _delete_own(self, running: Running) -> None:
        """Delete what an attempt may have written, since nobody refers to it."""
        if running.item.content_key is not None:
            self._delete(written_by(running.item.content_key, running.id))

    def _delete(self, keys: Collection[str]) -> None:
        """Delete objects beside the work."""
        task = asyncio.create_task(self._janitor.delete(keys))
        self._deleting.add(task)
        task.add_done_callback(self._deleting.discard)

    async def _call(self, function: Callable[..., T], *arguments: Any) -> T:
        """Call the executor in its thread."""
        return await asyncio.get_running_loop().run_in_executor(
            self._thread, lambda: function(*arguments)
        )

"""Taking results: every attempt ends here, once."""

from __future__ import annotations

import logging
from typing import Final

from coordinator.database import transitions
from coordinator.database.transitions import Committed
from coordinator.dispatcher.desk import Desk
from coordinator.dispatcher.running import Running, attempt_id, written_by
from coordinator.ports import Outcome, Report
from shared.errors import (
    CancelledError,
    ClusterError,
    ClusterLostError,
    CompositionError,
    DatabaseError,
    ErrorKind,
    MidifarmError,
    RenderError,
)
from shared.intake import Intake
from shared.plan import SegmentReport

_log = logging.getLogger(__name__)

_LOG_CHARACTERS: Final = 4000


class Taking:
    """Takes the results of attempts, for one dispatcher."""

    def __init__(self, desk: Desk) -> None:
        """Share what a dispatcher has."""
        self._desk = desk
        self._under_way = desk.under_way

    async def hear(self, timeout_s: float) -> None:
        """Take the results of attempts that have ended."""
        self._under_way.unheard += await self._under_way.call(
            self._under_way.executor.wait, timeout_s
        )
        await self._take_chunks()
        while self._under_way.unheard:
            # Stays on the list until the database knows.
            outcome = self._under_way.unheard[0]
            try:
                await self._take(outcome)
            except (DatabaseError, ClusterLostError):
                raise
            except Exception as exc:
                # One odd result must not stop the farm.
                _log.exception("outcome_refused attempt=%s", outcome.attempt)
                await self._refuse(outcome, exc)
            del self._under_way.unheard[0]

    async def _take_chunks(self) -> None:
        """Take those results that are chunks, all at once; what is odd is left to _take()."""
        made = {
            running.id: (running, outcome, outcome.report)
            for outcome in self._under_way.unheard
            if isinstance(outcome.report, SegmentReport)
            and (running := self._under_way.find(outcome)) is not None
        }
        if len(made) < 2:
            return
        try:
            async with self._desk.database.transaction() as connection:
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
        self._under_way.unheard = [
            each for each in self._under_way.unheard if each.attempt not in heard
        ]
        for each, done in taken.items():
            await self._note_committed(*made[each], done)
            self._under_way.drop(made[each][0])

    async def _refuse(self, outcome: Outcome, exc: Exception) -> None:
        """Fail an attempt whose result cannot be kept."""
        running = self._under_way.find(outcome)
        if running is None:
            return
        error = RenderError(
            f"Its result cannot be kept: {type(exc).__name__}.", log=f"{exc!r}"[:_LOG_CHARACTERS]
        )
        try:
            await self._take_failure(running, outcome, error)
        finally:
            # Whatever is wrong with it: it is not ours any more, and is freed as a lost one.
            self._under_way.drop(running)

    async def _take(self, outcome: Outcome) -> None:
        running = self._under_way.find(outcome)
        if running is None:
            self._note_late(outcome)
            return
        if outcome.error is not None:
            await self._take_failure(running, outcome, outcome.error)
        else:
            assert outcome.report is not None  # noqa: S101  # one of the two is there
            await self._take_report(running, outcome, outcome.report)
        self._under_way.drop(running)

    def _note_late(self, outcome: Outcome) -> None:
        """Count a report of what was given up with its node; what it made is nobody's."""
        item = self._under_way.given_up.pop(outcome.attempt, None)
        if item is None or outcome.report is None:
            return
        self._desk.metrics.ended(item.kind, "late")
        _log.info(
            "attempt_late attempt=%s kind=%s export=%s chunk=%s",
            outcome.attempt,
            item.kind,
            item.export_id,
            item.chunk_index,
        )
        if item.content_key is not None:
            self._desk.janitor.delete_beside(
                written_by(item.content_key, attempt_id(outcome.attempt))
            )

    async def _take_report(self, running: Running, outcome: Outcome, report: Report) -> None:
        item, plan = running.item, None
        if isinstance(report, Intake):
            try:
                plan = await self._desk.briefing.plan(item, report, self._engine_for(item.pool))
            except (CompositionError, ClusterError) as exc:
                await self._take_failure(running, outcome, exc)
                return
        async with self._desk.database.transaction() as connection:
            done = await transitions.commit_attempt(
                connection,
                running.id,
                report,
                worker=outcome.worker,
                node=outcome.node,
                wall_s=outcome.wall_s,
                retention_s=self._desk.limits.retention_s,
                plan=plan,
            )
        await self._note_committed(running, outcome, report, done)

    def _engine_for(self, pool: str) -> str:
        """The engine that an export of a pool is planned for.

        Raises:
            ClusterError: The pool has no nodes any more.
        """
        engine = self._desk.farm.places().engine_of(pool)
        if engine is None:
            raise ClusterError(f"No node of the pool {pool} is left to render it.")
        return engine

    async def _note_committed(
        self, running: Running, outcome: Outcome, report: Report, done: Committed
    ) -> None:
        """Tell of a result that was handed in, and see to what is not needed by it any more."""
        item, came_to = running.item, "committed" if done.accepted else "late"
        self._desk.tracing.attempt_ended(running, outcome, came_to)
        _log.info(
            "attempt_%s attempt=%s kind=%s export=%s chunk=%s",
            came_to,
            running.name,
            item.kind,
            item.export_id,
            item.chunk_index,
        )
        if done.accepted:
            since_ready_s = item.waited_s + self._desk.clock.now_s() - running.submitted_s
            self._desk.metrics.committed(
                item.kind, report, wall_s=outcome.wall_s, since_ready_s=since_ready_s
            )
        else:
            self._desk.metrics.ended(item.kind, "late")
        self._desk.suspects.succeeded(outcome.worker, outcome.node)
        self._under_way.failed_on.pop(item.id, None)
        if not done.accepted or done.superseded:
            self._delete_own(running)
        elif outcome.wall_s is not None:
            self._note_duration(running, outcome.node, outcome.wall_s)
        others = self._under_way.beside(running)
        for slower in others:
            if item.kind == "chunk" and item.export_id and slower.started_s is not None:
                ran_s = self._desk.clock.now_s() - slower.started_s
                self._desk.durations.note_overtaken(item.export_id, slower.node, ran_s)
        await self._under_way.tell_to_stop(others)

    def _note_duration(self, running: Running, node: str | None, wall_s: float) -> None:
        item = running.item
        if item.kind == "chunk" and item.export_id is not None:
            self._desk.durations.note_chunk(item.export_id, node, wall_s)
        else:
            self._desk.durations.note(item.kind, running.size, wall_s)

    async def _take_failure(self, running: Running, outcome: Outcome, error: MidifarmError) -> None:
        item = running.item
        stopped = isinstance(error, CancelledError) and running.verdict is None
        error = running.verdict or error
        async with self._desk.database.transaction() as connection:
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
        came_to = "cancelled" if stopped else "failed"
        self._desk.tracing.attempt_ended(running, outcome, came_to, None if stopped else error)
        if stopped:
            self._desk.metrics.ended(item.kind, came_to)
            return
        self._desk.metrics.failed(item.kind, error.kind)
        _log.warning(
            "attempt_failed attempt=%s kind=%s export=%s chunk=%s worker=%s error_kind=%s error=%s",
            running.name,
            item.kind,
            item.export_id,
            item.chunk_index,
            outcome.worker,
            error.kind,
            error,
        )
        if error.kind is ErrorKind.PERMANENT:
            return
        if error.kind is ErrorKind.TRANSIENT and isinstance(error, ClusterError):
            self._desk.suspects.lost(running.node, self._desk.clock.now_s())
        if outcome.node is not None:
            self._under_way.failed_on[item.id].add(outcome.node)
        # What hinders a worker may be its node's disk or network, but is not the worker's fault.
        worker = outcome.worker if error.kind is ErrorKind.SUSPECT else None
        # All previews of a user count as one: whoever looks at the same odd song again and again
        # must not set nodes aside.
        whose = item.export_id or item.asset_id or item.user_id
        if (
            self._desk.suspects.failed(worker, outcome.node, whose, self._desk.clock.now_s())
            and worker
        ):
            _log.warning("worker_set_aside worker=%s", worker)
            await self._under_way.call(self._under_way.executor.retire, worker)

    def _delete_own(self, running: Running) -> None:
        """Delete what an attempt may have written, since nobody refers to it."""
        if running.item.content_key is not None:
            self._desk.janitor.delete_beside(written_by(running.item.content_key, running.id))

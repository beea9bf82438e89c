"""Telling traces of what the dispatcher knows: of attempts, and of exports as a whole."""

from __future__ import annotations

from collections.abc import Iterable

from coordinator.database import Row
from coordinator.dispatcher.clock import Clock
from coordinator.dispatcher.running import Running
from coordinator.ports import Outcome
from shared.errors import MidifarmError
from shared.traces import Span, Tracer


class Tracing:
    """Tells a tracer, where there is one."""

    def __init__(self, tracer: Tracer | None, clock: Clock) -> None:
        """Tell of what ends from now on."""
        self._tracer = tracer
        self._clock = clock

    @property
    def is_on(self) -> bool:
        """Whether anybody is told."""
        return self._tracer is not None

    def attempt_ended(
        self, running: Running, outcome: Outcome, came_to: str, error: MidifarmError | None = None
    ) -> None:
        """An attempt has ended.

        Args:
            running: Which.
            outcome: What was heard of it.
            came_to: How the database has it.
            error: Why it failed, where it did.
        """
        item = running.item
        if self._tracer is None or item.export_id is None:
            return
        now_s = self._clock.epoch_s()
        self._tracer.tell(
            Span(
                name=item.kind,
                export=item.export_id,
                place=("attempt", running.name),
                start_s=now_s - (self._clock.now_s() - running.submitted_s),
                end_s=now_s,
                facts={
                    "kind": item.kind,
                    "chunk": item.chunk_index,
                    "attempt": running.name,
                    "pool": item.pool,
                    "node": outcome.node or running.node,
                    "worker": outcome.worker,
                    "outcome": came_to,
                    "waited_s": item.waited_s,
                    "wall_s": outcome.wall_s,
                    "error_kind": str(error.kind) if error else None,
                },
                error=error.message if error else None,
            )
        )

    def exports_ended(self, rows: Iterable[Row]) -> None:
        """Exports have ended, by whoever's hand."""
        if self._tracer is None:
            return
        for row in rows:
            self._tracer.tell(
                Span(
                    name="export",
                    export=row["id"],
                    place=(),
                    parent=None,
                    start_s=row["created_at"].timestamp(),
                    end_s=row["completed_at"].timestamp(),
                    facts={
                        "status": row["status"],
                        "batch": row["batch_id"],
                        "pool": row["pool"],
                        "frames": row["frames"],
                        "chunks": row["chunks"],
                        "chunks_found": row["chunks_cached"],
                        "renderings": row["renderings"],
                    },
                    error=row["error_message"],
                )
            )

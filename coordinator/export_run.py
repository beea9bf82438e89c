"""Running the plan of one export: the sound and the chunks side by side, then the stitch.

Only as many items are under way as there are slots, and a few more so that no slot waits for
us. A failed attempt is made again or ends the export, as shared.attempts decides.
"""

from __future__ import annotations

import itertools
import logging
import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field

from coordinator.ports import Executor, Outcome
from shared.attempts import may_retry
from shared.errors import ErrorKind, MidifarmError
from shared.plan import (
    AudioReport,
    AudioSpec,
    ChunkSpec,
    Plan,
    SegmentReport,
    StitchReport,
    StitchSpec,
)

_log = logging.getLogger(__name__)

_MARGIN: int = 2
"""Items submitted beyond the slots, so that a worker finds the next one waiting."""
_TICK_S: float = 0.25
"""Progress is told about this often."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far an export is."""

    stage: str
    """rendering or stitching."""
    frames: int
    """Frames done; never fewer than before."""
    total_frames: int
    """Frames of the video."""
    chunks: int
    """Chunks done."""
    total_chunks: int
    """Chunks of the plan."""
    fps: float
    """Frames a second since rendering began, without those found in the store."""
    eta_s: float | None
    """Seconds until the last frame is done, if the rate stays; None while it is not known."""


OnProgress = Callable[[Progress], None]
_Item = ChunkSpec | AudioSpec | StitchSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """What came of an export."""

    segments: tuple[SegmentReport, ...]
    """In the order of the chunks."""
    audio: AudioReport | None
    """None for a silent video."""
    stitched: StitchReport
    """The finished file in the object store."""


@dataclass(slots=True)
class _Failures:
    counts: Counter[ErrorKind] = field(default_factory=Counter)

    def note(self, error: MidifarmError) -> bool:
        """Count a failure; whether to try again."""
        self.counts[error.kind] += 1
        return may_retry(
            error.kind,
            suspect=self.counts[ErrorKind.SUSPECT],
            transient=self.counts[ErrorKind.TRANSIENT],
        )


class ExportRun:
    """One run of one plan; call run() once."""

    def __init__(self, plan: Plan, executor: Executor, on_progress: OnProgress) -> None:
        """Prepare to run a plan."""
        self._plan = plan
        self._executor = executor
        self._on_progress = on_progress
        self._under_way: dict[str, _Item] = {}
        self._failures: dict[str, _Failures] = {}
        self._numbers = itertools.count(1)
        self._segments: dict[int, SegmentReport] = {}
        self._audio: AudioReport | None = None
        self._stitched: StitchReport | None = None
        self._shown = 0
        self._began_s = time.monotonic()

    def run(self) -> Finished:
        """Run to the end.

        Raises:
            MidifarmError: What ended the export; everything under way was cancelled.
        """
        try:
            # The sound first: it is one long piece, and ends beside the first chunks.
            first: list[_Item] = [self._plan.audio] if self._plan.audio is not None else []
            self._finish([*first, *self._plan.chunks], "rendering")
            self._finish([self._stitch()], "stitching")
        except BaseException:
            self._executor.cancel(list(self._under_way))
            raise
        assert self._stitched is not None  # noqa: S101  # _finish returns with every report
        return Finished(
            segments=tuple(self._segments[chunk.index] for chunk in self._plan.chunks),
            audio=self._audio,
            stitched=self._stitched,
        )

    def _stitch(self) -> StitchSpec:
        """The stitch, with the hashes that the workers told of."""
        return self._plan.stitch.model_copy(
            update={
                "segment_sha256": tuple(
                    self._segments[chunk.index].sha256 for chunk in self._plan.chunks
                ),
                "audio_sha256": self._audio.sha256 if self._audio else "",
            }
        )

    def _finish(self, items: list[_Item], stage: str) -> None:
        waiting = deque(items)
        while waiting or self._under_way:
            while waiting and len(self._under_way) < self._executor.slots + _MARGIN:
                self._start(waiting.popleft())
            for outcome in self._executor.wait(_TICK_S):
                again = self._take(outcome)
                if again is not None:
                    waiting.appendleft(again)
            self._tell(stage)

    def _start(self, item: _Item) -> None:
        attempt = f"{item.key}#{next(self._numbers)}"
        self._under_way[attempt] = item
        self._executor.submit(attempt, item)

    def _take(self, outcome: Outcome) -> _Item | None:
        """Note an outcome; the item if it is to be tried again."""
        item = self._under_way.pop(outcome.attempt, None)
        if item is None:  # late or doubled: what it has to say is known already
            _log.info("late_outcome attempt=%s", outcome.attempt)
            return None
        if outcome.error is not None:
            failures = self._failures.setdefault(item.key, _Failures())
            if not failures.note(outcome.error):
                raise outcome.error
            _log.warning("attempt_failed attempt=%s error=%s", outcome.attempt, outcome.error)
            return item
        match outcome.report:
            case SegmentReport() as report:
                self._segments[report.index] = report
            case AudioReport() as report:
                self._audio = report
            case StitchReport() as report:
                self._stitched = report
        return None

    def _tell(self, stage: str) -> None:
        done = sum(report.frames for report in self._segments.values())
        board = self._executor.status()
        part = sum(
            min(board[attempt].frames, len(item.frames))
            for attempt, item in self._under_way.items()
            if isinstance(item, ChunkSpec) and attempt in board
        )
        # An attempt that is made again begins anew; what is shown never goes back.
        self._shown = max(self._shown, done + part)
        cached = sum(report.frames for report in self._segments.values() if report.cached)
        elapsed_s = max(time.monotonic() - self._began_s, 1e-3)
        fps = max(0, self._shown - cached) / elapsed_s
        total = self._plan.stitch.frames
        self._on_progress(
            Progress(
                stage=stage,
                frames=self._shown,
                total_frames=total,
                chunks=len(self._segments),
                total_chunks=len(self._plan.chunks),
                fps=fps,
                eta_s=(total - self._shown) / fps if fps > 0 else None,
            )
        )

"""One export on its way: told how each attempt ended, it says what is to be done next.

The sound and the survey come first, then the chunks, then, where the rendering missed its rate
or is too large, other chunks, and the stitch at last. What runs where is not its business.
"""

from __future__ import annotations

import logging
import time
from collections import Counter, deque
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from coordinator.ports import AttemptStatus, Outcome
from shared.attempts import may_retry
from shared.errors import ErrorKind, MidifarmError, OversizeError
from shared.fitting import refit
from shared.plan import (
    AudioReport,
    AudioSpec,
    ChunkSpec,
    Plan,
    SegmentReport,
    StitchReport,
    StitchSpec,
    SurveyReport,
    SurveySpec,
)
from shared.planning import ExportPlan, stitch_of

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far an export is."""

    stage: str
    """surveying, rendering, rendering again, or stitching."""
    frames: int
    """Frames done; never fewer than before, though a rendering may be made again."""
    total_frames: int
    """Frames of the video; 0 for sound alone."""
    chunks: int
    """Chunks done of this rendering."""
    total_chunks: int
    """Chunks of the plan."""
    fps: float
    """Frames a second of this rendering, without those found in the store."""
    eta_s: float | None
    """Seconds until its last frame is done, if the rate stays; None while it is not known."""


Item = ChunkSpec | AudioSpec | StitchSpec | SurveySpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """What came of an export."""

    plan: ExportPlan
    """As it was rendered at last."""
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
    """One run of one plan, from its first item to the finished file."""

    def __init__(self, plan: ExportPlan) -> None:
        """Prepare to run a plan."""
        self._plan = plan
        self._whole = _with_report(plan.whole())
        self._waiting: deque[Item] = deque()
        self._under_way: dict[str, Item] = {}
        self._failures: dict[str, _Failures] = {}
        self._segments: dict[int, SegmentReport] = {}
        self._audio: AudioReport | None = None
        self._finished: Finished | None = None
        self._shown = 0
        self._began_s: float | None = None
        # The sound first: it is one long piece, and ends beside the first chunks.
        if self._whole.audio is not None:
            self._waiting.append(self._whole.audio)
        survey = plan.survey
        if survey is not None:
            self._stage = "surveying"
            self._waiting.append(survey)
        else:
            self._render(plan)

    @property
    def finished(self) -> Finished | None:
        """What came of it; None while there is something left to do."""
        return self._finished

    @property
    def under_way(self) -> Collection[str]:
        """The attempts that have begun and not ended."""
        return self._under_way.keys()

    @property
    def engine(self) -> str:
        """What must draw and encode it."""
        return self._plan.engine

    @property
    def has_next(self) -> bool:
        """Whether anything can be started now."""
        return bool(self._waiting)

    def next(self) -> Item | None:
        """What can be started now; None where something must end first."""
        return self._waiting.popleft() if self._waiting else None

    def began(self, attempt: str, item: Item) -> None:
        """Note that an attempt on an item of ours has begun."""
        self._began_s = self._began_s or time.monotonic()
        self._under_way[attempt] = item

    def take(self, outcome: Outcome) -> None:
        """Note how an attempt ended.

        Raises:
            MidifarmError: What ends the export.
        """
        item = self._under_way.pop(outcome.attempt, None)
        if item is None:  # late or doubled: what it has to say is known already
            _log.info("late_outcome attempt=%s", outcome.attempt)
            return
        if isinstance(outcome.error, OversizeError):
            self._shrink(outcome.error)
            return
        if outcome.error is not None:
            if not self._failures.setdefault(item.key, _Failures()).note(outcome.error):
                raise outcome.error
            _log.warning("attempt_failed attempt=%s error=%s", outcome.attempt, outcome.error)
            self._waiting.appendleft(item)
            return
        match outcome.report:
            case SurveyReport() as report:
                self._render(self._plan.surveyed(report))
            case SegmentReport() as report:
                self._segments[report.index] = report
                self._go_on()
            case AudioReport() as report:
                self._audio = report
                self._go_on()
            case StitchReport() as report:
                self._finish(report)

    def _render(self, plan: ExportPlan) -> None:
        """Have all chunks of a plan made."""
        self._stage = "rendering again" if plan.earlier else "rendering"
        self._plan, self._whole = plan, _with_report(plan.whole())
        self._segments.clear()
        self._waiting.extend(self._whole.chunks)
        self._began_s = None

    def _go_on(self) -> None:
        """Once sound and chunks are there: the stitch, unless they must be made otherwise."""
        if len(self._segments) < len(self._whole.chunks):
            return
        if self._stage == "surveying" or (self._whole.audio is not None and self._audio is None):
            return
        if self._refit(self._audio.size_bytes if self._audio else 0):
            return
        self._stage = "stitching"
        self._waiting.append(stitch_of(self._whole, self._ordered(), self._audio))

    def _shrink(self, error: OversizeError) -> None:
        """Have what is too large only as a whole made otherwise. Raises MidifarmError."""
        # What the container adds counts as sound: it is there whatever the rate.
        if not self._refit(max(0, int(error.facts["size_bytes"]) - self._segments_bytes)):
            raise error

    def _refit(self, beside_bytes: int) -> bool:
        """Have all chunks made again where they missed their rate or size; whether they did.

        Args:
            beside_bytes: What the file holds beside the segments.

        Raises:
            CompositionError: The file is too large and cannot be made smaller.
        """
        again = refit(self._plan, self._segments_bytes, beside_bytes)
        if again is None:
            return False
        _log.info("rendering_again renderings=%d", len(again.earlier))
        self._render(again)
        return True

    @property
    def _segments_bytes(self) -> int:
        return sum(report.size_bytes for report in self._segments.values())

    def _ordered(self) -> tuple[SegmentReport, ...]:
        return tuple(self._segments[chunk.index] for chunk in self._whole.chunks)

    def _finish(self, stitched: StitchReport) -> None:
        self._finished = Finished(
            plan=self._plan, segments=self._ordered(), audio=self._audio, stitched=stitched
        )

    def progress(self, board: Mapping[str, AttemptStatus]) -> Progress:
        """How far it is.

        Args:
            board: What is known of the attempts that have begun.
        """
        done = sum(report.frames for report in self._segments.values())
        part = sum(
            min(board[attempt].frames, len(item.frames))
            for attempt, item in self._under_way.items()
            if isinstance(item, ChunkSpec) and attempt in board
        )
        cached = sum(report.frames for report in self._segments.values() if report.cached)
        total = self._whole.stitch.frames
        # What an attempt that begins anew has lost is not shown, nor is a second rendering.
        self._shown = max(self._shown, done + part)
        elapsed_s = time.monotonic() - self._began_s if self._began_s else 0.0
        fps = max(0, done + part - cached) / max(elapsed_s, 1e-3)
        return Progress(
            stage=self._stage,
            frames=self._shown,
            total_frames=total,
            chunks=len(self._segments),
            total_chunks=len(self._whole.chunks),
            fps=fps,
            eta_s=(total - done - part) / fps if fps > 0 else None,
        )


def _with_report(plan: Plan) -> Plan:
    """The plan, with the report of its sound kept beside it, where the next run finds it."""
    if plan.audio is None:
        return plan
    audio = plan.audio.model_copy(update={"report_key": f"{plan.audio.key}.json"})
    return plan.model_copy(update={"audio": audio})

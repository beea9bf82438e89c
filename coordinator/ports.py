"""What the coordinator asks of a cluster. ``cluster`` satisfies it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from shared.errors import MidifarmError
from shared.plan import AudioReport, AudioSpec, ChunkSpec, SegmentReport, StitchReport, StitchSpec

Item = ChunkSpec | AudioSpec | StitchSpec
Report = SegmentReport | AudioReport | StitchReport


class Outcome(Protocol):
    """How an attempt ended: exactly one of ``report`` and ``error`` is set."""

    @property
    def attempt(self) -> str:
        """The name it was submitted under."""
        ...

    @property
    def report(self) -> Report | None:
        """What the worker tells of its work."""
        ...

    @property
    def error(self) -> MidifarmError | None:
        """Why there is no report."""
        ...


class Executor(Protocol):
    """Runs work items on workers. An attempt may run twice and may be reported late."""

    @property
    def slots(self) -> int:
        """How many work items run at a time."""
        ...

    def engine(self) -> str:
        """Name of what draws and encodes on the workers."""
        ...

    def submit(self, attempt: str, item: Item) -> None:
        """Start an attempt; its outcome comes from wait()."""
        ...

    def wait(self, timeout_s: float) -> Sequence[Outcome]:
        """The outcomes of attempts that have ended, after ``timeout_s`` at the latest."""
        ...

    def frames_done(self) -> dict[str, int]:
        """Frames done by each attempt under way, as far as is known."""
        ...

    def cancel_all(self) -> None:
        """Stop every attempt."""
        ...

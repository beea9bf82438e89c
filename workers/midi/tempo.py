"""From ticks to seconds and back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

DEFAULT_TEMPO: Final = 500_000
"""Microseconds per quarter before the first tempo event: 120 bpm (Standard MIDI Files 1.0)."""
DEFAULT_TICKS_PER_QUARTER: Final = 480
"""Assumed where the file does not say it; what most sequencers write."""


@dataclass(frozen=True, kw_only=True)
class Division:
    """What a tick is: a part of a quarter note, or a part of an SMPTE frame."""

    ticks_per_quarter: int | None = None
    """Ticks in a quarter note, None where time is counted in frames."""
    frame_rate: Fraction | None = None
    """SMPTE frames a second (24, 25, 30000/1001 or 30), None where time is musical."""
    ticks_per_frame: int | None = None
    """Ticks in an SMPTE frame, None where time is musical."""

    def __post_init__(self) -> None:
        musical = self.ticks_per_quarter is not None
        if musical == (self.frame_rate is not None and self.ticks_per_frame is not None):
            raise ValueError("a division counts either quarters or frames")


@dataclass(frozen=True, kw_only=True)
class TempoChange:
    """The tempo from some time on."""

    time_s: float
    """When it begins, in seconds."""
    microseconds_per_quarter: int
    """How long a quarter note lasts, in microseconds."""

    @property
    def bpm(self) -> float:
        """Quarter notes a minute."""
        return 60_000_000 / self.microseconds_per_quarter


@dataclass(frozen=True, kw_only=True, eq=False)
class TempoMap:
    """Converts between ticks and seconds; tick 0 is 0 s.

    Time is summed up in integers (ticks × microseconds), and divided once, so that nothing
    drifts over any number of tempo changes.
    """

    division: Division
    """What a tick is."""
    tick: IntArray
    """Ticks at which the tempo changes, strictly ascending, the first is 0."""
    tempo: IntArray
    """Microseconds per quarter from each of those ticks on (without meaning under SMPTE)."""

    def __post_init__(self) -> None:
        for column in (self.tick, self.tempo):
            column.setflags(write=False)

    @classmethod
    def build(cls, division: Division, changes: Iterable[tuple[int, int]]) -> TempoMap:
        """Make a map from ``(tick, microseconds per quarter)`` in order of tick.

        Of several changes on one tick the last counts. Under SMPTE division the tempo has no
        influence on time, and the changes are left out.
        """
        at = {0: DEFAULT_TEMPO}
        if division.ticks_per_quarter is not None:
            at.update(changes)
        ticks = sorted(at)
        tempos = [at[tick] for tick in ticks]
        # Repeating the tempo that is in force changes nothing.
        keep = [i for i in range(len(ticks)) if i == 0 or tempos[i] != tempos[i - 1]]
        return cls(
            division=division,
            tick=np.array([ticks[i] for i in keep], dtype=np.int64),
            tempo=np.array([tempos[i] for i in keep], dtype=np.int64),
        )

    @cached_property
    def _rate(self) -> tuple[IntArray, int]:
        """Time units per tick in each span, and time units per second."""
        division = self.division
        if division.frame_rate is not None and division.ticks_per_frame is not None:
            units = np.full(len(self.tick), division.frame_rate.denominator, dtype=np.int64)
            return units, division.frame_rate.numerator * division.ticks_per_frame
        return self.tempo, 1_000_000 * (division.ticks_per_quarter or DEFAULT_TICKS_PER_QUARTER)

    @cached_property
    def _start(self) -> IntArray:
        """Time units from 0 to each change."""
        units, _ = self._rate
        start = np.zeros(len(self.tick), dtype=np.int64)
        np.cumsum(np.diff(self.tick) * units[:-1], out=start[1:])
        return start

    def seconds(self, ticks: npt.NDArray[Any]) -> FloatArray:
        """Times of ``ticks`` in seconds.

        Whole ticks (an integer array, at least 0) are converted exactly and rounded once;
        fractions of ticks (a float array) as closely as floats can.
        """
        units, per_second = self._rate
        if len(self.tick) == 1:
            return np.asarray(ticks * units[0] / per_second, dtype=np.float64)
        span = np.searchsorted(self.tick, ticks, side="right") - 1
        passed = (ticks - self.tick[span]) * units[span]
        return np.asarray((self._start[span] + passed) / per_second, dtype=np.float64)

    def ticks(self, seconds: FloatArray) -> FloatArray:
        """The ticks, with fractions, that are reached at ``seconds`` (at least 0)."""
        units, per_second = self._rate
        passed = np.asarray(seconds, dtype=np.float64) * per_second
        span = np.searchsorted(self._start, passed, side="right") - 1
        return np.asarray(self.tick[span] + (passed - self._start[span]) / units[span])

    @cached_property
    def changes(self) -> tuple[TempoChange, ...]:
        """The tempos in order of time, the first from 0 s on; none under SMPTE division."""
        if self.division.ticks_per_quarter is None:
            return ()
        times = self.seconds(self.tick)
        return tuple(
            TempoChange(time_s=time_s, microseconds_per_quarter=tempo)
            for time_s, tempo in zip(times.tolist(), self.tempo.tolist(), strict=True)
        )

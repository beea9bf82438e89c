"""Bars and beats."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt

from workers.midi.tempo import FloatArray, IntArray, TempoMap

DEFAULT_METER: Final = (4, 4)
"""The meter before the first time signature (Standard MIDI Files 1.0)."""
MAX_BEATS: Final = 1_000_000
"""Where the grid of beats ends: a day of beats at 690 bpm. Only a damaged file has more."""


@dataclass(frozen=True, kw_only=True)
class MeterChange:
    """The meter from some time on."""

    time_s: float
    """When it begins, in seconds; a bar begins with it."""
    numerator: int
    """Beats in a bar."""
    denominator: int
    """Which note is a beat: 4 is a quarter, 8 an eighth."""


@dataclass(frozen=True, kw_only=True, eq=False)
class MeterMap:
    """Where bars and beats begin.

    A beat is the note that the time signature names (an eighth in 6/8). A change of meter in
    the middle of a bar ends that bar and begins a new one. Under SMPTE division there is no
    relation between ticks and notes: no bars, no beats, no changes.
    """

    tempo_map: TempoMap
    """Turns ticks into seconds."""
    tick: IntArray
    """Ticks at which a meter begins, strictly ascending, the first is 0."""
    numerator: IntArray
    """Beats in a bar from each of those ticks on."""
    denominator: IntArray
    """Which note is a beat from each of those ticks on."""

    def __post_init__(self) -> None:
        for column in (self.tick, self.numerator, self.denominator):
            column.setflags(write=False)

    @classmethod
    def build(
        cls,
        tempo_map: TempoMap,
        changes: Iterable[tuple[int, int, int]],
        restarts: Iterable[int] = (),
    ) -> MeterMap:
        """Make a map from ``(tick, numerator, denominator)`` in order of tick.

        Of several changes on one tick the last counts; a signature that repeats the one in
        force changes nothing. At each tick of ``restarts`` a new bar begins in any case.
        """
        forced = {0, *restarts}
        at = dict.fromkeys(forced, DEFAULT_METER)
        at.update((tick, (numerator, denominator)) for tick, numerator, denominator in changes)
        rows: list[tuple[int, int, int]] = []
        for tick in sorted(at):
            if tick in forced or at[tick] != rows[-1][1:]:
                rows.append((tick, *at[tick]))
        table = np.array(rows, dtype=np.int64)
        return cls(
            tempo_map=tempo_map,
            tick=table[:, 0].copy(),
            numerator=table[:, 1].copy(),
            denominator=table[:, 2].copy(),
        )

    @cached_property
    def changes(self) -> tuple[MeterChange, ...]:
        """The meters in order of time, the first from 0 s on; none under SMPTE division."""
        if self.tempo_map.division.ticks_per_quarter is None:
            return ()
        times = self.tempo_map.seconds(self.tick).tolist()
        rows = zip(times, self.numerator.tolist(), self.denominator.tolist(), strict=True)
        return tuple(
            MeterChange(time_s=time_s, numerator=numerator, denominator=denominator)
            for time_s, numerator, denominator in rows
        )

    def bars(self, until_s: float) -> FloatArray:
        """Times in seconds at which bars begin, from 0 to before ``until_s``, ascending."""
        times, is_bar = self.beats(until_s)
        return times[is_bar]

    def beats(self, until_s: float) -> tuple[FloatArray, npt.NDArray[np.bool_]]:
        """Times in seconds at which beats begin, and whether a bar begins there too.

        From 0 to before ``until_s``, ascending; no more than MAX_BEATS.
        """
        quarter = self.tempo_map.division.ticks_per_quarter
        if quarter is None or not until_s > 0:
            return np.zeros(0), np.zeros(0, dtype=np.bool_)
        times: list[FloatArray] = []
        bars: list[npt.NDArray[np.bool_]] = []
        for row, count in self._spans(quarter, until_s):
            start, whole = int(self.tick[row]), 4 * quarter
            denominator = int(self.denominator[row])
            beat = np.arange(count, dtype=np.int64)
            if whole % denominator == 0:
                times.append(self.tempo_map.seconds(start + beat * (whole // denominator)))
            else:
                times.append(self.tempo_map.seconds(start + beat * whole / denominator))
            bars.append(beat % int(self.numerator[row]) == 0)
        all_times, all_bars = np.concatenate(times), np.concatenate(bars)
        wanted = all_times < until_s
        return all_times[wanted], all_bars[wanted]

    def is_complete(self, until_s: float) -> bool:
        """Whether the grid reaches ``until_s`` before it has MAX_BEATS."""
        quarter = self.tempo_map.division.ticks_per_quarter
        if quarter is None or not until_s > 0:
            return True
        return sum(count for _, count in self._spans(quarter, until_s)) < MAX_BEATS

    def _spans(self, quarter: int, until_s: float) -> Iterator[tuple[int, int]]:
        """Rows of the meters before ``until_s``, and how many beats each has."""
        # One tick more than asked for, against rounding; the times decide in the end.
        last = float(self.tempo_map.ticks(np.array(until_s))) + 1
        starts = self.tick.tolist()
        ends = [*starts[1:], math.inf]
        room = MAX_BEATS
        for row, (start, end) in enumerate(zip(starts, ends, strict=True)):
            if start > last or room <= 0:
                return
            denominator = int(self.denominator[row])
            count = min(math.ceil((min(end, last) - start) * denominator / (4 * quarter)), room)
            room -= count
            yield row, count

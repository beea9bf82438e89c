"""The waveform of a recording, as it is drawn beneath a song: so many peaks, found in one reading.

How long a recording is shows at its end alone, so peaks are kept of steps that become longer with
it: of single samples at first, twice as long whenever there are too many. A recording of any length
takes the same memory, and a step is always short beside what is drawn of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final, cast

import av
import numpy as np
from numpy.typing import NDArray

from workers.audio.blocks import planes_of

_MOST_STEPS: Final = 1 << 16
"""After a doubling half as many are left: more than 80 for each of 400 parts."""
_GATHERED: Final = 1 << 17
"""So many numbers are looked at in one call; frames of mp3 or Opus are short."""
_TYPES: Final = {"u8": "u1", "s16": "i2", "s32": "i4", "s64": "i8", "flt": "f4", "dbl": "f8"}
"""The numbers of a sound, by what libav calls them when the channels alternate."""

_Samples = NDArray[Any]


class Waveform:
    """The peaks of a sound of unknown length; given its frames in order."""

    def __init__(self) -> None:
        self._steps = np.zeros(_MOST_STEPS, np.float32)
        self._step = 1
        """Ticks in a step; a tick is a sample at the rate with which the sound began."""
        self._ticks = 0
        self._rate = 0
        self._kind: tuple[str, int, int] | None = None
        """Format, channels and rate of the frames that are gathered."""
        self._gathered: list[list[_Samples]] = []
        self._samples = 0

    def watch(self, frames: Iterable[av.AudioFrame]) -> Iterator[av.AudioFrame]:
        """Look at frames, in whatever format they are, and hand them on."""
        for frame in frames:
            self._add(frame)
            yield frame

    def _add(self, frame: av.AudioFrame) -> None:
        kind = (frame.format.name, frame.layout.nb_channels, frame.sample_rate)
        if kind != self._kind:
            self._look()
            self._kind = kind
        self._gathered.append(_samples_of(frame))
        self._samples += frame.samples
        if self._samples * kind[1] >= _GATHERED:
            self._look()

    def peaks(self, parts: int) -> tuple[float, ...]:
        """The highest amplitude of any channel in each of equal parts of the sound.

        Args:
            parts: How many.

        Returns:
            Numbers from 0 to 1, which is full scale, with three decimals. What lies no
            further from the edge of a part than a step is long may count in both parts.
        """
        self._look()
        edges = np.arange(parts + 1) * self._ticks
        first, stop = edges[:-1] // (parts * self._step), -(-edges[1:] // (parts * self._step))
        # Pairs of where a part begins and ends; what lies between them is not looked at.
        bounds = np.stack([first, np.maximum(stop, first + 1)], axis=1).ravel()
        found = np.maximum.reduceat(np.append(self._steps, 0), bounds)[::2]
        return tuple(np.round(found.astype(np.float64), 3).tolist())

    def _look(self) -> None:
        """Take the gathered frames into the steps."""
        if self._kind is None or not self._samples:
            return
        _, channels, rate = self._kind
        # Chained ogg files change their rate on the way.
        self._rate = self._rate or rate
        ticks = -(-self._samples * self._rate // rate)
        while self._ticks + ticks > self._step * _MOST_STEPS:
            self._steps[: _MOST_STEPS // 2] = self._steps.reshape(-1, 2).max(axis=1)
            self._steps[_MOST_STEPS // 2 :] = 0
            self._step *= 2
        first, stop = self._ticks // self._step, -(-(self._ticks + ticks) // self._step)
        begin = np.arange(first, stop) * self._step - self._ticks
        edges = np.clip(-(-begin * rate // self._rate), 0, self._samples - 1)
        if len(self._gathered[0]) == 1:  # the channels alternate, or there is one
            edges *= channels
        steps = self._steps[first:stop]
        for pieces in zip(*self._gathered, strict=True):
            np.maximum(steps, _peaks(np.concatenate(pieces), edges), out=steps)
        self._ticks += ticks
        self._gathered, self._samples = [], 0


def _samples_of(frame: av.AudioFrame) -> list[_Samples]:
    """The samples of each channel; one array of all where the channels alternate."""
    planar = frame.format.is_planar
    kind = _TYPES[frame.format.name[:-1] if planar else frame.format.name]
    count = frame.samples if planar else frame.samples * frame.layout.nb_channels
    return [np.frombuffer(cast("Any", plane), kind, count) for plane in planes_of(frame)]


def _peaks(samples: _Samples, edges: NDArray[np.intp]) -> NDArray[np.float32]:
    """The highest amplitude from each edge to the next one, 0 to 1; what is no number is none."""
    # Not the highest absolute value: the lowest number of an integer type has none.
    highest = np.fmax.reduceat(samples, edges).astype(np.float64)
    lowest = np.fmin.reduceat(samples, edges).astype(np.float64)
    middle, full = 0.0, 1.0
    if samples.dtype.kind != "f":
        full = 2.0 ** (8 * samples.dtype.itemsize - 1)
        middle = full if samples.dtype.kind == "u" else 0.0
    found = np.fmax(highest - middle, middle - lowest) / full
    return np.nan_to_num(np.clip(found, 0, 1)).astype(np.float32)

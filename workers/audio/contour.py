"""The contour of a sound: peak and weighted power of each millisecond.

One reading of a sound gives its contour, and the contour tells what the sound would measure
after any gain and any limiting (workers.audio.levelling), for every codec and every rate that it
is encoded with. It is kept in the store: exports of one song find it there.
"""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from types import MappingProxyType
from typing import Any, Final

import av
import numpy as np
from av.filter import Graph
from numpy.typing import NDArray

from workers.audio.blocks import Block, block_frame
from workers.audio.loudness import weighting

CONTOUR_REVISION: Final = 1
"""Changes with what a contour holds, so that an old one is not taken for a new one."""

STEP_SAMPLES: Final[Mapping[int, int]] = MappingProxyType({44100: 45, 48000: 48})
"""Samples in a step by rate: about a millisecond, and a whole part of the 100 ms after which a
gating block of BS.1770-4 begins."""

_OVERSAMPLING: Final = 4
"""BS.1770-4, annex 2: true peaks are looked for at 4 times 48 kHz."""

_UNIT_DB: Final = 0.01
"""Levels are kept in this unit, as 16-bit numbers."""
_NOTHING: Final = -32768
"""Stands for digital silence."""
_LOWEST: Final = -32767


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Contour:
    """What a sound is like, step by step."""

    sample_rate: int
    """Samples a second of the sound; a step has STEP_SAMPLES of them."""
    peaks: NDArray[np.int16]
    """True peak of each step over all channels in 0.01 dB, rounded up; −32768 for silence."""
    power: NDArray[np.int16]
    """Mean square of each step, K-weighted and summed over the channels, in 0.01 dB; −32768 for
    silence."""
    warnings: tuple[str, ...] = ()
    """What was wrong with the source when it was read."""

    @property
    def step(self) -> int:
        """Samples in a step."""
        return STEP_SAMPLES[self.sample_rate]

    @property
    def peaks_db(self) -> NDArray[np.float32]:
        """True peak of each step in dB of full scale, −327.68 for silence."""
        return np.asarray(self.peaks * np.float32(_UNIT_DB), np.float32)

    @property
    def mean_squares(self) -> NDArray[np.float32]:
        """K-weighted power of each step, 1.0 for full scale squared."""
        values: NDArray[np.float32] = np.power(
            np.float32(10), self.power * np.float32(_UNIT_DB / 10)
        )
        values[self.power == _NOTHING] = 0
        return values

    @property
    def steps_in_100_ms(self) -> int:
        """Steps after which a gating block of BS.1770-4 begins."""
        return self.sample_rate // 10 // self.step

    def to_bytes(self) -> bytes:
        """Store it; equal contours give equal bytes."""
        file = io.BytesIO()
        np.savez(
            file,
            sample_rate=np.int64(self.sample_rate),
            peaks=self.peaks,
            power=self.power,
            warnings=np.array(self.warnings, np.str_),
        )
        return file.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> Contour:
        """Read it back.

        Raises:
            ValueError: The bytes are no contour.
        """
        try:
            with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
                return cls(
                    sample_rate=int(arrays["sample_rate"]),
                    peaks=arrays["peaks"],
                    power=arrays["power"],
                    warnings=tuple(str(text) for text in arrays["warnings"]),
                )
        except Exception as exc:  # zipfile and NumPy have a dozen of their own
            raise ValueError(f"This is no contour of a sound: {exc}.") from exc


def trace(
    blocks: Iterable[Block], *, sample_rate: int, channels: int, warnings: Sequence[str] = ()
) -> Contour:
    """Trace the contour of a sound that is streamed through.

    Args:
        blocks: The sound, shape (channels, n) each.
        sample_rate: Samples a second.
        channels: 1 or 2.
        warnings: What is known to be wrong with the source once it has been read.
    """
    layout = "mono" if channels == 1 else "stereo"
    step = STEP_SAMPLES[sample_rate]
    oversampler = av.AudioResampler("fltp", layout, sample_rate * _OVERSAMPLING)
    weighted = _Weighting(sample_rate, layout)
    plain, fine = _Steps(step, np.max), _Steps(step * _OVERSAMPLING, np.max)
    power = _Steps(step, np.mean)
    position = 0
    for block in blocks:
        frame = block_frame(block, sample_rate=sample_rate, position=position)
        position += block.shape[1]
        plain.add(np.abs(block).max(axis=0))
        for finer in oversampler.resample(frame):
            fine.add(np.abs(finer.to_ndarray()).max(axis=0))
        for samples in weighted.push(frame):
            power.add(np.square(samples).sum(axis=0))
    for finer in oversampler.resample(None) if position else ():
        fine.add(np.abs(finer.to_ndarray()).max(axis=0))
    for samples in weighted.push(None):
        power.add(np.square(samples).sum(axis=0))
    count = math.ceil(position / step)
    # The samples themselves count too: a sound of a few samples is over before the oversampler
    # has warmed up.
    peaks = np.maximum(plain.ended(count), fine.ended(count))
    return Contour(
        sample_rate=sample_rate,
        peaks=_decibels(peaks, 20, np.ceil),
        power=_decibels(power.ended(count), 10, np.rint),
        warnings=tuple(dict.fromkeys(warnings)),
    )


class _Steps:
    """Gathers values and reduces each whole step of them to one."""

    def __init__(self, length: int, reduced: Callable[..., Any]) -> None:
        self._length = length
        self._reduced = reduced
        self._rest: NDArray[np.float64] = np.zeros(0)
        # Single precision: an hour has 3.6 million steps.
        self._found: list[NDArray[np.float32]] = []

    def add(self, values: NDArray[np.float64] | NDArray[np.float32]) -> None:
        """Take values in the order of time."""
        gathered = np.concatenate([self._rest, values])
        whole = len(gathered) // self._length * self._length
        if whole:
            steps = gathered[:whole].reshape(-1, self._length)
            self._found.append(self._reduced(steps, axis=1).astype(np.float32))
        self._rest = gathered[whole:].copy()

    def ended(self, count: int) -> NDArray[np.float32]:
        """The first ``count`` steps, the last of them filled up with zeros."""
        if len(self._rest):
            self.add(np.zeros(self._length - len(self._rest)))
        values = np.concatenate([np.zeros(0, np.float32), *self._found])
        return np.pad(values[:count], (0, max(0, count - len(values))))


class _Weighting:
    """The K-weighting of BS.1770-4, by libav's biquad filter."""

    def __init__(self, sample_rate: int, layout: str) -> None:
        self._graph = Graph()
        self._source = self._graph.add_abuffer(
            format="fltp",
            sample_rate=sample_rate,
            layout=layout,
            time_base=Fraction(1, sample_rate),
        )
        names = ("b0", "b1", "b2", "a0", "a1", "a2")
        filters = [
            self._graph.add(
                "biquad",
                # In single precision the high-pass at 38 Hz would add noise of its own.
                ":".join(f"{name}={value!r}" for name, value in zip(names, stage, strict=True))
                + ":precision=f64",
            )
            for stage in weighting(sample_rate)
        ]
        self._sink = self._graph.add("abuffersink")
        self._graph.link_nodes(self._source, *filters, self._sink).configure()

    def push(self, frame: av.AudioFrame | None) -> Iterator[NDArray[np.float64]]:
        """Weight a frame; None ends the sound."""
        self._source.push(frame)
        while True:
            try:
                weighted = self._sink.pull()
            except (BlockingIOError, EOFError):
                return
            assert isinstance(weighted, av.AudioFrame)  # noqa: S101  # the graph has no other
            yield np.asarray(weighted.to_ndarray(), np.float64)


def _decibels(values: NDArray[np.float32], factor: int, rounded: np.ufunc) -> NDArray[np.int16]:
    levels = factor / _UNIT_DB * np.log10(values, where=values > 0, out=np.zeros_like(values))
    kept = np.clip(rounded(levels), _LOWEST, 32767)
    return np.where(values > 0, kept, _NOTHING).astype(np.int16)

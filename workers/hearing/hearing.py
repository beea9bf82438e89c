"""The hearing of a sound: its spectrum, levels and waveform at any time.

Every look-up is a pure function of the sound and the time, so a frame needs none before it. That
holds for what falls slowly after a stroke as well: it is the highest of what went before, each
lowered by its age.
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workers.hearing.bands import HOP_S, HOPS_PER_S, N_BANDS, WAVE_RATE, Mono
from workers.hearing.listening import Findings, listen
from workers.hearing.tones import tones
from workers.midi import NoteTable

Floats = NDArray[np.float32]

_VERSION: Final = 1
"""Of the stored form."""
_COLUMNS: Final[dict[str, tuple[type[Any], tuple[int, ...]]]] = {
    "bands": (np.uint8, (N_BANDS,)),
    "signals": (np.uint16, (4,)),
    "samples": (np.int16, ()),
    "envelope": (np.int16, (2,)),
}
"""Types of the arrays, and their shapes but for the first axis, which is time."""

BAND_RELEASE_S: Final = 0.28
"""Time in which a released band falls to a third (1/e): bars fall, as the eye likes it, slower
than most sounds and faster than the beat of most songs."""
SIGNAL_RELEASE_S: Final = 0.2
"""The same of level, bass, mid and treble, which are to show each stroke of a drum."""
_RELEASE_HOPS: Final = round(7 * BAND_RELEASE_S * HOPS_PER_S)
"""After this, a released band has fallen below a thousandth."""

_SMOOTHING_S: Final = 0.0005
"""Standard deviation of what smooths a sound before its zero crossings are looked for: harmonics
have crossings of their own."""
_UNSMOOTHED: Final = 0.05
"""As much of the sound itself is left in, so that a high tone has crossings too."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Hearing:
    """What is heard of a sound, by its own time in seconds: 0 is its first sample.

    Levels are 0 to 1 on the scale of the piece: 1 is as loud as its loud places. Between two
    hops they run straight; before the sound and after it there is silence. The arrays are
    read-only.
    """

    bands: NDArray[np.uint8]
    """Level of each band at each hop, 0 to 255 for 70 dB, uint8 (hops, N_BANDS)."""
    signals: NDArray[np.uint16]
    """Loudness of the whole, bass, mid and treble at each hop, 0 to 65535, uint16 (hops, 4)."""
    samples: NDArray[np.int16]
    """The sound at WAVE_RATE in mono, ±32767, int16 (n,)."""
    envelope: NDArray[np.int16]
    """Lowest and highest sample during each hop on the same scale, int16 (hops, 2)."""

    def __post_init__(self) -> None:
        hops = len(self.bands)
        for name, (kind, shape) in _COLUMNS.items():
            array = np.ascontiguousarray(getattr(self, name), dtype=kind).view()
            if array.shape[1:] != shape or (name != "samples" and len(array) != hops):
                raise ValueError(f"the {name} of a hearing have another shape")
            array.setflags(write=False)
            object.__setattr__(self, name, array)

    @classmethod
    def from_sound(cls, sound: Iterable[Mono]) -> Hearing:
        """Listen to a sound: mono, SOUND_RATE samples a second, in blocks of any length."""
        return cls._from_findings(listen(sound))

    @classmethod
    def from_notes(cls, notes: NoteTable, end_s: float) -> Hearing:
        """What would be heard if plain tones played the notes; a sound that nobody makes.

        Args:
            notes: The notes, by song time.
            end_s: Song time at which the last one ends.
        """
        return cls._from_findings(listen(tones(notes, end_s)))

    @classmethod
    def _from_findings(cls, found: Findings) -> Hearing:
        return cls(**{name: getattr(found, name) for name in _COLUMNS})

    @property
    def duration_s(self) -> float:
        """Length of the sound."""
        return len(self.samples) / WAVE_RATE

    def bands_at(self, t: ArrayLike, released: bool = True) -> Floats:
        """Level of the bands at a time, or at several.

        Args:
            t: Seconds; one number, or an array of any shape.
            released: Whether a band falls slowly after a stroke, or is as it is at the time.

        Returns:
            0 to 1, float32, of the shape of ``t`` and then N_BANDS.
        """
        place = np.asarray(t, np.float64) * HOPS_PER_S
        # Far outside there is silence as well, and integers have an end.
        place = np.clip(place, -2, len(self.bands) + 2)
        first = np.floor(place).astype(np.int64)
        part = (place - first).astype(np.float32)[..., None]
        needed, where = np.unique(np.stack([first, first + 1]), return_inverse=True)
        rows = self._released(needed) if released else self._raw(needed)
        before, after = rows[where.reshape(2, *first.shape)]
        return np.asarray(before + (after - before) * part, np.float32)

    def level_at(self, t: float) -> float:
        """How loud the sound is, 0 to 1."""
        return float(self.signals_at(t)[0])

    def bass_at(self, t: float) -> float:
        """How loud it is below 250 Hz, 0 to 1."""
        return float(self.signals_at(t)[1])

    def mid_at(self, t: float) -> float:
        """How loud it is between 250 Hz and 2 kHz, 0 to 1."""
        return float(self.signals_at(t)[2])

    def treble_at(self, t: float) -> float:
        """How loud it is above 2 kHz, 0 to 1."""
        return float(self.signals_at(t)[3])

    def signals_at(self, t: ArrayLike) -> Floats:
        """Level, bass, mid and treble at a time, or at several: of the shape of ``t`` and then 4.

        They rise at once and fall slowly. 10 dB more are twice as much.
        """
        place = np.clip(np.asarray(t, np.float64) * HOPS_PER_S, -2, len(self.signals) + 2)
        first = np.floor(place).astype(np.int64)
        part = (place - first).astype(np.float32)[..., None]
        # Row 0 is silence, the last one too.
        last = len(self._released_signals) - 1
        before = self._released_signals[np.clip(first + 1, 0, last)]
        after = self._released_signals[np.clip(first + 2, 0, last)]
        return np.asarray(before + (after - before) * part, np.float32)

    def wave(self, t0: float, t1: float, n: int) -> Floats:
        """The sound as an oscilloscope shows it: ``n`` points from ``t0`` to ``t1``, both included.

        Returns:
            −1 to 1, float32 (n,), on a smooth curve through the samples; 0 outside of the sound.
        """
        place = np.linspace(t0, t1, n) * WAVE_RATE
        # Two samples of silence beyond either end, for the curve.
        place = np.clip(place, -3, len(self.samples) + 2)
        first = np.floor(place).astype(np.int64)
        low = int(first.min(initial=0)) - 1
        part = (place - first).astype(np.float32)
        stretch = self._samples_between(low, int(first.max(initial=0)) + 3)
        a, b, c, d = (stretch[first - low + step] for step in (-1, 0, 1, 2))
        # Catmull-Rom: straight lines between samples would show as corners.
        curve = b + 0.5 * part * (
            c - a + part * (2 * a - 5 * b + 4 * c - d + part * (3 * (b - c) + d - a))
        )
        return np.asarray(np.clip(curve, -1, 1), np.float32)

    def envelope_between(self, t0: float, t1: float, n: int) -> Floats:
        """Lowest and highest sample in each of ``n`` equal parts of the time from t0 to t1.

        Parts longer than two hops are found from hops, so an hour costs a millisecond; each is
        widened to whole hops, or to the samples around it. A picture that scrolls should ask for
        parts that begin at multiples of their own length, or its peaks will flicker.

        Returns:
            −1 to 1, float32 (n, 2); 0 outside of the sound.
        """
        coarse = t1 - t0 > 2 * HOP_S * n
        edges = np.linspace(t0, t1, n + 1) * (HOPS_PER_S if coarse else WAVE_RATE)
        count = len(self.envelope) if coarse else len(self.samples)
        edges = np.clip(edges, -1, count + 1)
        start = np.floor(edges[:-1]).astype(np.int64)
        # A hop lasts until the next one; the curve through samples reaches the one after.
        stop = np.maximum(np.ceil(edges[1:]).astype(np.int64), start + 1) + (not coarse)
        low, high = int(start.min(initial=0)), int(stop.max(initial=1))
        # One more, since reduceat takes no index at the end.
        if coarse:
            lowest, highest = self._envelope_between(low, high + 1).T
        else:
            lowest = highest = self._samples_between(low, high + 1)
        spans = np.stack([start - low, stop - low], axis=1).reshape(-1)
        found = (
            np.minimum.reduceat(lowest, spans)[::2],
            np.maximum.reduceat(highest, spans)[::2],
        )
        return np.asarray(np.stack(found, axis=1), np.float32)

    def trigger(self, t: float, window_s: float) -> float:
        """Where an oscilloscope begins so that its picture stands still.

        Args:
            t: The time that is shown.
            window_s: How far from it may be begun.

        Returns:
            The time nearest to ``t`` at which the sound, freed of most of its harmonics, rises
            through zero; ``t`` itself where it does not.
        """
        reach = len(_SMOOTHING) // 2
        low = math.ceil((t - window_s) * WAVE_RATE)
        high = math.floor((t + window_s) * WAVE_RATE)
        if high < 0 or low > len(self.samples):
            return t
        sound = self._samples_between(low - reach, high + reach + 1)
        if len(sound) <= 2 * reach:
            return t
        smooth = np.convolve(sound, _SMOOTHING, "valid")
        rising = np.flatnonzero((smooth[:-1] < 0) & (smooth[1:] >= 0))
        if not len(rising):
            return t
        before, after = smooth[rising], smooth[rising + 1]
        times = (low + rising + before / (before - after)) / WAVE_RATE
        return float(times[np.argmin(np.abs(times - t))])

    def to_bytes(self) -> bytes:
        """Store it; equal hearings give equal bytes."""
        file = io.BytesIO()
        arrays = {name: getattr(self, name) for name in _COLUMNS}
        np.savez(file, version=np.int64(_VERSION), **arrays)
        return file.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> Hearing:
        """Read it back.

        Raises:
            ValueError: The bytes are no hearing, or one of another version.
        """
        try:
            with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
                version = int(arrays["version"])
                hearing = cls(**{name: arrays[name] for name in _COLUMNS})
        except Exception as exc:  # zipfile and NumPy have a dozen of their own
            raise ValueError(f"This is no hearing of a sound: {exc}.") from exc
        if version != _VERSION:
            raise ValueError(f"This is a hearing of version {version}; we read {_VERSION}.")
        return hearing

    def _raw(self, hops: NDArray[np.int64]) -> Floats:
        """Level of the bands at hops, (n, N_BANDS); silence outside."""
        known = (hops >= 0) & (hops < len(self.bands))
        rows = np.zeros((len(hops), N_BANDS), np.float32)
        rows[known] = self.bands[hops[known]]
        return rows / np.float32(255)

    def _released(self, hops: NDArray[np.int64]) -> Floats:
        """The same, each band not below what it was before, lowered by its age."""
        rows = np.zeros((len(hops), N_BANDS), np.float32)
        for index, hop in enumerate(hops.tolist()):
            if 0 <= hop < len(self.bands):
                before = self.bands[max(hop - _RELEASE_HOPS + 1, 0) : hop + 1]
                rows[index] = (before * _RELEASE[-len(before) :]).max(axis=0)
        return rows / np.float32(255)

    @cached_property
    def _released_signals(self) -> Floats:
        """Released signals, (hops + 2, 4), with silence before and after."""
        # Lowered by age, the highest before is the highest of all, once each is raised by its
        # own time; the logarithm makes an hour of that a number that fits.
        age = np.arange(len(self.signals))[:, None] / (SIGNAL_RELEASE_S * HOPS_PER_S)
        signals = self.signals / 65535
        logs = np.log(np.maximum(signals, 1e-9)) + age
        released = np.exp(np.maximum.accumulate(logs, axis=0) - age)
        released = np.where(released < 1e-6, 0, np.maximum(released, signals))
        return np.pad(released, ((1, 1), (0, 0))).astype(np.float32)

    def _samples_between(self, first: int, stop: int) -> Floats:
        return _padded(self.samples, first, stop)

    def _envelope_between(self, first: int, stop: int) -> Floats:
        return _padded(self.envelope, first, stop)


def _padded(values: NDArray[np.int16], first: int, stop: int) -> Floats:
    """Rows ``first`` to ``stop`` on a scale of ±1, zeros where there are none."""
    out = np.zeros((max(stop - first, 0), *values.shape[1:]), np.float32)
    low, high = max(first, 0), min(stop, len(values))
    if low < high:
        out[low - first : high - first] = values[low:high] / np.float32(32767)
    return out


def _smoothing() -> Mono:
    # A Gaussian has no phase and no sign of its own, so crossings stay where they are.
    reach = math.ceil(4 * _SMOOTHING_S * WAVE_RATE)
    taps = np.exp(-0.5 * np.square(np.arange(-reach, reach + 1) / (_SMOOTHING_S * WAVE_RATE)))
    taps /= taps.sum()
    taps[reach] += _UNSMOOTHED
    return np.asarray(taps, np.float32)


_SMOOTHING: Final = _smoothing()
_RELEASE: Final[Mono] = np.exp(
    -np.arange(_RELEASE_HOPS - 1, -1, -1, dtype=np.float32)[:, None]
    / np.float32(BAND_RELEASE_S * HOPS_PER_S)
)
"""What levels of the past are lowered by, the oldest first, (_RELEASE_HOPS, 1)."""

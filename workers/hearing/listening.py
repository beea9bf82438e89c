"""Listening to a sound: streamed once, from samples to levels."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from workers.hearing.bands import (
    HIGH,
    HOP_SAMPLES,
    HOP_WAVE_SAMPLES,
    LOW,
    N_BANDS,
    SIGNALS,
    SOUND_RATE,
    TILT,
    WAVE_RATE,
    WINDOW,
    Mono,
)

RANGE_DB: Final = 70.0
"""From the loudest band of a piece down to what is not drawn."""
_HISS_DB: Final = -100.0
"""What is softer in a band is the hiss of a recorder (16 bits: about -102 dB with our tilt)."""
_OUT_OF_HISS_DB: Final = 12.0
"""Levels fade in over so much above the hiss, so that nothing pops up in a quiet recording."""
_SOUNDING_DB: Final = -85.0
"""A hop without a band above this is silent, and counts for nothing."""
_TOP_PERCENT: Final = 99.5
"""The loudest bands, or peaks, of so many of the sounding hops are within the scale. One crash of
a cymbal must not make the rest small."""
_SIGNAL_TOP_PERCENT: Final = 99.0
_LOUDNESS_EXPONENT: Final = 0.3
"""Stevens's power law (ISO 532, the sone): 10 dB more are twice as loud."""
_LEAST_OF_WHOLE: Final = 1e-4
"""Bass, mid or treble 40 dB below the whole are not there: their noise must not be amplified."""
_PEAK: Final = 0.9
"""Where the loud peaks of a piece lie in its waveform: a few go beyond, and are cut at 1."""

_CHUNK_HOPS: Final = 512
"""Hops that are transformed at once: 5 s, a few MB."""
_AROUND: Final = 2560
"""Samples before and after a hop that must be known: half a window at WAVE_RATE is 2048, and the
filter in front of it reaches further."""
_RATIO: Final = SOUND_RATE // WAVE_RATE
_REACH: Final = 48
"""Half the length of that filter in samples."""

_STEP: Final = 1 << 20
"""Values that are put on their scale at once."""
_UNIT_DB: Final = 0.01
_NOTHING_POWER: Final = 1e-15


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Findings:
    """What was heard; a hop is HOP_S long."""

    bands: NDArray[np.uint8]
    """Level of the bands around the beginning of each hop, 0 to 255, (hops, N_BANDS)."""
    signals: NDArray[np.uint16]
    """Level, bass, mid and treble there, 0 to 65535, (hops, 4)."""
    samples: NDArray[np.int16]
    """The sound at WAVE_RATE, ±32767, (n,)."""
    envelope: NDArray[np.int16]
    """Lowest and highest sample during each hop, on the same scale, (hops, 2)."""


def listen(sound: Iterable[Mono]) -> Findings:
    """Listen to a sound of SOUND_RATE samples a second, in blocks of any length.

    An hour takes about 150 MB while it is listened to.
    """
    listener = _Listener()
    for block in sound:
        listener.hear(block)
    return listener.ended()


class _Listener:
    """Measures whole stretches of a sound; what they mean is known once it has been heard."""

    def __init__(self) -> None:
        self._rest: list[Mono] = [np.zeros(_AROUND, np.float32)]
        """What is not measured yet, and _AROUND samples before it."""
        self._waiting = _AROUND
        self._heard = 0
        self._hops = 0
        # An hour has 360,000 hops and 29 million samples. They are kept in small types, in memory
        # that grows where it is, and are put on the scale of the piece in their place.
        self._levels = bytearray()
        """Of the bands in units of _UNIT_DB, int16."""
        self._samples = bytearray()
        """At WAVE_RATE as they came, float16."""
        self._loudest: list[NDArray[np.int16]] = []
        self._signals: list[NDArray[np.float32]] = []
        self._envelope: list[NDArray[np.float32]] = []

    def hear(self, block: Mono) -> None:
        """Take the next stretch."""
        self._rest.append(block)
        self._heard += len(block)
        self._waiting += len(block)
        while self._waiting >= _CHUNK_HOPS * HOP_SAMPLES + 2 * _AROUND:
            self._measure(_CHUNK_HOPS)

    def ended(self) -> Findings:
        """What was heard, on the scale of the piece."""
        hops = self._heard // HOP_SAMPLES + 1 - self._hops
        missing = hops * HOP_SAMPLES + 2 * _AROUND - self._waiting
        self._rest.append(np.zeros(max(missing, 0), np.float32))
        self._measure(hops)
        loudest_db = np.concatenate(self._loudest) * np.float32(_UNIT_DB)
        sounding = loudest_db > _SOUNDING_DB
        if not sounding.any():
            return _silence(self._hops, -(-self._heard // _RATIO))
        top_db = np.percentile(loudest_db[sounding], _TOP_PERCENT)
        envelope = np.concatenate(self._envelope)
        peak = np.percentile(np.abs(envelope).max(axis=1)[sounding], _TOP_PERCENT)
        gain = _PEAK / max(float(peak), _NOTHING_POWER)
        return Findings(
            bands=self._scaled_levels(float(top_db)),
            signals=_loudness(np.concatenate(self._signals), sounding),
            samples=self._scaled_samples(gain),
            envelope=_scaled(envelope, gain),
        )

    def _measure(self, hops: int) -> None:
        """Measure so many hops."""
        gathered = np.concatenate(self._rest)
        wanted = hops * HOP_SAMPLES
        stretch = gathered[: wanted + 2 * _AROUND]
        self._rest = [gathered[wanted:].copy()]
        self._waiting -= wanted
        self._hops += hops
        slow = _slower(stretch[_AROUND - WINDOW // 2 * _RATIO - _REACH :])
        windows = sliding_window_view(slow, WINDOW)[::HOP_WAVE_SAMPLES][:hops]
        fast = stretch[_AROUND - WINDOW // 2 :]
        short_windows = sliding_window_view(fast, WINDOW)[::HOP_SAMPLES][:hops]
        powers = np.concatenate([LOW.powers(windows), HIGH.powers(short_windows)], axis=1)
        self._signals.append(powers @ SIGNALS)
        levels = 10 / _UNIT_DB * np.log10(np.maximum(powers * TILT, np.float32(_NOTHING_POWER)))
        kept = np.rint(levels).astype(np.int16)
        self._levels += kept.tobytes()
        self._loudest.append(kept.max(axis=1))
        first = WINDOW // 2
        slow = slow[first : first + hops * HOP_WAVE_SAMPLES]
        self._samples += slow.astype(np.float16).tobytes()
        steps = stretch[_AROUND : _AROUND + wanted].reshape(hops, HOP_SAMPLES)
        self._envelope.append(np.stack([steps.min(axis=1), steps.max(axis=1)], axis=1))

    def _scaled_levels(self, top_db: float) -> NDArray[np.uint8]:
        scale, bottom = 255 * _UNIT_DB / RANGE_DB, (top_db - RANGE_DB) / _UNIT_DB
        fade, hiss = _UNIT_DB / _OUT_OF_HISS_DB, _HISS_DB / _UNIT_DB
        count = len(self._levels) // 2
        levels = np.frombuffer(self._levels, np.int16)
        # Half as wide, they are written over what has been read.
        scaled = np.frombuffer(self._levels, np.uint8)
        for first in range(0, count, _STEP):
            part = levels[first : first + _STEP].astype(np.float32)
            level = np.clip((part - bottom) * scale, 0, 255) * np.clip((part - hiss) * fade, 0, 1)
            scaled[first : first + len(part)] = np.rint(level)
        del levels, scaled
        del self._levels[count:]
        return np.frombuffer(self._levels, np.uint8).reshape(-1, N_BANDS)

    def _scaled_samples(self, gain: float) -> NDArray[np.int16]:
        samples = np.frombuffer(self._samples, np.float16)
        scaled = np.frombuffer(self._samples, np.int16)
        for first in range(0, len(samples), _STEP):
            part = samples[first : first + _STEP].astype(np.float32)
            scaled[first : first + len(part)] = _scaled(part, gain)
        return scaled[: -(-self._heard // _RATIO)]


def _silence(hops: int, samples: int) -> Findings:
    return Findings(
        bands=np.zeros((hops, N_BANDS), np.uint8),
        signals=np.zeros((hops, SIGNALS.shape[1]), np.uint16),
        samples=np.zeros(samples, np.int16),
        envelope=np.zeros((hops, 2), np.int16),
    )


def _low_pass() -> Mono:
    """A filter that lets through what WAVE_RATE can hold, in columns of _RATIO taps."""
    time = np.arange(-_REACH, _REACH + 1)
    cutoff = 0.88 / _RATIO  # of half the rate: -6 dB at 3.5 kHz, -74 dB from 4.4 kHz on
    taps = np.sinc(time * cutoff) * np.blackman(len(time))
    return np.asarray(taps / taps.sum(), np.float32)


_LOW_PASS: Final = _low_pass()


def _slower(sound: Mono) -> Mono:
    """A sound at WAVE_RATE; its first sample is the _REACH-th of those given."""
    count = (len(sound) - 2 * _REACH - 1) // _RATIO + 1
    slow = np.zeros(count, np.float32)
    for phase in range(_RATIO):
        taps = _LOW_PASS[phase::_RATIO]
        slow += np.correlate(sound[phase::_RATIO], taps)[:count]
    return slow


def _loudness(powers: NDArray[np.float32], sounding: NDArray[np.bool_]) -> NDArray[np.uint16]:
    """Powers of the whole and of ranges, as loudness beside the loud places of the piece."""
    tops = np.percentile(powers[sounding], _SIGNAL_TOP_PERCENT, axis=0)
    tops = np.maximum(tops, tops[0] * _LEAST_OF_WHOLE)
    loudness = (powers / tops) ** _LOUDNESS_EXPONENT
    return np.asarray(np.rint(np.clip(loudness, 0, 1) * 65535), np.uint16)


def _scaled(sound: NDArray[np.float32], gain: float) -> NDArray[np.int16]:
    return np.asarray(np.rint(np.clip(sound * gain, -1, 1) * 32767), np.int16)

"""The bands of a spectrum: where they lie, and how they follow from Fourier transforms.

A band of the bass is a few hertz wide and needs a long window, one of the treble needs a short
window to show when it was struck. So there are two, one for the bands below CROSSOVER_HZ and one
for those above. Their powers are in one unit: a sine at full scale has 1.0 in its band, whichever
window sees it, and noise has the same power in both.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, TypeVar

import numpy as np
from numpy.typing import NDArray

Mono = NDArray[np.float32]
"""A stretch of sound of one channel, (n,), full scale is 1.0."""
_Array = TypeVar("_Array", bound=NDArray[Any])


def fixed(array: _Array) -> _Array:
    """An array that nobody can write to from now on."""
    array.setflags(write=False)
    return array


SOUND_RATE: Final = 32000
"""Samples a second of the sound that is listened to: the bands end at half of it."""
WAVE_RATE: Final = 8000
"""Samples a second of what is kept for an oscilloscope, and of what the bass is found in."""
HOPS_PER_S: Final = 100
"""The spectrum is found so often: more often than any video has frames."""
HOP_S: Final = 1 / HOPS_PER_S
HOP_SAMPLES: Final = SOUND_RATE // HOPS_PER_S
HOP_WAVE_SAMPLES: Final = WAVE_RATE // HOPS_PER_S

N_BANDS: Final = 96
"""Bands between LOWEST_HZ and HIGHEST_HZ, each a little over a semitone (1.12) wide."""
LOWEST_HZ: Final = 32.0
HIGHEST_HZ: Final = 16000.0
CROSSOVER_HZ: Final = 1000.0
"""From here on, a band is as wide as what the short window can tell apart."""
WINDOW: Final = 1024
"""Samples of both windows: 128 ms at WAVE_RATE, 32 ms at SOUND_RATE.

A window lies around its time, so a stroke is seen up to half a window before it is heard.
ITU-R BT.1359 finds that a picture may be 125 ms ahead of its sound before anyone notices.
"""
_NARROWEST_BINS: Final = 2.0
"""No band is narrower than this many lines of the transform: a tone between two lines would fall
through it."""

TILT_DB_PER_OCTAVE: Final = 3.0
"""Music falls by about so much towards the treble; lifted by it, the treble is seen as well."""
_LEVEL_HZ: Final = 1000.0
"""Where the tilt changes nothing, as with the weightings of IEC 61672."""

RANGES_HZ: Final = ((LOWEST_HZ, 250.0), (250.0, 2000.0), (2000.0, HIGHEST_HZ))
"""What is called bass, mid and treble."""

EDGES_HZ: Final = fixed(np.geomspace(LOWEST_HZ, HIGHEST_HZ, N_BANDS + 1))
"""Where bands begin and end, (N_BANDS + 1,)."""
BAND_HZ: Final = fixed(np.sqrt(EDGES_HZ[:-1] * EDGES_HZ[1:]))
"""The middle of each band, (N_BANDS,)."""
TILT: Final = fixed(
    (10 ** (TILT_DB_PER_OCTAVE / 10 * np.log2(BAND_HZ / _LEVEL_HZ))).astype(np.float32)
)
"""What the power of each band is multiplied by, (N_BANDS,)."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tier:
    """The bands that are found with one window."""

    rate: int
    """Samples a second of the sound that it looks at."""
    bands: slice
    """Which of the bands."""
    window: Mono
    """Weights of the samples, (WINDOW,), scaled so that powers come out in our unit."""
    weights: Mono
    """Share of each line of the transform in each of the bands, (WINDOW // 2 + 1, bands)."""
    shares: Mono
    """Which part of a band's power is its own, (bands,): those of the bass overlap."""

    def powers(self, windows: Mono) -> Mono:
        """Power of the bands in each stretch of sound: (n, WINDOW) becomes (n, bands)."""
        lines = np.fft.rfft(windows * self.window, axis=1)
        return np.asarray((np.square(lines.real) + np.square(lines.imag)) @ self.weights)


def _tier(rate: int, first: int, stop: int) -> Tier:
    # Blackman: its sidelobes are 58 dB down and fall further, so a tone lights no distant band.
    window = np.blackman(WINDOW + 1)[:-1]
    # By Parseval, the lines of a sine of amplitude 1 then have the sum 1.
    window *= np.sqrt(4 / (WINDOW * np.square(window).sum()))
    line_hz = rate / WINDOW
    low, high = EDGES_HZ[first:stop], EDGES_HZ[first + 1 : stop + 1]
    widen = np.maximum(_NARROWEST_BINS * line_hz - (high - low), 0) / 2
    lines = np.arange(WINDOW // 2 + 1)[:, None] * line_hz
    overlap = np.minimum(high + widen, lines + line_hz / 2) - np.maximum(
        low - widen, lines - line_hz / 2
    )
    return Tier(
        rate=rate,
        bands=slice(first, stop),
        window=fixed(window.astype(np.float32)),
        weights=fixed((np.clip(overlap, 0, None) / line_hz).astype(np.float32)),
        shares=fixed(((high - low) / (high - low + 2 * widen)).astype(np.float32)),
    )


_CROSSOVER: Final = int(np.searchsorted(EDGES_HZ, CROSSOVER_HZ))
LOW: Final = _tier(WAVE_RATE, 0, _CROSSOVER)
"""The bands below CROSSOVER_HZ."""
HIGH: Final = _tier(SOUND_RATE, _CROSSOVER, N_BANDS)
"""The others."""


def _signals() -> Mono:
    middle = BAND_HZ[:, None]
    inside = [np.ones_like(middle)]
    inside += [((middle >= low) & (middle < high)).astype(np.float64) for low, high in RANGES_HZ]
    own = TILT * np.concatenate([LOW.shares, HIGH.shares])
    return fixed((np.concatenate(inside, axis=1) * own[:, None]).astype(np.float32))


SIGNALS: Final = _signals()
"""Share of each band's power in the whole sound, bass, mid and treble, (N_BANDS, 4)."""

"""By how much a sound is amplified and limited so that it is as loud as it is to be."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from workers.audio.contour import Contour
from workers.audio.limiter import reduction
from workers.audio.loudness import integrated_lufs

DEEPEST_DB: Final = 20.0
"""The most that a single peak is taken down, so that one knock on the microphone does not decide
how loud the music is. Chosen, not found by a listening test."""

MOST_LIMITED_DB: Final = 3.0
"""The most that the whole is taken down on average over time, since pumping is a matter of how
long the limiter is at work. Synthetic pianos took 0.2 to 0.8 dB of it to reach −14 LUFS; the
bound itself is chosen, not found by a listening test."""

_SHORT_LU: Final = 0.05
"""What the halvings may leave to the target."""

_HALVINGS: Final = 15
"""Of DEEPEST_DB: to within a thousandth of a dB."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Level:
    """What is done to a sound."""

    gain_db: float
    """Gain of the whole."""
    edges_db: NDArray[np.float32]
    """What the limiter takes down, at the edges of the steps (workers.audio.limiter)."""
    integrated_lufs: float | None
    """What the result will read; None where nothing passes the gate."""
    peak_db: float
    """The true peak of the result; −327.68 for silence."""
    bounded: bool
    """Whether the limiter stopped it short of its target, at DEEPEST_DB or MOST_LIMITED_DB."""


def loudness_of(contour: Contour, change_db: NDArray[np.float32] | None = None) -> float | None:
    """What a sound reads, after its steps have been amplified by so many dB each."""
    mean_squares = contour.mean_squares
    if change_db is not None:
        mean_squares *= np.power(np.float32(10), change_db / np.float32(10))
    steps = contour.steps_in_100_ms
    whole = len(mean_squares) // steps * steps
    return integrated_lufs(mean_squares[:whole].reshape(-1, steps).mean(axis=1, dtype=np.float64))


def find_level(contour: Contour, *, target_lufs: float, ceiling_db: float) -> Level:
    """Find the gain that brings a sound to a loudness with its peaks below a ceiling.

    Where a plain gain does, the sound is left as it is otherwise. Where its peaks would exceed
    the ceiling they are limited, and the gain makes up for what that costs.

    Args:
        contour: The sound.
        target_lufs: Integrated loudness to reach.
        ceiling_db: Highest true peak in dBTP.
    """
    peaks_db = contour.peaks_db
    highest_db = float(peaks_db.max(initial=-np.inf))
    natural = loudness_of(contour)

    def level(gain_db: float) -> Level:
        edges_db = reduction(peaks_db, ceiling_db - gain_db)
        change_db = np.float32(0.5) * (edges_db[:-1] + edges_db[1:]) + np.float32(gain_db)
        return Level(
            gain_db=gain_db,
            edges_db=edges_db,
            integrated_lufs=loudness_of(contour, change_db),
            peak_db=min(highest_db + gain_db, ceiling_db),
            bounded=bool(-edges_db.mean(dtype=np.float64) > MOST_LIMITED_DB),
        )

    if natural is None:
        return replace(level(0.0), bounded=False)
    plain = level(target_lufs - natural)
    if plain.peak_db < ceiling_db:
        return plain
    # Above a certain gain it is loud enough or limited too much, below it is neither.
    low_db, span_db = ceiling_db - highest_db, DEEPEST_DB
    for _ in range(_HALVINGS):
        span_db /= 2
        tried = level(low_db + span_db)
        if not tried.bounded and (tried.integrated_lufs or target_lufs) < target_lufs:
            low_db += span_db
    found = level(low_db)
    return replace(found, bounded=(found.integrated_lufs or 0.0) < target_lufs - _SHORT_LU)


def leave_level(contour: Contour) -> Level:
    """Leave a sound as it is."""
    return Level(
        gain_db=0.0,
        edges_db=np.zeros(len(contour.peaks) + 1, np.float32),
        integrated_lufs=loudness_of(contour),
        peak_db=float(contour.peaks_db.max(initial=-327.68)),
        bounded=False,
    )

"""A limiter that looks ahead: peaks are taken down smoothly, and nothing is clipped.

It works on a contour of the sound (workers.audio.contour), whose peaks are true peaks, so the
gain of every millisecond is known before the sound is read again. Both channels share one gain,
which keeps the stereo image, and the sound is multiplied by it where it is: no delay.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from workers.audio.blocks import Block

_ATTACK_STEPS: Final = 5
"""Steps of 1 ms before a peak in which the gain goes down to it, along a raised cosine: short
enough to be masked by the peak, long enough to add no click."""

_RELEASE_DB: Final = 0.06
"""By how much the gain comes back in a step: 60 dB a second, 6 dB in 100 ms. Chosen between
pumping (slower) and distortion of the bass (faster), not by a listening test."""


def reduction(peaks_db: NDArray[np.float32], ceiling_db: float) -> NDArray[np.float32]:
    """The gain that keeps every peak below a ceiling.

    Args:
        peaks_db: True peak of each step in dB, shape (steps,).
        ceiling_db: What no peak may exceed.

    Returns:
        Gain in dB at the edges of the steps, shape (steps + 1,), never above 0. On a straight
        line between two edges, no peak of the step between them exceeds the ceiling.
    """
    needed = np.minimum(ceiling_db - peaks_db, np.float32(0))
    if not len(needed) or needed.min() == 0.0:
        return np.zeros(len(needed) + 1, np.float32)
    # An edge serves the steps on both of its sides.
    edges = np.append(needed, np.float32(0))
    edges[1:] = np.minimum(edges[1:], needed)
    held = edges.copy()
    for shift in range(1, _ATTACK_STEPS + 1):
        np.minimum(held[shift:], edges[:-shift], out=held[shift:])
        np.minimum(held[:-shift], edges[shift:], out=held[:-shift])
    # A straight return in dB is a running minimum on a slope, which needs no loop. In single
    # precision the slope of an hour would be known to a hundredth of a dB only.
    slope = np.arange(len(held)) * _RELEASE_DB
    released = np.minimum.accumulate(held - slope)
    released += slope
    # Each value that the window averages has looked at the edge in its middle, so that their
    # mean is not above what that edge needs.
    window = np.hanning(2 * _ATTACK_STEPS + 3)[1:-1].astype(np.float32)
    padded = np.pad(np.minimum(released, 0).astype(np.float32), _ATTACK_STEPS, mode="edge")
    return np.convolve(padded, window / window.sum(), mode="valid")


def amplify(
    blocks: Iterable[Block], gain_db: float, edges_db: NDArray[np.float32], step: int
) -> Iterator[Block]:
    """Amplify a sound and limit it.

    Args:
        blocks: The sound, shape (channels, n) each.
        gain_db: Gain of the whole.
        edges_db: The limiter's gain at the edges of the steps, from ``reduction``.
        step: Samples in a step.
    """
    first = 0
    for block in blocks:
        stop = first + block.shape[1]
        low, high = first // step, stop // step + 2
        near = 10 ** ((edges_db[low:high].astype(np.float64) + gain_db) / 20)
        if np.ptp(near) == 0.0:
            yield (block * np.float32(near[0])).astype(np.float32, copy=False)
        else:
            place = np.arange(first, stop) / step - low
            curve = np.interp(place, np.arange(len(near)), near)
            yield (block * curve).astype(np.float32)
        first = stop

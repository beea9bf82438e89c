"""Stretches of sound, as they are handed from one step to the next."""

from __future__ import annotations

from fractions import Fraction
from typing import Final

import av
import numpy as np
from av.audio.plane import AudioPlane
from numpy.typing import NDArray

Block = NDArray[np.float32]
"""A stretch of sound: shape (channels, samples), full scale is 1.0."""

BLOCK_SAMPLES: Final = 16384
"""Length of what is handed on at once: small beside a recording, big beside a call."""


def block_frame(block: Block, *, sample_rate: int, position: int) -> av.AudioFrame:
    """A block as a libav frame whose timestamp counts samples."""
    layout = "mono" if block.shape[0] == 1 else "stereo"
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(block), format="fltp", layout=layout)
    frame.sample_rate = sample_rate
    frame.time_base = Fraction(1, sample_rate)
    frame.pts = position
    return frame


def planes_of(frame: av.AudioFrame) -> list[AudioPlane]:
    """Where the samples of a frame lie: a plane for each channel, or one where they alternate.

    PyAV's own ``frame.planes``, and its ``to_ndarray``, look for the end of the planes beyond an
    array of eight: with as many channels they find a plane that is none, and crash.
    """
    planes = frame.layout.nb_channels if frame.format.is_planar else 1
    return [AudioPlane(frame, index) for index in range(planes)]

"""How loud a sound is, and by how much a stretch of it may change that.

Loudness is the integrated loudness of EBU R 128 (ITU-R BS.1770-4). Two ways lead to it here.
``measure_loudness`` asks libav's ebur128 filter about a sound as it is, and judges what was
encoded: it agreed with a plain reading of the standard where the loudnorm filter was 0.3 LU off.
``integrated_lufs`` is that plain reading, from the weighted power of short stretches, and tells
what a sound would read after a change of their levels without going through it again.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

import av
import numpy as np
from av.filter import Graph
from numpy.typing import NDArray

from workers.audio.blocks import Block, block_frame

_GATE_LUFS: Final = -70.0
"""The absolute gate of BS.1770-4: libav reports it where no block was louder."""
_RELATIVE_GATE_LU: Final = -10.0
"""The relative gate of BS.1770-4, below the mean of what passes the absolute one."""
_BLOCK_STEPS: Final = 4
"""A gating block is 400 ms and begins 100 ms after the one before (BS.1770-4, annex 1)."""
_OFFSET_LU: Final = -0.691
"""What BS.1770-4 adds so that a 997 Hz sine of full scale reads −3.01."""

_PEAK_RATE: Final = 192000
"""BS.1770-4, annex 2: true peaks are looked for at this rate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loudness:
    """What was measured of a sound."""

    integrated_lufs: float | None
    """Integrated loudness; None where all of it is below −70 LUFS or it is under 0.4 s long."""
    true_peak_dbtp: float | None
    """True peak over all channels; None where every sample is 0."""


def measure_loudness(blocks: Iterable[Block], *, sample_rate: int, channels: int) -> Loudness:
    """Measure a sound that is streamed through, shape (channels, n) each."""
    layout = "mono" if channels == 1 else "stereo"
    meter = _Meter(sample_rate, layout)
    oversampler = av.AudioResampler("fltp", layout, _PEAK_RATE)
    peak = 0.0
    position = 0
    for block in blocks:
        frame = block_frame(block, sample_rate=sample_rate, position=position)
        position += block.shape[1]
        # The samples themselves count too: a sound of a few samples is over before the
        # oversampler has warmed up. The filter's own true peak has three decimals only, which
        # is nothing for a quiet recording.
        peak = max(peak, _highest(block))
        for finer in oversampler.resample(frame):
            peak = max(peak, _highest(finer.to_ndarray()))
        meter.push(frame)
    for finer in oversampler.resample(None) if position else ():
        peak = max(peak, _highest(finer.to_ndarray()))
    integrated = meter.finish()
    return Loudness(
        integrated_lufs=None if integrated is None or integrated <= _GATE_LUFS else integrated,
        true_peak_dbtp=20 * math.log10(peak) if peak > 0 else None,
    )


def integrated_lufs(power: NDArray[np.float64]) -> float | None:
    """Integrated loudness after BS.1770-4, annex 1.

    Args:
        power: Mean square of the K-weighted sound in each whole stretch of 100 ms, summed over
            the channels.

    Returns:
        LUFS; None where nothing passes the gate, or the sound is shorter than 400 ms.
    """
    if len(power) < _BLOCK_STEPS:
        return None
    blocks = np.convolve(power, np.full(_BLOCK_STEPS, 1 / _BLOCK_STEPS), mode="valid")
    loud = blocks[blocks > _power(_GATE_LUFS)]
    if not len(loud):
        return None
    gate = float(loud.mean()) * 10 ** (_RELATIVE_GATE_LU / 10)
    return _OFFSET_LU + 10 * math.log10(float(loud[loud > gate].mean()))


def weighting(sample_rate: int) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """The K-weighting of BS.1770-4 for any rate: two filters, each b0 b1 b2 a0 a1 a2.

    The standard lists the coefficients for 48 kHz alone; these are the analogue filters behind
    them (B. De Man, "Evaluation of Implementations of the EBU R128 Loudness Measurement", 2018),
    which give the listed ones back at 48 kHz.
    """
    shelf = math.tan(math.pi * 1681.974450955533 / sample_rate)
    gain, shelf_q = 10 ** (3.999843853973347 / 20), 0.7071752369554196
    middle = gain**0.4996667741545416
    high = math.tan(math.pi * 38.13547087602444 / sample_rate)
    high_q = 0.5003270373238773
    return (
        (
            gain + middle * shelf / shelf_q + shelf**2,
            2 * (shelf**2 - gain),
            gain - middle * shelf / shelf_q + shelf**2,
            1 + shelf / shelf_q + shelf**2,
            2 * (shelf**2 - 1),
            1 - shelf / shelf_q + shelf**2,
        ),
        (
            # The listed numerator is 1, −2, 1 over a denominator that is scaled to begin with 1.
            1 + high / high_q + high**2,
            -2 * (1 + high / high_q + high**2),
            1 + high / high_q + high**2,
            1 + high / high_q + high**2,
            2 * (high**2 - 1),
            1 - high / high_q + high**2,
        ),
    )


def _power(lufs: float) -> float:
    return float(10 ** ((lufs - _OFFSET_LU) / 10))


class _Meter:
    """libav's ebur128 filter."""

    def __init__(self, sample_rate: int, layout: str) -> None:
        self._graph = Graph()
        self._source = self._graph.add_abuffer(
            format="fltp",
            sample_rate=sample_rate,
            layout=layout,
            time_base=Fraction(1, sample_rate),
        )
        meter = self._graph.add("ebur128", "metadata=1:framelog=quiet")
        self._sink = self._graph.add("abuffersink")
        self._graph.link_nodes(self._source, meter, self._sink).configure()
        self._integrated: float | None = None

    def push(self, frame: av.AudioFrame | None) -> None:
        """Measure a frame; None ends the sound."""
        self._source.push(frame)
        while True:
            try:
                measured = self._sink.pull()
            except (BlockingIOError, EOFError):
                return
            # The value so far, so the last one is that of the whole sound.
            text = measured.metadata.get("lavfi.r128.I")
            self._integrated = self._integrated if text is None else float(text)

    def finish(self) -> float | None:
        """The integrated loudness of all that was pushed."""
        self.push(None)
        return self._integrated


def _highest(samples: NDArray[Any]) -> float:
    return float(np.max(np.abs(samples), initial=0.0))

"""How loud a sound is, and by how much to change that.

Loudness is the integrated loudness of EBU R 128 (ITU-R BS.1770-4), measured by libav's ebur128
filter: it agreed with a plain reading of the standard where the loudnorm filter was 0.3 LU off.
The true peak is taken from the sound at four times its rate (BS.1770-4, annex 2); ebur128 would
tell it with three decimals only, which is nothing for a quiet recording.
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

from workers.audio.placement import Block

_GATE_LUFS: Final = -70.0
"""The absolute gate of BS.1770-4: libav reports it where no block was louder."""

_OVERSAMPLING: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Loudness:
    """What was measured of a sound."""

    integrated_lufs: float | None
    """Integrated loudness; None where all of it is below −70 LUFS or it is under 0.4 s long."""
    true_peak_dbtp: float | None
    """True peak over all channels; None where every sample is 0."""

    def amplified(self, gain_db: float) -> Loudness:
        """The loudness of the same sound after a constant gain."""
        return Loudness(
            integrated_lufs=None
            if self.integrated_lufs is None
            else self.integrated_lufs + gain_db,
            true_peak_dbtp=None if self.true_peak_dbtp is None else self.true_peak_dbtp + gain_db,
        )


def plan_gain(measured: Loudness, *, target_lufs: float | None, limit_dbtp: float) -> float:
    """The gain in dB that brings a sound to ``target_lufs`` with its peaks below the limit.

    0.0 where there is no target, or nothing to measure.
    """
    if target_lufs is None or measured.integrated_lufs is None or measured.true_peak_dbtp is None:
        return 0.0
    return min(target_lufs - measured.integrated_lufs, limit_dbtp - measured.true_peak_dbtp)


def measure_loudness(blocks: Iterable[Block], *, sample_rate: int, channels: int) -> Loudness:
    """Measure a sound that is streamed through, shape (channels, n) each."""
    layout = "mono" if channels == 1 else "stereo"
    meter = _Meter(sample_rate, layout)
    oversampler = av.AudioResampler("fltp", layout, sample_rate * _OVERSAMPLING)
    peak = 0.0
    position = 0
    for block in blocks:
        frame = block_frame(block, sample_rate=sample_rate, position=position)
        position += block.shape[1]
        # The samples themselves count too: a sound of a few samples is over before the
        # oversampler has warmed up.
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


def block_frame(block: Block, *, sample_rate: int, position: int) -> av.AudioFrame:
    """A block as a libav frame whose timestamp counts samples."""
    layout = "mono" if block.shape[0] == 1 else "stereo"
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(block), format="fltp", layout=layout)
    frame.sample_rate = sample_rate
    frame.time_base = Fraction(1, sample_rate)
    frame.pts = position
    return frame


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

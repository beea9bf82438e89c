"""Where a recording lies under the video, in whole samples.

The arithmetic is exact: times are Fractions, and the distance between the start of the video
and the start of the recording is rounded once, so a sample is never more than half a sample
period from where it belongs, however long the video is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from workers.audio.blocks import BLOCK_SAMPLES, Block


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """Which samples of a recording become which samples of the video's sound."""

    lead: int
    """Samples of silence before the recording begins."""
    skip: int
    """Samples of the recording that are over before the video begins."""
    samples: int
    """Length of the video's sound in samples."""

    @property
    def wanted(self) -> int:
        """How many samples of the recording are heard, if it is long enough."""
        return self.samples - self.lead


def plan_placement(
    *, start_s: Fraction, offset_s: Fraction, samples: int, sample_rate: int
) -> Placement:
    """Place a recording on the time line of the video.

    Args:
        start_s: Song time at which the video begins.
        offset_s: Song time at which the recording begins.
        samples: Length of the video's sound.
        sample_rate: Samples a second of both.

    Returns:
        A placement in which sample ``i`` of the recording becomes sample
        ``i + round((offset_s - start_s) * sample_rate)`` of the video (half rounds up).
        Either ``lead`` or ``skip`` is 0.
    """
    shift = ((offset_s - start_s) * sample_rate + Fraction(1, 2)).__floor__()
    return Placement(lead=min(max(shift, 0), samples), skip=max(-shift, 0), samples=samples)


def silence(channels: int, samples: int) -> Iterator[Block]:
    """``samples`` of silence, in blocks."""
    while samples > 0:
        step = min(samples, BLOCK_SAMPLES)
        yield np.zeros((channels, step), np.float32)
        samples -= step


def place(blocks: Iterable[Block], placement: Placement, channels: int) -> Iterator[Block]:
    """Cut and pad a recording to exactly ``placement.samples``.

    ``blocks`` is read no further than needed.
    """
    yield from silence(channels, placement.lead)
    skip, wanted = placement.skip, placement.wanted
    if wanted > 0:
        for block in blocks:
            dropped = min(skip, block.shape[1])
            skip -= dropped
            kept = block[:, dropped : dropped + wanted]
            if kept.shape[1]:
                yield kept
            wanted -= kept.shape[1]
            if wanted <= 0:
                break
    yield from silence(channels, wanted)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fades:
    """Straight fades at both ends, in samples."""

    rise: int
    """Samples from silence to full level at the start; sample 0 is silent where it is not 0."""
    fall: int
    """Samples from full level towards silence at the end."""
    samples: int
    """Length of the sound."""

    def __call__(self, blocks: Iterable[Block]) -> Iterator[Block]:
        """Fade a sound of ``samples`` samples, with the same curve as libav's afade (tri)."""
        first = 0
        for block in blocks:
            stop = first + block.shape[1]
            faded = block
            if first < self.rise or stop > self.samples - self.fall:
                position = np.arange(first, stop, dtype=np.float64)
                curve = np.ones_like(position)
                if self.rise:
                    curve = np.minimum(curve, position / self.rise)
                if self.fall:
                    curve = np.minimum(curve, (self.samples - position) / self.fall)
                faded = (block * curve).astype(np.float32)
            yield faded
            first = stop


def plan_fades(*, fade_in_s: float, fade_out_s: float, samples: int, sample_rate: int) -> Fades:
    """Fades in samples; one that is longer than the sound is shortened to it."""
    return Fades(
        rise=min(round(fade_in_s * sample_rate), samples),
        fall=min(round(fade_out_s * sample_rate), samples),
        samples=samples,
    )

"""The rate of a video: what a constant rate factor makes of it, and which factor makes the rate.

One-pass rate control begins anew in every chunk and misses by 13 to 42 %. So rates are held by
finding the constant rate factor that gives them: over a span of the scale, the logarithm of the
rate is a straight line.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from types import MappingProxyType
from typing import Final

from shared.codecs import CODECS, VideoCodec

LEAST: Final = 0.92
MOST: Final = 1.02
"""An average rate is held where the video has at least and at most these shares of it."""
AIM: Final = 0.97
"""The share that is aimed at: the middle of the two."""

_SLOPES: Final[Mapping[VideoCodec, float]] = MappingProxyType(
    {"h264": -0.115, "h265": -0.12, "vp9": -0.072, "av1": -0.052}
)
"""Change of the rate's logarithm from one factor to the next, measured on a piano roll (640x360,
30 fps, crf 18 to 24, 22 to 30, 30 to 50, 30 to 50)."""
_STEEPER: Final = 4.0
"""At both ends of the scale lines are steeper or flatter, but not more than so many times."""
_FINEST: Final = Fraction(1, 20)
"""Steps of a factor that need not be whole; one is half a per cent of the rate."""

_INDEX_BYTES: Final = 800
"""What an mp4 of one stream has around its frames: 769 to 813 bytes with libavformat 62.12."""
_FRAME_BYTES: Final[Mapping[VideoCodec, int]] = MappingProxyType({"h264": 12, "h265": 12})
"""Bytes of the index for each frame: its size, and where frames are reordered how far."""
_FRAME_BYTES_ELSE: Final = 4
_ROOM_FRAME_BYTES: Final = 60
"""Bytes of index that a frame and the sound beside it have in a finished file at most."""
_SOUND_MARGIN: Final = 1.02
"""Encoders of sound miss their rate too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A rate that was seen."""

    crf: float
    """Rate factor that the frames were encoded with."""
    kbps: float
    """Rate of the video that came out, kbit/s."""


def is_held(kbps: float, target_kbps: float) -> bool:
    """Whether a rate is near enough to the one that was asked for."""
    return LEAST * target_kbps <= kbps <= MOST * target_kbps


def packet_bytes(size_bytes: int, codec: VideoCodec, frames: int, segments: int) -> int:
    """What of the segments is video and not their containers' index.

    Args:
        size_bytes: Length of all segments together.
        codec: What they are encoded with.
        frames: Frames in all of them.
        segments: How many there are.
    """
    index = _INDEX_BYTES * segments + _FRAME_BYTES.get(codec, _FRAME_BYTES_ELSE) * frames
    return max(1, size_bytes - index)


def crf_step(grid: float | None, chunks: int) -> Fraction:
    """By how much the rate factor of a whole video can be changed (see plan.chunk_crf).

    Args:
        grid: What its encoder takes multiples of; None where it takes any factor.
        chunks: How many chunks it has.
    """
    return _FINEST if grid is None else Fraction(grid) / chunks


def crf_for(
    aim_kbps: float, seen: Sequence[Measured], codec: VideoCodec, step: Fraction
) -> float | None:
    """The rate factor with which a video comes nearest to a rate, as far as is known.

    Args:
        aim_kbps: The rate.
        seen: What other factors gave, at least one.
        codec: What encodes.
        step: The factor is a multiple of this.

    Returns:
        A factor within the codec's scale that was not seen yet; None where the scale ends, or no
        multiple of ``step`` lies between those that gave too much and too little.
    """
    scale = CODECS[codec].crf
    assert scale is not None  # noqa: S101  # only codecs with a scale have a rate
    # The next multiple from both ends, as 51 is none of 1/7.
    first = math.ceil(CODECS[codec].lowest_crf / step)
    last = math.floor(scale[1] / step)
    above = [one for one in seen if one.kbps > aim_kbps]
    below = [one for one in seen if one.kbps <= aim_kbps]
    if above:
        first = max(first, math.floor(Fraction(max(one.crf for one in above)) / step) + 1)
    if below:
        last = min(last, math.ceil(Fraction(min(one.crf for one in below)) / step) - 1)
    if first > last:
        return None
    wanted = round(Fraction(_on_line(aim_kbps, above, below, codec)) / step)
    return float(step * min(last, max(first, wanted)))


def _on_line(
    aim_kbps: float, above: Sequence[Measured], below: Sequence[Measured], codec: VideoCodec
) -> float:
    """Where the line through the two best known points reaches a rate."""
    # Of points that noise has put into the wrong order, those nearest to the rate count.
    nearest = sorted((*above, *below), key=lambda one: abs(math.log(one.kbps / aim_kbps)))
    a, usual = nearest[0], _SLOPES[codec]
    pair = [one for one in nearest[1:] if one.crf != a.crf]
    b = next((one for one in pair if (one.kbps > aim_kbps) != (a.kbps > aim_kbps)), None)
    if b is None and pair:
        b = pair[0]
    slope = usual
    if b is not None:
        slope = math.log(b.kbps / a.kbps) / (b.crf - a.crf)
        slope = min(usual / _STEEPER, max(usual * _STEEPER, slope))
    return a.crf + math.log(aim_kbps / a.kbps) / slope


def affordable_kbps(max_bytes: int, *, sound_kbps: int, frames: int, duration_s: Fraction) -> int:
    """The highest average rate of a video whose file stays within a size; below 1 if none does.

    Args:
        max_bytes: The size.
        sound_kbps: Rate of its sound, 0 for silence.
        frames: How many there are.
        duration_s: How long it lasts.
    """
    index = (_ROOM_FRAME_BYTES + max(_FRAME_BYTES.values())) * frames
    sound = _SOUND_MARGIN * sound_kbps * 125 * float(duration_s)
    return int((max_bytes - index - sound) / 125 / float(duration_s) / MOST)

"""One vocabulary for the speed of all encoders.

x264's words, mapped to each encoder's own scale so that a word asks for about the same patience.
Measured on one core with a piano roll at 1080p, in frames a second: x264 34 (superfast), 27
(veryfast), 11 (medium); x265, which uses x264's words itself, 18 (ultrafast), 14, 10 (veryfast).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from shared.codecs import EncoderSpeed

VP9: Final[Mapping[EncoderSpeed, tuple[str, int]]] = MappingProxyType(
    {
        "ultrafast": ("realtime", 8),
        "superfast": ("realtime", 6),
        "veryfast": ("realtime", 5),
        "faster": ("realtime", 4),
        "fast": ("good", 5),
        "medium": ("good", 3),
        "slow": ("good", 2),
        "slower": ("good", 1),
        "veryslow": ("good", 0),
    }
)
"""libvpx: deadline and cpu-used. 38 frames a second (ultrafast), 28, 21 (veryfast), 10, 4 (fast).
``good`` ends at 5: a fifth as fast as its mode for calls, which makes files a quarter larger."""

SVT_AV1: Final[Mapping[EncoderSpeed, int]] = MappingProxyType(
    {
        "ultrafast": 12,
        "superfast": 11,
        "veryfast": 10,
        "faster": 9,
        "fast": 8,
        "medium": 7,
        "slow": 6,
        "slower": 5,
        "veryslow": 4,
    }
)
"""SVT-AV1's preset. 37 frames a second (ultrafast), 30 (veryfast), 11 (fast)."""

PNG: Final[Mapping[EncoderSpeed, int]] = MappingProxyType(
    {
        "ultrafast": 1,
        "superfast": 1,
        "veryfast": 2,
        "faster": 3,
        "fast": 4,
        "medium": 6,
        "slow": 7,
        "slower": 8,
        "veryslow": 9,
    }
)
"""zlib's level."""

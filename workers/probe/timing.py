"""When the packets of a track are shown, against when they were planned to be."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import av

    Packet = av.Packet[Any]  # generic to the type checker alone


@dataclass(frozen=True, slots=True)
class Clock:
    """How finely a container tells the time."""

    tick_s: Fraction | None
    """Length of a tick that frames and samples do not fit into; None where they do."""

    def told(self, time_s: Fraction) -> Fraction:
        """What becomes of a time in the container: libav rounds to the nearest tick, up at half."""
        if self.tick_s is None:
            return time_s
        return math.floor(time_s / self.tick_s + Fraction(1, 2)) * self.tick_s

    @property
    def tolerance_s(self) -> Fraction:
        """How far apart two roundings of the same time may be."""
        return self.tick_s or Fraction(0)


EXACT: Final = Clock(None)
MILLISECONDS: Final = Clock(Fraction(1, 1000))
"""Of Matroska with its usual TimestampScale (RFC 9559, section 11.1)."""


@dataclass(slots=True)
class TrackTimes:
    """The packets of one track, in the order of the file; times in seconds."""

    shown_s: list[Fraction | None] = field(default_factory=list)
    decoded_s: list[Fraction | None] = field(default_factory=list)
    lasts_s: list[Fraction] = field(default_factory=list)
    first_is_key: bool = False
    keys: int = 0
    """How many are key frames."""
    with_alpha: int = 0
    """How many have an alpha channel beside them."""

    def add(self, packet: Packet) -> None:
        """Take note of the next packet."""
        base = packet.time_base
        if not self.shown_s:
            self.first_is_key = packet.is_keyframe
        self.keys += packet.is_keyframe
        self.with_alpha += packet.has_sidedata("matroska_block_additional")
        self.shown_s.append(None if packet.pts is None else packet.pts * base)
        self.decoded_s.append(None if packet.dts is None else packet.dts * base)
        self.lasts_s.append((packet.duration or 0) * base)

    def frame_problems(self, fps: Fraction, frames: int, clock: Clock) -> Iterator[str]:
        """What is wrong with the times of frames, each of which is shown at k / fps."""
        if len(self.shown_s) != frames:
            yield f"it has {len(self.shown_s)} frames instead of {frames}"
        if not self.first_is_key:
            yield "it does not begin with a key frame"
        if None in self.shown_s or None in self.decoded_s:
            yield "some of its frames have no time"
            return
        shown = sorted(time_s for time_s in self.shown_s if time_s is not None)
        for frame, time_s in enumerate(shown):
            planned_s = clock.told(frame / fps)
            if time_s != planned_s:
                yield (
                    f"frame {frame} is shown at {float(time_s):.6f} s, not {float(planned_s):.6f} s"
                )
                break
        decoded = [time_s for time_s in self.decoded_s if time_s is not None]
        if not all(a < b for a, b in pairwise(decoded)):
            yield "its decoding times do not rise"

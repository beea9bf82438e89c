"""Where the packets of segments belong in the whole video."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final

from shared.errors import RenderError

if TYPE_CHECKING:
    import av

    Packet = av.Packet[Any]  # generic to the type checker alone

REORDER: Final = 2
"""How many frames decoding runs ahead of presentation in a whole file of H.264 or H.265: x264 and
x265 need at most two with their one level of B-frame references, short segments may need less."""


def reorder_of(codec: str) -> int:
    """How many frames decoding runs ahead of presentation in a whole file of a codec.

    VP9 and AV1 put what is not shown into the packet of a frame that is, and the others have no
    frames that wait for later ones.
    """
    return REORDER if codec in ("h264", "h265") else 0


@dataclass(frozen=True, slots=True)
class Placed:
    """A packet's place in the whole video, in frames."""

    decode: int
    """Its place in the order of decoding, early enough that it is never after ``present``."""
    present: int
    """The frame that it shows."""


def place_packets(
    pts: list[Fraction], fps: Fraction, first_frame: int, reorder: int = REORDER
) -> list[Placed]:
    """Give the packets of one segment their places, from the order they are shown in alone.

    Decoding timestamps are made anew: encoders write odd ones for segments of a frame or two,
    and containers shift them.

    Args:
        pts: Presentation times in seconds, in the order of decoding.
        fps: Frames a second.
        first_frame: The frame of the whole video with which the segment begins.
        reorder: How many frames decoding runs ahead in the whole file.

    Raises:
        RenderError: The segment lacks a frame, repeats one, or reorders more than ``reorder``.
    """
    shown = [round(time * fps) for time in pts]
    start = min(shown, default=0)
    order = [frame - start for frame in shown]
    if sorted(order) != list(range(len(order))):
        raise RenderError(f"The segment at frame {first_frame} does not show each frame once.")
    if any(place - frame > reorder for place, frame in enumerate(order)):
        raise RenderError(
            f"The segment at frame {first_frame} reorders more than {reorder} frames."
        )
    return [
        Placed(first_frame + place - reorder, first_frame + frame)
        for place, frame in enumerate(order)
    ]


def interleave(sources: Iterable[Iterator[Packet]]) -> Iterator[Packet]:
    """Merge streams of packets by the time at which they are decoded."""
    heads = [(next(source, None), source) for source in sources]
    while True:
        waiting = [
            (Fraction(packet.dts or 0) * packet.time_base, place)
            for place, (packet, _) in enumerate(heads)
            if packet is not None
        ]
        if not waiting:
            return
        _, place = min(waiting)
        packet, source = heads[place]
        assert packet is not None  # noqa: S101  # it is in `waiting`
        yield packet
        heads[place] = (next(source, None), source)

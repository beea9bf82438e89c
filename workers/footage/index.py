"""When the frames of a video are shown, and where its decoding may begin: found by demuxing.

Nothing is decoded for it. The index is what makes a frame a pure function of its time: it says
for every frame from which packet on it is decoded, however one comes to ask for it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

import av
import numpy as np
from av.packet import Packet
from av.video.stream import VideoStream
from numpy.typing import NDArray

from shared.errors import MediaError

MOST_FRAMES: Final = 1_000_000
"""Beyond this a video is refused: 4.6 hours at 60 frames a second, or two seconds of demuxing."""

_APART: Final = 24
"""Packets from one beginning to the next, at least.

Each beginning costs the frames that a decoder holds back for reordering, which in footage of key
frames alone would be every frame's cost.
"""
_COMPOSED: Final = frozenset({"gif"})
"""Formats whose frames are painted over those before, whatever their packets claim."""
_GUESSED: Final = frozenset({("avi", "h264"), ("avi", "hevc")})
"""Formats and codings in which libav makes times up, and gets them wrong: AVI has none."""
_PARTED: Final = frozenset({"mpegts"})
"""Formats in which a field of a frame may be a packet of its own, without a time."""
_USUAL_FPS: Final = 25
"""Of a video that says nothing of its rate (what libav takes for granted)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """A packet with which decoding may begin."""

    ordinal: int
    """How many packets of the stream come before it in the file."""
    pts: int | None
    """When its frame is shown, in ticks."""
    dts: int | None
    """When it is to be decoded, in ticks."""
    size: int
    """Its length in bytes."""

    def is_same(self, packet: Packet[VideoStream]) -> bool:
        """Whether a packet that was found by seeking is this one."""
        found = (packet.pts, packet.dts, packet.size)
        return packet.is_keyframe and found == (self.pts, self.dts, self.size)

    def is_before(self, packet: Packet[VideoStream]) -> bool:
        """Whether a packet lies behind this one for sure, so that this one will not come."""
        return self.dts is not None and packet.dts is not None and packet.dts > self.dts


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """The frames of a video."""

    times: NDArray[np.int64]
    """When a frame is shown, in ticks, ascending; each time once. There may be a few times at
    which no frame comes out of the decoder, since a packet is damaged or holds none."""
    stop: int
    """When the last one ends, in ticks."""
    tick_s: Fraction
    """Length of a tick."""
    starts: tuple[Start, ...]
    """Where decoding may begin: the first packet, then key frames. All frames shown from a key
    frame's time on are decoded after it."""
    counted: bool
    """Whether the file tells no times, so that the n-th frame out of the decoder has the n-th."""

    def start_of(self, time: int) -> int:
        """Which of the starts the frame shown at a time is decoded from."""
        # The first one has no time that counts: what comes before it in time belongs to it too.
        return bisect_right(self.starts, time, lo=1, key=_shown_at) - 1


def _shown_at(start: Start) -> int:
    assert start.pts is not None  # noqa: S101  # only the first one may lack it
    return start.pts


def read_index(
    packets: Iterable[Packet[VideoStream]],
    tick_s: Fraction,
    rate: Fraction | None,
    container: str,
    codec: str,
) -> Index:
    """Read the index of a video.

    Args:
        packets: All packets of its stream, in the order of the file.
        tick_s: What their times are told in.
        rate: Its frames per second, as far as the file says.
        container: libav's name of its format.
        codec: libav's name of its coding.

    Raises:
        MediaError: It has more frames than can be used, or none.
    """
    reading = _Reading()
    try:
        for packet in packets:
            if packet.size:
                reading.take(packet)
            if reading.packets > MOST_FRAMES:
                raise MediaError(
                    f"The video has more than {MOST_FRAMES:,} frames; cut out what is to be seen."
                )
    except av.FFmpegError:
        pass  # the end of a file that was cut off; what came before it can be seen
    if not reading.packets:
        raise MediaError("The video has no frames; export it again.")
    untimed = reading.untimed and not (container in _PARTED and reading.shown)
    if untimed or (container, codec) in _GUESSED:
        return _counted(reading, tick_s, rate or Fraction(_USUAL_FPS))
    times = np.unique(np.array(reading.shown or reading.hidden, dtype=np.int64))
    steps = np.diff(times)
    usual = round(1 / (rate or Fraction(_USUAL_FPS)) / tick_s)
    step = max(1, int(np.median(steps)) if len(steps) else usual)
    # A packet may say how long it is shown; the end of the last is the end of all.
    stop = max(reading.stop, int(times[-1]) + (0 if reading.stop > times[-1] else step))
    starts = reading.starts[:1] if container in _COMPOSED else reading.starts
    return Index(
        times=times,
        stop=stop,
        tick_s=tick_s,
        starts=tuple(starts),
        counted=False,
    )


def _counted(reading: _Reading, tick_s: Fraction, rate: Fraction) -> Index:
    """The index where times are missing: of an AVI, which tells when frames are to be decoded."""
    decoded: Sequence[int] = sorted({each for each in reading.decoded if each is not None})
    if len(decoded) != reading.packets:
        decoded, tick_s = range(reading.packets), 1 / rate
    step = max(1, round(1 / rate / tick_s))
    return Index(
        times=np.array(decoded, dtype=np.int64),
        stop=decoded[-1] + step,
        tick_s=tick_s,
        starts=tuple(reading.starts[:1]),
        counted=True,
    )


class _Reading:
    """What the packets add up to."""

    def __init__(self) -> None:
        self.packets = 0
        self.untimed = False
        self.shown: list[int] = []
        self.hidden: list[int] = []
        """What an edit list leaves out."""
        self.decoded: list[int | None] = []
        self.stop = np.iinfo(np.int64).min
        self.starts: list[Start] = []
        self._latest: int | None = None

    def take(self, packet: Packet[VideoStream]) -> None:
        pts = packet.pts
        if self._begins(packet):
            self.starts.append(
                Start(ordinal=self.packets, pts=pts, dts=packet.dts, size=packet.size)
            )
        self.packets += 1
        self.decoded.append(packet.dts)
        if pts is None:
            self.untimed = True
            return
        self._latest = pts if self._latest is None else max(self._latest, pts)
        if packet.is_discard:
            self.hidden.append(pts)
            return
        self.shown.append(pts)
        self.stop = max(self.stop, pts + (packet.duration or 0))

    def _begins(self, packet: Packet[VideoStream]) -> bool:
        if not self.starts:
            return True
        return (
            packet.is_keyframe
            and packet.pts is not None
            and self.packets - self.starts[-1].ordinal >= _APART
            # Whatever is shown from here on must be decoded from here on.
            and (self._latest is None or self._latest < packet.pts)
        )

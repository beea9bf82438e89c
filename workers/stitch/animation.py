"""An animation: the differences of all segments behind one header, in one GIF."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import av

from shared.errors import RenderError, VerificationError
from shared.plan import StitchSpec
from workers.encode import GIF_CLOCK, GIF_HEADER_BYTES
from workers.progress import Progress
from workers.stitch.sources import Sources

if TYPE_CHECKING:
    Packet = av.Packet[Any]  # generic to the type checker alone

_TRAILER: Final = b";"
"""What a GIF ends with (GIF89a, section 27); frames end with an empty block."""


def write_animation(spec: StitchSpec, sources: Sources, path: Path, progress: Progress) -> None:
    """Join the segments of a GIF: to the byte what one encoder would have made of all frames.

    Args:
        spec: With how often it is played again.
        sources: GIFs that begin with the same header; see workers.encode.encode_segment.
        path: The file to write.
        progress: Hears how many frames are joined.

    Raises:
        RenderError: A segment is not what was planned.
        VerificationError: The segments hold another number of frames than was planned.
    """
    video = spec.video
    assert video is not None  # noqa: S101  # a GIF has a picture
    options = {"loop": str(spec.gif_loop)}
    with av.open(str(path), "w", format="gif", options=options) as output:
        stream = output.add_mux_stream(
            "gif", rate=video.fps, width=video.width, height=video.height, time_base=GIF_CLOCK
        )
        frame = 0
        for data in _frames(sources):
            packet: Packet = av.Packet(data)
            packet.pts = packet.dts = frame
            packet.duration = 1
            packet.time_base = 1 / video.fps
            packet.stream = stream
            output.mux_one(packet)
            frame += 1
            progress(frame)
    if frame != spec.frames:
        raise VerificationError(f"{spec.frames} frames were planned, the segments hold {frame}.")


def _frames(sources: Sources) -> Iterator[bytes]:
    """The frames of all segments, the first of them behind the header."""
    header = b""
    for index in range(len(sources)):
        with sources.segment(index) as path, av.open(str(path), format="gif") as segment:
            for place, packet in enumerate(one for one in segment.demux(video=0) if one.size):
                # Behind its last frame a segment says that the GIF ends, and the whole would.
                data = bytes(packet).removesuffix(_TRAILER)
                if place == 0 and index == 0:
                    header = data[:GIF_HEADER_BYTES]
                elif place == 0:
                    if data[:GIF_HEADER_BYTES] != header:
                        raise RenderError(
                            f"Segment {sources.segment_name(index)} has another palette."
                        )
                    data = data[GIF_HEADER_BYTES:]
                yield data

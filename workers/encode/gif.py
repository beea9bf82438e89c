"""GIF by libav: one palette for the whole piece, every frame after the first as a difference."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from io import BytesIO
from typing import Any, Final, cast

import av
import numpy as np
from av.filter import Graph

from shared.errors import EncodeError
from shared.plan import VideoSpec
from workers.encode.instructions import ENCODER_THREADS

HEADER_BYTES: Final = 13 + 3 * 256
"""Signature, screen descriptor and global colour table (GIF89a, sections 17 to 19), which
libav's encoder writes into its first packet."""
TRAILER: Final = b";"
"""What a GIF ends with (GIF89a, section 27)."""
_SIGNATURE: Final = b"GIF89a"
CLOCK: Final = Fraction(1, 100)
"""Delays are hundredths of a second (GIF89a, section 23)."""


def encode(pictures: Iterable[av.VideoFrame], video: VideoSpec, *, lead_in: bool) -> bytes:
    """Encode frames into a GIF in memory.

    A GIF's frame is the difference to the one before. So the first picture is a lead-in where
    the segment is not the first of its export: it is encoded and left out. What remains is as
    many frames as the segment has, the first of them a difference to a frame that the segment
    does not hold; behind those of the segment before, they are to the byte what one encoder
    would have made of the whole. All segments begin with the same header.

    Args:
        pictures: The frames, any RGB.
        video: What to encode; its palette is known.
        lead_in: Whether the first picture belongs to the segment before.

    Raises:
        EncodeError: The palette is not known.
    """
    buffer = BytesIO()
    # -1: played once. How often the whole is played again is for the stitch to say.
    with av.open(buffer, "w", format="gif", options={"loop": "-1"}) as container:
        stream = container.add_mux_stream(
            "gif", rate=video.fps, width=video.width, height=video.height, time_base=CLOCK
        )
        header = b""
        for index, data in enumerate(_packets(pictures, video)):
            if index == 0:
                header = data[:HEADER_BYTES]
                if not header.startswith(_SIGNATURE):
                    raise EncodeError("The GIF encoder wrote no header.")
                if lead_in:
                    continue
            place = index - lead_in
            packet = av.Packet(header + data if lead_in and place == 0 else data)
            packet.pts = packet.dts = place
            packet.duration = 1
            packet.time_base = 1 / video.fps
            packet.stream = stream
            container.mux_one(packet)
    return buffer.getvalue()


def _packets(pictures: Iterable[av.VideoFrame], video: VideoSpec) -> Iterator[bytes]:
    encoder = av.CodecContext.create("gif", "w")
    encoder.width, encoder.height = video.width, video.height
    encoder.pix_fmt = "pal8"
    encoder.framerate = video.fps
    encoder.time_base = 1 / video.fps
    encoder.thread_count = ENCODER_THREADS
    paletted = _Paletted(video)
    for number, picture in enumerate(pictures):
        for packet in encoder.encode(paletted.frame(picture, number)):
            yield bytes(packet)
    for packet in encoder.encode(None):
        yield bytes(packet)


class _Paletted:
    """Gives frames the colours of the palette."""

    def __init__(self, video: VideoSpec) -> None:
        if video.palette is None:
            raise EncodeError(
                "The palette of the GIF is not known yet; survey the piece before its chunks are "
                "encoded."
            )
        self._base = 1 / video.fps
        size = f"video_size={video.width}x{video.height}:pix_fmt=bgra:time_base={self._base}"
        graph = Graph()
        self._source = graph.add("buffer", size)
        colours = graph.add("buffer", f"video_size=16x16:pix_fmt=bgra:time_base={self._base}")
        # Whole frames: a difference found after error diffusion is not that of another chunk.
        method = graph.add("paletteuse", f"dither={video.dither}:diff_mode=none")
        self._sink = graph.add("buffersink")
        self._source.link_to(method, 0, 0)
        colours.link_to(method, 0, 1)
        method.link_to(self._sink)
        graph.configure()
        self._graph: Any = graph
        palette = np.frombuffer(bytes.fromhex(video.palette), dtype=np.uint8).reshape(16, 16, 4)
        colours.push(self._timed(av.VideoFrame.from_ndarray(palette, format="bgra"), 0))
        colours.push(None)

    def _timed(self, picture: av.VideoFrame, number: int) -> av.VideoFrame:
        picture.pts = number
        picture.time_base = self._base
        return picture

    def frame(self, picture: av.VideoFrame, number: int) -> av.VideoFrame:
        self._source.push(self._timed(picture.reformat(format="bgra"), number))
        return cast("av.VideoFrame", self._sink.pull())

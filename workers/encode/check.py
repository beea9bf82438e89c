"""Whether a segment is what was planned, before it is committed."""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO
from types import MappingProxyType
from typing import Final
from zipfile import BadZipFile, ZipFile

import av
from av.error import FFmpegError

from shared.codecs import VideoCodec
from shared.errors import RenderError
from shared.plan import VideoSpec
from shared.timebase import FrameRange
from workers.encode.gif import TRAILER
from workers.encode.png import image_name

_NAMES: Final[Mapping[VideoCodec, str]] = MappingProxyType(
    {
        "h264": "h264",
        "h265": "hevc",
        "vp9": "vp9",
        "av1": "av1",
        "prores_4444": "prores",
        "gif": "gif",
    }
)
"""libav's names of what is in a segment."""


def check_segment(data: bytes, video: VideoSpec, span: FrameRange) -> None:
    """Check that a segment can be stitched. Nothing is decoded.

    Args:
        data: The segment, as encode_segment makes it.
        video: What it was to be encoded as.
        span: The frames that it was to hold.

    Raises:
        RenderError: It has another codec or number of frames, or does not begin with a key frame.
    """
    if video.codec == "png":
        _check_images(data, span)
        return
    try:
        with av.open(BytesIO(data), "r") as container:
            stream = container.streams.video[0]
            name = stream.codec_context.codec.canonical_name
            packets = [packet for packet in container.demux(stream) if packet.size]
    except (FFmpegError, IndexError) as exc:
        raise RenderError(f"The segment cannot be read: {exc}") from exc
    if name != _NAMES[video.codec]:
        raise RenderError(f"The segment holds {name} instead of {_NAMES[video.codec]}.")
    if len(packets) != len(span):
        raise RenderError(f"The segment holds {len(packets)} frames instead of {len(span)}.")
    if video.codec == "gif" and not data.endswith(TRAILER):
        raise RenderError("The segment ends in the middle of a frame.")
    if not packets[0].is_keyframe:
        raise RenderError("The segment does not begin with a key frame.")


def _check_images(data: bytes, span: FrameRange) -> None:
    try:
        with ZipFile(BytesIO(data)) as archive:
            names = archive.namelist()
            damaged = archive.testzip()
    except BadZipFile as exc:
        raise RenderError(f"The segment cannot be read: {exc}") from exc
    if names != [image_name(frame) for frame in span]:
        raise RenderError(f"The segment does not hold the images of the frames {span}.")
    if damaged is not None:
        raise RenderError(f"The image {damaged} of the segment is damaged.")

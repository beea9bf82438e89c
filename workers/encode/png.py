"""A sequence of PNG images in a zip file."""

from __future__ import annotations

from collections.abc import Iterable
from io import BytesIO
from typing import Final
from zipfile import ZIP_STORED, ZipFile, ZipInfo

import av
from av.video.reformatter import ColorPrimaries, ColorTrc

from shared.plan import VideoSpec
from shared.timebase import FrameRange
from workers.encode.instructions import ENCODER_THREADS
from workers.encode.speeds import PNG

_NO_DATE: Final = (1980, 1, 1, 0, 0, 0)
"""The first that a zip file can hold: the same frames give the same bytes at any time."""


def image_name(frame: int) -> str:
    """What the image of a frame of the whole video is called in the zip file."""
    return f"frame_{frame:06}.png"


def encode(pictures: Iterable[av.VideoFrame], video: VideoSpec, span: FrameRange) -> bytes:
    """Encode frames as images that lie in a zip file as they are.

    Args:
        pictures: The frames, in the pixel format of ``video``.
        video: What to encode.
        span: Their numbers.
    """
    buffer = BytesIO()
    with ZipFile(buffer, "w", ZIP_STORED) as archive:
        for picture, frame in zip(pictures, span, strict=False):
            archive.writestr(ZipInfo(image_name(frame), _NO_DATE), _image(picture, video))
    return buffer.getvalue()


def _image(picture: av.VideoFrame, video: VideoSpec) -> bytes:
    encoder = av.CodecContext.create("png", "w")
    encoder.width, encoder.height = video.width, video.height
    encoder.pix_fmt = video.pixel_format
    encoder.time_base = 1 / video.fps
    encoder.thread_count = ENCODER_THREADS
    # From these it writes that the numbers are sRGB (PNG, third edition, 11.3.2.5).
    picture.color_primaries, picture.color_trc = ColorPrimaries.BT709, ColorTrc.IEC61966_2_1
    encoder.options = {"compression_level": str(PNG[video.encoder_speed]), "pred": "up"}
    return b"".join(bytes(packet) for packet in [*encoder.encode(picture), *encoder.encode(None)])

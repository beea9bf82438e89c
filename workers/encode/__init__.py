"""Encoding: every codec in chunks, the same bytes for the same frames."""

from workers.encode.check import check_segment
from workers.encode.gif import CLOCK as GIF_CLOCK
from workers.encode.gif import HEADER_BYTES as GIF_HEADER_BYTES
from workers.encode.hardware import hardware_encoders
from workers.encode.instructions import ENCODER_THREADS, instructions
from workers.encode.png import image_name
from workers.encode.segment import (
    add_video_stream,
    encode_segment,
    encoder_settings,
    segment_frames,
)

__all__ = [
    "ENCODER_THREADS",
    "GIF_CLOCK",
    "GIF_HEADER_BYTES",
    "add_video_stream",
    "check_segment",
    "encode_segment",
    "encoder_settings",
    "hardware_encoders",
    "image_name",
    "instructions",
    "segment_frames",
]

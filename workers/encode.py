"""Encoding a chunk into a segment that can be stitched without encoding it again."""

from __future__ import annotations

import platform
import re
from collections.abc import Iterable
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Final

import av
from av.error import FFmpegError
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc

from shared.errors import EncodeError
from shared.plan import BUFFER_S, VideoSpec

ENCODER_THREADS: Final = 1
"""Fixed, since x264's output depends on it. One process a core beats threads in one process."""
_GROUP: Final = 250
"""x264's default distance between key frames."""

_INSTRUCTIONS: Final = ("avx2", "avx", "sse4_2", "ssse3", "sse2")
"""What of a processor x264's output depends on, the best first; as /proc/cpuinfo spells it."""


@cache
def instructions() -> str:
    """What x264 is allowed to use of this processor, or its architecture where that is not x86.

    Other instructions give other bytes. AVX-512 is left alone: x264 reads memory there that
    nobody has written, where the width in macroblocks is no multiple of 8 (1080x1920), so that
    the same frames gave up to twelve different files in one process (libavcodec 62.28).
    """
    try:
        found = re.search(r"^flags\s*:(.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    except OSError:
        found = None
    flags = set(found[1].split()) if found else set()
    return next((name for name in _INSTRUCTIONS if name in flags), platform.machine())


def add_video_stream(
    container: av.container.OutputContainer, video: VideoSpec, frames: int
) -> av.VideoStream:
    """Add an H.264 stream, its encoder open, for one closed group of ``frames`` frames.

    ``stitchable`` keeps the rate factor out of the parameter sets, so that all segments of an
    export share one header.

    Raises:
        EncodeError: libx264 does not take these settings.
    """
    stream = container.add_stream("libx264", rate=video.fps)
    stream.time_base = 1 / video.fps
    encoder = stream.codec_context
    encoder.width, encoder.height = video.width, video.height
    encoder.pix_fmt = "yuv420p"
    encoder.time_base = 1 / video.fps
    encoder.thread_count = ENCODER_THREADS
    encoder.thread_type = "SLICE"
    encoder.colorspace = Colorspace.ITU709
    encoder.color_range = ColorRange.MPEG
    encoder.color_primaries = ColorPrimaries.BT709
    encoder.color_trc = ColorTrc.BT709
    encoder.options = {
        "preset": video.encoder_speed,
        "profile": video.profile,
        "crf": str(video.crf),
        "maxrate": f"{video.max_kbps}k",
        "bufsize": f"{BUFFER_S * video.max_kbps}k",
        # One group, whatever the length: below its default x264 writes another header.
        "g": str(max(frames, _GROUP)),
        "x264-params": "stitchable=1:open-gop=0"
        + (":asm=avx2" if instructions() == "avx2" else ""),
    }
    try:
        encoder.open()
    except (FFmpegError, ValueError) as exc:
        raise EncodeError(f"libx264 cannot encode {video.width}x{video.height}: {exc}") from exc
    if encoder.options:
        raise EncodeError(f"libx264 did not understand {sorted(encoder.options)}.")
    return stream


def encode_segment(pictures: Iterable[av.VideoFrame], video: VideoSpec, frames: int) -> bytes:
    """Encode frames into an mp4 in memory with exact timestamps that begin at 0.

    Args:
        pictures: The frames, yuv420p, each read before the next is asked for.
        video: What to encode.
        frames: How many there are.

    Raises:
        EncodeError: libx264 refused, or the number of frames was another.
    """
    buffer = BytesIO()
    count = 0
    try:
        with av.open(buffer, "w", format="mp4", options={"fflags": "+bitexact"}) as container:
            stream = add_video_stream(container, video, frames)
            for picture in pictures:
                picture.pts = count
                picture.time_base = 1 / video.fps
                count += 1
                container.mux(stream.encode(picture))
            container.mux(stream.encode(None))
    except FFmpegError as exc:
        raise EncodeError(f"libx264 failed at frame {count}: {exc}") from exc
    if count != frames:
        raise EncodeError(f"{frames} frames were to be encoded, {count} came.")
    return buffer.getvalue()

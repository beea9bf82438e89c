"""Opening media that strangers have sent."""

from __future__ import annotations

from pathlib import Path
from typing import IO, Final

import av
from av.container import InputContainer

RECORDING_FORMATS: Final = (
    *("aac", "ac3", "aiff", "amr", "ape", "asf", "au", "avi", "caf", "flac", "flv"),
    *("matroska", "mov", "mp3", "mpegts", "ogg", "tta", "w64", "wav", "wv"),
)
"""The demuxers that a recording may be read with."""

PICTURE_FORMATS: Final = (
    *("bmp_pipe", "gif", "jpeg_pipe", "png_pipe", "tiff_pipe", "webp_pipe"),
    *("apng", "webp"),
)
"""The demuxers that a picture may be looked at with."""

FOOTAGE_FORMATS: Final = ("avi", "flv", "gif", "matroska", "mov", "mpegts")
"""The demuxers that a video behind the notes may be read with; matroska is webm too."""


def open_media(media: Path | IO[bytes], formats: tuple[str, ...]) -> InputContainer:
    """Open a media file with one of the named demuxers, or not at all.

    Args:
        media: Where it is, or the open file itself, which may have been deleted meanwhile.
        formats: libav's names of the demuxers.

    This is an allow-list and not a list of the wicked, because libav judges a file by its
    content, and some of its demuxers open what the content names: hls, dash, concat, image2,
    sdp, imf and others. A "recording" that says ``ffconcat version 1.0`` and
    ``file '/etc/passwd'``, or names an address in the farm's own network, would be obeyed.
    Neither the list of protocols nor an opener of our own stops the concat demuxer (it opens its
    files in a context of its own), so the demuxer itself must not run. libav consults this list
    after it has guessed the format and before it reads a header. Each format above reads one
    file alone; mov could follow references, and does so only with its option enable_drefs.

    Raises:
        av.FFmpegError: It is of no such format, damaged, or cannot be read.
    """
    return av.open(
        # "file:" keeps libav from taking the beginning of a name for a protocol.
        f"file:{media.absolute()}" if isinstance(media, Path) else media,
        "r",
        container_options={
            "format_whitelist": ",".join(formats),
            "protocol_whitelist": "file",
        },
    )

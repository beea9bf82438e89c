"""Whether a finished zip of images is as planned."""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from shared.codecs import has_alpha
from shared.plan import VideoSpec

_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_HEADER: Final = struct.Struct(">8sI4sIIBB")
"""The signature and what of the header is looked at: length, IHDR, width, height, bits of a
sample, kind of colour (ISO/IEC 15948, sections 5.2 and 11.2.2)."""
_TRUE_COLOUR, _WITH_ALPHA = 2, 6


def sequence_problems(path: Path, video: VideoSpec, frames: int) -> Iterator[str]:
    """What is different in a finished zip of images from what was planned; the first of each.

    Raises:
        zipfile.BadZipFile: It is no zip.
        OSError: It cannot be read.
    """
    colour = _WITH_ALPHA if has_alpha(video.pixel_format) else _TRUE_COLOUR
    planned = (_SIGNATURE, 13, b"IHDR", video.width, video.height, 8, colour)
    with zipfile.ZipFile(path) as images:
        entries = images.infolist()
        if len(entries) != frames:
            yield f"it has {len(entries)} images instead of {frames}"
        for frame, entry in enumerate(entries):
            name = f"frame_{frame:06}.png"
            if entry.filename != name:
                yield f"{entry.filename} is in the place of {name}"
                return
            with images.open(entry) as file:
                head = file.read(_HEADER.size)
            if len(head) < _HEADER.size or _HEADER.unpack(head) != planned:
                yield f"{name} is no PNG of {video.width}x{video.height} in {video.pixel_format}"
                return

"""Which kinds of tracks an MP4 or MOV file has: a walk over its boxes, which opens none of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

_HANDLER: Final = (b"moov", b"trak", b"mdia", b"hdlr")
"""Where a track says what it is (ISO/IEC 14496-12, 8.4.3)."""
_MOST_BOXES: Final = 100_000
"""What has more is not walked to its end: files in fragments have two boxes a second or so."""


def is_silent_movie(path: Path) -> bool:
    """Whether a file has a track of pictures and none of sound, as far as it can be made out.

    Raises:
        OSError: It cannot be read.
    """
    with path.open("rb") as file:
        kinds = set(_handlers(file))
    return b"vide" in kinds and b"soun" not in kinds


def _handlers(file: BinaryIO) -> Iterator[bytes]:
    """The handler types of all tracks."""
    end = file.seek(0, 2)
    # Of each box that we are in, its end; the innermost last.
    ends, place = [end], 0
    for _ in range(_MOST_BOXES):
        while place + 8 > ends[-1]:
            place = ends.pop()
            if not ends:
                return
        file.seek(place)
        head = file.read(16)
        size, start = int.from_bytes(head[:4]), place + 8
        if size == 1:  # its length follows in 64 bits
            size, start = int.from_bytes(head[8:16]), place + 16
        stop = ends[-1] if size == 0 else place + size
        if not start <= stop <= ends[-1]:
            return  # damaged, or cut off
        depth = len(ends) - 1
        if depth < len(_HANDLER) and head[4:8] == _HANDLER[depth]:
            if depth < len(_HANDLER) - 1:
                ends.append(stop)
                place = start
                continue
            file.seek(start + 8)
            yield file.read(4)
        place = stop

"""The outermost structure of an mp4 file (ISO/IEC 14496-12, sections 4.2 and 8.2.2)."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """One box of an mp4 file."""

    kind: str
    """Its four characters: ftyp, moov, mdat, …"""
    offset: int
    """Where its header begins, in bytes from the start of the file."""
    content: int
    """Where its content begins."""
    stop: int
    """The first byte after it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MovieHeader:
    """What the movie header says of the length of the whole."""

    timescale: int
    """Ticks a second."""
    duration: int
    """Length in ticks."""

    @property
    def duration_s(self) -> Fraction:
        """Length in seconds."""
        return Fraction(self.duration, self.timescale)


def read_boxes(path: Path) -> tuple[Box, ...]:
    """The boxes at the top of an mp4 file, in their order.

    Raises:
        ValueError: The file is no sequence of whole boxes.
    """
    with path.open("rb") as file:
        return _boxes(file, 0, path.stat().st_size)


def read_movie_header(path: Path) -> MovieHeader:
    """The movie header of an mp4 file.

    Raises:
        ValueError: The file has none.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        for movie in _boxes(file, 0, size):
            if movie.kind != "moov":
                continue
            for box in _boxes(file, movie.content, movie.stop):
                if box.kind == "mvhd":
                    return _movie_header(file, box)
    raise ValueError("there is no movie header")


def _movie_header(file: BinaryIO, box: Box) -> MovieHeader:
    file.seek(box.content)
    data = file.read(min(box.stop - box.content, 32))
    # Version 1 has wide times: version and flags, creation, modification, timescale, duration.
    layout = ">4xQQIQ" if data[:1] == b"\1" else ">4xIIII"
    if len(data) < struct.calcsize(layout):
        raise ValueError("the movie header is cut short")
    _, _, timescale, duration = struct.unpack_from(layout, data)
    if not timescale:
        raise ValueError("the movie header has no time scale")
    return MovieHeader(timescale=timescale, duration=duration)


def _boxes(file: BinaryIO, position: int, end: int) -> tuple[Box, ...]:
    boxes: list[Box] = []
    while position < end:
        file.seek(position)
        header = file.read(16)
        if len(header) < 8:
            raise ValueError(f"the box at byte {position} is cut short")
        size, kind = struct.unpack_from(">I4s", header)
        content = position + 8
        if size == 1:
            if len(header) < 16:
                raise ValueError(f"the box at byte {position} is cut short")
            size, content = struct.unpack_from(">8xQ", header)[0], position + 16
        elif size == 0:
            size = end - position
        stop = position + size
        if stop < content or stop > end:
            raise ValueError(f"the box at byte {position} ends outside of the file")
        boxes.append(Box(kind=kind.decode("latin-1"), offset=position, content=content, stop=stop))
        position = stop
    return tuple(boxes)

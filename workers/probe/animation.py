"""Whether a finished GIF is as planned (GIF89a, the sections in parentheses)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO, Final

from shared.plan import VideoSpec
from workers.probe.timing import Clock

_CLOCK: Final = Clock(Fraction(1, 100))
"""Delays are hundredths of a second (23)."""
_EXTENSION, _IMAGE, _TRAILER = 0x21, 0x2C, 0x3B
_CONTROL, _APPLICATION = 0xF9, 0xFF
_LOOPING: Final = b"NETSCAPE2.0"
"""The application extension that all browsers know."""


@dataclass(slots=True)
class Animation:
    """What a GIF is made of."""

    width: int
    height: int
    colours: int
    """In its global table; 0 without one."""
    loop: int = -1
    """How often it is played again; 0 for ever, -1 not."""
    delays: list[int] = field(default_factory=list)
    """Of each image, in hundredths of a second."""
    first_is_whole: bool = False
    """Whether the first image covers the whole."""


def read_animation(path: Path) -> Animation:
    """Read the structure of a GIF to its very end.

    Raises:
        ValueError: It is no GIF, is cut short, or goes on behind its end.
    """
    with path.open("rb") as file:
        signature, width, height, flags = struct.unpack("<6sHHBxx", _read(file, 13))
        if signature != b"GIF89a":
            raise ValueError("it does not begin as a GIF does")
        colours = 2 << (flags & 7) if flags & 0x80 else 0
        _read(file, 3 * colours)
        found = Animation(width, height, colours)
        delay = 0
        while (kind := _read(file, 1)[0]) != _TRAILER:
            if kind == _EXTENSION:
                label = _read(file, 1)[0]
                blocks = list(_blocks(file))
                if label == _CONTROL:
                    delay = int(struct.unpack_from("<xH", blocks[0])[0])
                elif label == _APPLICATION and blocks[0] == _LOOPING:
                    found.loop = int(struct.unpack_from("<xH", blocks[1])[0])
            elif kind == _IMAGE:
                left, top, wide, high, flags = struct.unpack("<HHHHB", _read(file, 9))
                if not found.delays:
                    found.first_is_whole = (left, top, wide, high) == (0, 0, width, height)
                _read(file, 3 * (2 << (flags & 7)) if flags & 0x80 else 0)
                _read(file, 1)  # LZW's smallest code
                for _ in _blocks(file):
                    pass
                found.delays.append(delay)
            else:
                raise ValueError(f"a block of the unknown kind {kind:#x} is in it")
        if file.read(1):
            raise ValueError("it goes on behind its end")
        return found


def animation_problems(path: Path, video: VideoSpec, frames: int, loop: int) -> Iterator[str]:
    """What is different in a finished GIF from what was planned.

    Raises:
        ValueError: It is no GIF.
        OSError: It cannot be read.
    """
    found = read_animation(path)
    for name, is_, planned in (
        ("width", found.width, video.width),
        ("height", found.height, video.height),
        ("number of colours", found.colours, 256),
        ("number of loops", found.loop, loop),
    ):
        if is_ != planned:
            yield f"its {name} is {is_} instead of {planned}"
    if len(found.delays) != frames:
        yield f"it has {len(found.delays)} frames instead of {frames}"
        return
    if not found.first_is_whole:
        yield "its first frame does not cover the whole"
    shown = [int(100 * _CLOCK.told(frame / video.fps)) for frame in range(frames)]
    planned_delays = [after - before for before, after in pairwise(shown)]
    # Nothing follows the last frame: libav shows it as long as the one before.
    for frame, (is_, planned) in enumerate(zip(found.delays, planned_delays, strict=False)):
        if is_ != planned:
            yield f"frame {frame} is shown for {is_}/100 s instead of {planned}/100 s"
            break


def _blocks(file: BinaryIO) -> Iterator[bytes]:
    """The data of sub-blocks, up to the empty one (15)."""
    while size := _read(file, 1)[0]:
        yield _read(file, size)


def _read(file: BinaryIO, size: int) -> bytes:
    data = file.read(size)
    if len(data) < size:
        raise ValueError("it is cut short")
    return data

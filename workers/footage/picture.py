"""Decoded frames as pictures: upright, with square pixels, in sRGB."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Final, cast

import av
import numpy as np
from av.buffer import Buffer
from av.sidedata.sidedata import Type as SideDataType
from av.video.reformatter import (
    ColorPrimaries,
    ColorRange,
    Colorspace,
    ColorTrc,
    Interpolation,
    VideoReformatter,
)
from numpy.typing import NDArray
from PIL import Image

Pixels = NDArray[np.uint8]

_SCALING: Final = Interpolation.BICUBIC | Interpolation.ACCURATE_RND | Interpolation.BITEXACT
"""Equal on processors with other instruction sets. Chroma is interpolated downwards and shared by
two neighbours; finer costs four times as much, and a finished video halves its chroma as well."""

_MATRICES: Final[Mapping[int, Colorspace]] = {
    1: Colorspace.ITU709,
    4: Colorspace.FCC,
    5: Colorspace.ITU601,
    6: Colorspace.ITU601,
    7: Colorspace.SMPTE240M,
    9: Colorspace.BT2020,
    10: Colorspace.BT2020,
}
"""From the code points of ITU-T H.273 (MatrixCoefficients) to libswscale's."""
_SD: Final = (1279, 576)
"""The largest frame that has the matrix of BT.601 where it does not say, as players have it."""
_WIDE: Final = frozenset({ColorPrimaries.BT2020, ColorPrimaries.SMPTE431, ColorPrimaries.SMPTE432})
"""Primaries so far from those of sRGB that colours must be carried over: BT.2020, DCI-P3."""
_BRIGHT: Final = frozenset({ColorTrc.SMPTE2084, ColorTrc.ARIB_STD_B67})
"""Transfer functions of high dynamic range, PQ and HLG, which phones record by default."""
_STRANGEST_ASPECT: Final = 10
"""A pixel that is so many times wider than high, or higher than wide, is a mistake."""


@dataclass(frozen=True, slots=True)
class Turn:
    """How a stored picture is turned to be upright, as a transposition and then two mirrorings."""

    transposed: bool = False
    """Whether rows and columns change places."""
    left_right: bool = False
    """Whether it is mirrored from left to right then."""
    upside_down: bool = False
    """Whether it is mirrored from top to bottom then."""

    def apply(self, pixels: Pixels) -> Pixels:
        """A picture, (h, w, 4), turned: a view of it."""
        if self.transposed:
            pixels = pixels.transpose(1, 0, 2)
        rows = slice(None, None, -1 if self.upside_down else 1)
        columns = slice(None, None, -1 if self.left_right else 1)
        return pixels[rows, columns]


def turn_of(frame: av.VideoFrame) -> Turn:
    """How a frame is turned, by its display matrix (ISO/IEC 14496-12, 8.2.2); in quarter turns."""
    side_data = cast("Mapping[SideDataType, Buffer]", frame.side_data)  # PyAV's types lack most
    data = side_data.get(SideDataType.DISPLAYMATRIX)
    if data is None:
        return Turn()
    matrix = np.frombuffer(bytes(data), dtype=np.int32).astype(np.int64)
    # A point (x, y) of the stored picture is seen at (a·x + c·y, b·x + d·y).
    a, b, c, d = (int(matrix[place]) for place in (0, 1, 3, 4))
    if abs(a) + abs(d) >= abs(b) + abs(c):
        return Turn(False, a < 0, d < 0)
    return Turn(True, c < 0, b < 0)


def upright_size(width: int, height: int, aspect: Fraction | None, turn: Turn) -> tuple[int, int]:
    """Width and height in square pixels of a stored picture as it is seen.

    Args:
        width: Stored pixels per row.
        height: Stored rows.
        aspect: Width of a pixel by its height; square where it is nothing sensible.
        turn: How the picture is turned.
    """
    wide, high = Fraction(width), Fraction(height)
    if aspect and Fraction(1, _STRANGEST_ASPECT) <= aspect <= _STRANGEST_ASPECT:
        # Stretched, never squeezed: nothing of what was stored gets lost.
        wide, high = (wide * aspect, high) if aspect > 1 else (wide, high / aspect)
    size = max(1, round(wide)), max(1, round(high))
    return (size[1], size[0]) if turn.transposed else size


class Developer:
    """Makes pictures of one size from the frames of one video."""

    def __init__(self, size: tuple[int, int], turn: Turn) -> None:
        """Prepare.

        Args:
            size: Width and height of the pictures, turned.
            turn: How frames are turned.
        """
        self._stored = (size[1], size[0]) if turn.transposed else size
        self._turn = turn
        self._reformatter = VideoReformatter()

    def develop(self, frame: av.VideoFrame) -> Pixels:
        """A picture of a frame: sRGB with straight alpha, uint8 (h, w, 4), read-only."""
        if has_alpha(frame):
            pixels = _converted(self._reformatter, frame, (frame.width, frame.height))
            if self._stored != (frame.width, frame.height):
                # Pillow weighs colours by their opacity: what is transparent leaves no fringe.
                image = Image.fromarray(pixels).resize(self._stored, Image.Resampling.LANCZOS)
                pixels = np.asarray(image)
        else:
            pixels = _converted(self._reformatter, frame, self._stored)
        pixels = np.ascontiguousarray(self._turn.apply(pixels))
        pixels.setflags(write=False)
        return pixels


def has_alpha(frame: av.VideoFrame) -> bool:
    """Whether a frame may be transparent."""
    return frame.format.name.startswith(
        ("yuva", "ya", "gbrap", "rgba", "bgra", "argb", "abgr", "pal8")
    )


def _converted(
    reformatter: VideoReformatter, frame: av.VideoFrame, size: tuple[int, int]
) -> Pixels:
    wide = frame.color_primaries in _WIDE
    bright = frame.color_trc in _BRIGHT
    # The curve of BT.709 is taken for that of sRGB, as every player does and as our own videos,
    # whose pixels are sRGB's, are tagged.
    curve = ColorTrc.IEC61966_2_1 if bright else None
    primaries = ColorPrimaries.BT709 if wide or bright else None
    try:
        return _reformatted(reformatter, frame, size, curve, primaries)
    except av.FFmpegError:
        if primaries is None:
            raise
        # Tags that libswscale cannot make sense of together.
        return _reformatted(reformatter, frame, size, None, None)


def _reformatted(
    reformatter: VideoReformatter,
    frame: av.VideoFrame,
    size: tuple[int, int],
    curve: ColorTrc | None,
    primaries: ColorPrimaries | None,
) -> Pixels:
    coded = not frame.format.is_rgb and frame.format.name != "pal8"
    found = reformatter.reformat(
        frame,
        width=size[0],
        height=size[1],
        format="rgba",
        src_colorspace=_matrix(frame) if coded else None,
        src_color_range=_range(frame) if coded else None,
        dst_color_range=ColorRange.JPEG,
        interpolation=_SCALING,
        dst_color_trc=curve,
        dst_color_primaries=primaries,
        threads=1,
    )
    pixels = found.to_ndarray()
    assert pixels.dtype == np.uint8  # noqa: S101  # that is what rgba is
    return pixels.astype(np.uint8, copy=False)


def _matrix(frame: av.VideoFrame) -> Colorspace:
    sd = frame.width <= _SD[0] and frame.height <= _SD[1]
    return _MATRICES.get(frame.colorspace, Colorspace.ITU601 if sd else Colorspace.ITU709)


def _range(frame: av.VideoFrame) -> ColorRange:
    full = frame.color_range == ColorRange.JPEG or frame.format.name.startswith("yuvj")
    return ColorRange.JPEG if full else ColorRange.MPEG
